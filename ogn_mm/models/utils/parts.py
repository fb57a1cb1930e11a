"""Models of other configs as parts of a larger one."""

import difflib
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import MODELS, TRANSFORMS, DefaultScope
from mmpose import registry as mmpose_registry

from ogn_mm.engine.checkpoint import load_weights
from ogn_mm.engine.config_agreement import type_name
from ogn_mm.engine.config_check import read_config
from ogn_mm.engine.skeletons import config_skeleton

PACKAGE = Path(__file__).parents[2] / '.mim'


def find_config(name: str) -> str:
    """Path of a config.

    Args:
        name (str): A path; one below this package, ``configs/FOLDER/NAME.py``, which a
            wheel has as well as a checkout; or only the NAME.

    Raises:
        FileNotFoundError: There is no such config. The sentence tells similar names.
    """
    for path in (Path(name), PACKAGE / name):
        if path.is_file():
            return str(path)
    own = {
        path.stem: path
        for path in sorted((PACKAGE / 'configs').glob('*/*.py'))
        if path.parent.name not in ('_base_', 'benchmarks', 'studies')
    }
    stem = name.removesuffix('.py')
    if stem in own:
        return str(own[stem])
    near = difflib.get_close_matches(Path(stem).name, own)
    hint = f'; did you mean {" or ".join(near)}?' if near else ''
    raise FileNotFoundError(f'{name}: there is no such config{hint}')


def has_model(config: Config, kind: type) -> bool:
    """Whether a config's model is of a class, or of one that inherits from it."""
    found = config.model.get('type')
    if isinstance(found, str):
        found = mmpose_registry.MODELS.get(found)
    return isinstance(found, type) and issubclass(found, kind)


def build_part(
    scope: str, config: str, checkpoint: str | None = None, cfg_options=None
):
    """Build a config's model for testing, and the pipeline of its test data.

    Args:
        scope (str): 'mmpose' or 'mmdet', in whose registries its modules are.
        config (str): As for :func:`find_config`.
        checkpoint (str, optional): Its weights.
        cfg_options (dict, optional): Overrides settings of the config, by dotted keys.

    Returns:
        tuple: The model, with its config as ``cfg`` and its data's ``dataset_meta``,
        None without keypoints; and the pipeline, which takes an image that has been
        loaded as ``img``, with ``img_shape`` and ``ori_shape``.

    Raises:
        FileNotFoundError: There is no such config or checkpoint.
        ValueError: The checkpoint does not fit, or the config cannot be meant.
    """
    cfg = read_config(find_config(config), cfg_options or {}, name='cfg_options')
    loading = 'LoadImage', 'LoadAnnotations', 'LoadKeypointAnnotations'
    with DefaultScope.overwrite_default_scope(scope):
        model = MODELS.build(cfg.model)
        pipeline = Compose(
            [
                TRANSFORMS.build(step)
                for step in cfg.test_dataloader.dataset.pipeline
                if not type_name(step).startswith(loading)
            ]
        )
    model.cfg, model.dataset_meta = cfg, config_skeleton(cfg)
    if checkpoint is not None:
        load_weights(model, checkpoint)
    return model.eval(), pipeline


def pack_image(pipeline: Compose, image: np.ndarray) -> dict:
    """Put an image through the test pipeline of a detector.

    Args:
        pipeline (Compose): As :func:`build_part` returns it, for 'mmdet'.
        image (np.ndarray): BGR, (H, W, 3).

    Returns:
        dict: The packed inputs and data sample.
    """
    size = image.shape[:2]
    return pipeline(
        dict(img=image, img_path=None, img_id=0, img_shape=size, ori_shape=size)
    )
