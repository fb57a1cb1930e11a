"""Checks of data sets, and of those that they wrap, by their metainfo."""

from collections.abc import Iterator

from mmpose.datasets import CombinedDataset

from .skeletons import check_metainfo, keypoint_names


def own_transforms(dataset) -> list:
    """The transforms of a data set's own pipeline."""
    pipeline = getattr(dataset, 'pipeline', ())
    return list(getattr(pipeline, 'transforms', pipeline))


def wrapped_datasets(dataset) -> list:
    """The data sets that a wrapper holds; none for others."""
    single = [dataset.dataset] if hasattr(dataset, 'dataset') else []
    return [*getattr(dataset, 'datasets', ()), *single]


def list_transforms(dataset) -> list:
    """The transforms of a dataset and of the datasets that it wraps."""
    transforms = own_transforms(dataset)
    for part in wrapped_datasets(dataset):
        transforms += list_transforms(part)
    return transforms


def list_metainfo(dataset) -> list[dict]:
    """A data set's metainfo; all of them, where a wrapper has several."""
    metainfo = getattr(dataset, 'metainfo', {})
    several = metainfo if isinstance(metainfo, (list, tuple)) else [metainfo]
    return [one for one in several if 'num_keypoints' in one]


def check_wrapped(dataset, name: str) -> None:
    """Check that a wrapper's data sets agree with themselves and with the wrapper.

    Args:
        dataset: Of a data loader. Its own metainfo is checked as well.
        name (str): The data loader, for the message.

    Raises:
        ValueError: A metainfo disagrees with itself, or a data set gives its wrapper
            another number of keypoints than this one's metainfo has, or one of them
            in the place of another.
    """
    infos = list_metainfo(dataset)
    for metainfo in infos:
        check_metainfo(metainfo)
    for part in wrapped_datasets(dataset):
        check_wrapped(part, name)
        if len(infos) != 1 or converters(dataset):
            continue
        for source, renumbered_by in sources(part):
            # other wrappers' metainfo is that of their first data set
            own = isinstance(dataset, CombinedDataset)
            if own or source['keypoint_id2name'] != infos[0]['keypoint_id2name']:
                check_mapping(source, renumbered_by, infos[0], name)


def check_same_keypoints(trained, dataset, name: str, chosen=None) -> None:
    """Check that a data set has the keypoints of the training's, in their order.

    Args:
        trained: The data set of training.
        dataset: That of a validation.
        name (str): Its data loader, for the message.
        chosen (Sequence[int], optional): ``output_keypoint_indices``, the places in
            training of those that are given. Names that only one of both has then say
            nothing. Defaults to None: all.

    Raises:
        ValueError: It has others, or other flip indices.
    """
    infos = [*list_metainfo(trained), *list_metainfo(dataset)]
    if len(infos) != 2:
        return
    first, second = map(keypoint_names, infos)
    if chosen is not None:
        first = [first[i] for i in chosen if i < len(first)]
    place = f'the dataset `{infos[1]["dataset_name"]}` of `{name}`'
    for i, (joint, other) in enumerate(zip(first, second, strict=False)):
        if joint != other and (chosen is None or other in first or joint in second):
            raise ValueError(
                f'{place} has `{other}` as keypoint {i}, but `train_dataloader` has '
                f'`{joint}`; give both the same `metainfo`'
            )
    if chosen is None and infos[0]['flip_indices'] != infos[1]['flip_indices']:
        raise ValueError(
            f'{place} has other flip indices than `train_dataloader`; give both the '
            'same `metainfo`'
        )


def converters(dataset) -> list:
    """What renumbers keypoints in a data set's own pipeline."""
    return [
        transform
        for transform in own_transforms(dataset)
        if type(transform).__name__.endswith('Converter')
    ]


def sources(dataset) -> Iterator[tuple[dict, list]]:
    """Metainfo and converters of the data sets whose samples a wrapper passes on."""
    parts = wrapped_datasets(dataset)
    if isinstance(dataset, CombinedDataset) or not parts:
        for metainfo in list_metainfo(dataset):
            yield metainfo, converters(dataset)
        return
    for part in parts:
        yield from sources(part)


def check_mapping(source: dict, converters: list, target: dict, name: str) -> None:
    """Check that the keypoints of a wrapped data set arrive as its wrapper's.

    Args:
        source (dict): The data set's metainfo.
        converters (list): Of its pipeline: none, or a `KeypointConverter`. Others are
            not looked into.
        target (dict): The wrapper's metainfo.
        name (str): The data loader, for the message.

    Raises:
        ValueError: They do not.
    """
    count = source['num_keypoints']
    mapping = [(k, k) for k in range(count)]
    if converters:
        if len(converters) > 1 or not hasattr(converters[0], 'mapping'):
            return
        count, mapping = converters[0].num_keypoints, converters[0].mapping
    place = (
        f'the dataset `{source["dataset_name"]}` in `{name}`, whose wrapper is of '
        f'`{target["dataset_name"]}`'
    )
    if count != target['num_keypoints']:
        raise ValueError(
            f'{place} with {target["num_keypoints"]} keypoints, has {count}; convert '
            'them by `KeypointConverter`'
        )
    if not mapping:
        raise ValueError(f'{place}, maps no keypoint: nothing would be learnt of it')
    old, new = source['keypoint_id2name'], target['keypoint_id2name']
    for start, end in mapping:
        starts = start if isinstance(start, (list, tuple)) else [start]
        if not (all(k in old for k in starts) and end in new):
            raise ValueError(
                f'{place}, maps keypoint {start} to {end}, but they have {len(old)} '
                f'and {len(new)} keypoints, from 0 on'
            )
        names = {old[k] for k in starts}
        joint = names.pop()
        right = target['keypoint_name2id'].get(joint, end)
        # of means between joints, and of faces' kpt-1 and the like, names say nothing
        if right != end and not names and not joint[-1].isdigit():
            raise ValueError(
                f'{place}, gives `{joint}` the place of `{new[end]}`, {end}; map '
                f'{start} to {right} by `KeypointConverter`'
            )
