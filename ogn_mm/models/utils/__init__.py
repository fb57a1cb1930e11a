from .parts import build_part, has_model, read_config
from .top_down import choose_poses, pack_people, predict_people

__all__ = [
    'build_part',
    'choose_poses',
    'has_model',
    'pack_people',
    'predict_people',
    'read_config',
]
