from .ogn_inferencer import OGNInferencer, list_images

__all__ = ['OGNInferencer', 'list_images']
