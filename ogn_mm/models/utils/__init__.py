from .parts import build_part, find_config, has_model, pack_image
from .top_down import choose_poses, pack_people, predict_people

__all__ = [
    'build_part',
    'choose_poses',
    'find_config',
    'has_model',
    'pack_image',
    'pack_people',
    'predict_people',
]
