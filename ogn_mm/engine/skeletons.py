"""Whose keypoints a checkpoint's weights find."""


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
