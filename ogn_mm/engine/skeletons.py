"""Whose keypoints a checkpoint's weights find."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import DATASETS
from mmpose.datasets.datasets.utils import parse_pose_metainfo

# What predicting, drawing and writing poses asks for, in MMPose's metainfo.
FIELDS = {
    'dataset_name',
    'num_keypoints',
    'keypoint_id2name',
    'keypoint_name2id',
    'keypoint_colors',
    'skeleton_links',
    'skeleton_link_colors',
    'flip_indices',
    'sigmas',
}


def keypoint_names(metainfo: dict | None) -> list[str]:
    """Names of the keypoints that MMPose's metainfo lists; none if it lists none."""
    names = (metainfo or {}).get('keypoint_id2name', {})
    return [names[i] for i in range(len(names))]


def checkpoint_keypoints(content: dict) -> list[str]:
    """Names of the keypoints that a checkpoint was trained on; none if it says none.

    Args:
        content (dict): As loaded; its ``meta`` may have training's ``dataset_meta``.
    """
    meta = content.get('meta')
    metainfo = meta.get('dataset_meta') if isinstance(meta, dict) else None
    names = metainfo.get('keypoint_id2name') if isinstance(metainfo, dict) else None
    if not isinstance(names, dict) or names.keys() != set(range(len(names))):
        return []
    return keypoint_names(metainfo)


def require_skeleton(content: dict, metainfo: dict | None, checkpoint: str) -> None:
    """Check that a checkpoint finds the keypoints that it is taken for.

    COCO and PoseTrack both have 17, so that the weights of one load into a model of the
    other without complaint.

    Args:
        content (dict): The checkpoint, as loaded.
        metainfo (dict, optional): What names the keypoints wanted.
        checkpoint (str): The file's name, for the message.

    Raises:
        ValueError: Both name their keypoints, and otherwise.
    """
    found, wanted = checkpoint_keypoints(content), keypoint_names(metainfo)
    if not found or not wanted or found == wanted:
        return
    count = min(len(found), len(wanted))
    differing = [i for i in range(count) if found[i] != wanted[i]]
    if differing:
        first = differing[0]
        problem = f'number {first} is `{found[first]}`, not `{wanted[first]}`'
    else:
        problem = f'{len(found)}, not {len(wanted)}'
    raise ValueError(
        f'the checkpoint {checkpoint} was trained on other keypoints than those of '
        f'`{metainfo.get("dataset_name")}`: {problem}'
    )


def is_whole(metainfo: dict) -> bool:
    """Whether a checkpoint's metainfo describes keypoints as it is needed."""
    try:
        check_metainfo(metainfo)
    except (ValueError, KeyError, TypeError, IndexError):
        return False
    return metainfo.keys() >= FIELDS


def config_skeleton(cfg: Config) -> dict | None:
    """The metainfo of a config's test data, else of what it validates or trains on.

    Args:
        cfg (Config): Of MMPose or MMDetection.

    Returns:
        dict | None: As MMPose parses it; None if no data set has keypoints.
    """
    for part in ('test', 'val', 'train'):
        loader = cfg.get(f'{part}_dataloader') or {}
        found = dataset_skeleton(loader.get('dataset'), cfg.get('default_scope'))
        if found:
            return found
    return None


def dataset_skeleton(dataset: dict | None, scope: str | None) -> dict | None:
    """The keypoints of a data set, or of what it wraps, by its config.

    Args:
        dataset (dict, optional): The config.
        scope (str, optional): Of the registry that has its class.
    """
    if not dataset:
        return None
    wrapped = dataset.get('dataset') or next(iter(dataset.get('datasets', ())), None)
    metainfo = dataset.get('metainfo')
    if wrapped:
        if metainfo:
            return parse_pose_metainfo(dict(metainfo))
        return dataset_skeleton(wrapped, scope)
    kind = dataset.get('type')
    if isinstance(kind, str):
        with DATASETS.switch_scope_and_registry(scope) as registry:
            kind = registry.get(kind)
    if not hasattr(kind, '_load_metainfo'):
        return None
    found = kind._load_metainfo(metainfo)
    return found if 'keypoint_id2name' in found else None


def choose_skeleton(
    content: dict | None, cfg: Config, model, checkpoint: str | None
) -> dict:
    """Whose keypoints a model's predictions are, where no annotations say so.

    Those that the checkpoint was trained on, if it tells all about them, as MMEngine's
    do; else those of the config's data set, which is logged.

    Args:
        content (dict, optional): The checkpoint, as loaded; None for random weights.
        cfg (Config): The model's.
        model (nn.Module): The model.
        checkpoint (str, optional): The file's name, for the message.

    Returns:
        dict: MMPose's metainfo.

    Raises:
        ValueError: Neither names keypoints, or both do and otherwise, or the model
            predicts another number of them.
    """
    place = f'the checkpoint {checkpoint}' if content else 'the config'
    meta = (content or {}).get('meta')
    metainfo = meta.get('dataset_meta') if isinstance(meta, dict) else None
    if not (content and checkpoint_keypoints(content) and is_whole(metainfo)):
        metainfo = config_skeleton(cfg)
        if metainfo is None:
            raise ValueError(
                f'{place} does not tell which keypoints are found, and no data set of '
                'the config has any'
            )
        if content:
            require_skeleton(content, metainfo, checkpoint)
            print_log(
                f'{place} does not tell which keypoints are found: they are taken for '
                f"those of the config's data set `{metainfo['dataset_name']}`",
                logger='current',
                level=logging.WARNING,
            )
    field, head = find_keypoint_head(model)
    predicted, count = count_head_keypoints(head), metainfo['num_keypoints']
    chosen = (getattr(model, 'test_cfg', None) or {}).get('output_keypoint_indices')
    if predicted not in (None, count) and not chosen:
        raise ValueError(
            f'`{field}` predicts {predicted} keypoints, but {place} is for the {count} '
            f'of `{metainfo["dataset_name"]}`'
        )
    return metainfo


def check_metainfo(metainfo: dict):
    """Check that a dataset's metainfo agrees with itself.

    Args:
        metainfo (dict): MMPose's parsed dataset metainfo.

    Raises:
        ValueError: ``flip_indices``, ``sigmas``, if there are any, or
            ``joint_weights`` have not one entry a keypoint, or ``flip_indices`` do not
            swap in pairs.
    """
    count = metainfo['num_keypoints']
    place = f'The metainfo of dataset `{metainfo["dataset_name"]}`'
    for field, key in (
        ('flip_indices', 'flip_indices'),
        ('sigmas', 'sigmas'),
        ('joint_weights', 'dataset_keypoint_weights'),
    ):
        # many data sets of MMPose have no sigmas, which only OKS needs
        if len(metainfo[key]) not in (count, 0 if key == 'sigmas' else count):
            raise ValueError(
                f'{place} has {count} keypoints but {len(metainfo[key])} `{field}`.'
            )
    flip = metainfo['flip_indices']
    for index, partner in enumerate(flip):
        if not 0 <= partner < count or flip[partner] != index:
            raise ValueError(
                f'{place} has `flip_indices` that do not swap in pairs: '
                f'{index} -> {partner}.'
            )


def count_head_keypoints(head):
    """The number of keypoints that an MMPose head predicts; None if it has none."""
    for name in ('num_keypoints', 'out_channels', 'num_joints'):
        if hasattr(head, name):
            channels = getattr(head, name)
            # UDPHeatmap's combined target has three channels a keypoint
            decoder = getattr(head, 'decoder', None)
            combined = getattr(decoder, 'heatmap_type', None) == 'combined'
            return channels // 3 if combined else channels
    return None


def find_keypoint_head(model) -> tuple:
    """Name of the keypoint head, of one stage or two, and the head, if there is one."""
    roi_head = getattr(model, 'roi_head', None)
    if hasattr(roi_head, 'keypoint_head'):
        return 'model.roi_head.keypoint_head', roi_head.keypoint_head
    return 'model.head', getattr(model, 'head', None)
