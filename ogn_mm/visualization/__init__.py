from .curves import draw_curves, draw_scores

__all__ = ['draw_curves', 'draw_scores']
