"""Whether the metrics of a test have the true keypoints to compare with."""

from collections.abc import Iterator

from ogn_mm.datasets.keypoint_names import check_keypoint_names

from .dataset_check import wrapped_datasets


def list_datasets(dataset) -> Iterator:
    """A dataset and those that it wraps."""
    yield dataset
    for part in wrapped_datasets(dataset):
        yield from list_datasets(part)


def takes_truth_from_samples(metric) -> bool:
    """Whether a metric compares predictions with the keypoints of the samples.

    Those of MMPose do, and what descends from them, unless they have read an annotation
    file.
    """
    parts = getattr(metric, 'metrics', None)  # of KeypointPartitionMetric
    if isinstance(parts, dict):
        return any(map(takes_truth_from_samples, parts.values()))
    ancestors = [cls.__module__ for cls in type(metric).__mro__]
    is_mmposes = any(module.startswith('mmpose.') for module in ancestors)
    return is_mmposes and getattr(metric, 'coco', None) is None


def metrics_of_dataset(evaluator, dataset) -> list:
    """The metrics that get a dataset's samples: of several datasets, each has one."""
    by_dataset = getattr(evaluator, 'metrics_dict', {})
    name = getattr(dataset, 'metainfo', {}).get('dataset_name')
    return [by_dataset[name]] if name in by_dataset else list(evaluator.metrics)


def check_truth(loop, name: str) -> None:
    """Check that the metrics of a loop have true keypoints, in the dataset's order.

    Args:
        loop (ValLoop | TestLoop): With data set and evaluator.
        name (str): 'val' or 'test', for the message.

    Raises:
        ValueError: A metric takes the truth from the samples, but these are detected
            boxes, which have none; or its annotation file names the keypoints in
            another order than ``metainfo``.
    """
    for dataset in list_datasets(loop.dataloader.dataset):
        if not getattr(dataset, 'bbox_file', None):
            continue
        for metric in filter(
            takes_truth_from_samples, metrics_of_dataset(loop.evaluator, dataset)
        ):
            raise ValueError(
                f'`{type(metric).__name__}` of `{name}_evaluator` takes the true '
                f'keypoints from the samples of `{name}_dataloader`, but the detected '
                f'boxes of `bbox_file` {dataset.bbox_file} have none; test on '
                'annotated boxes (`bbox_file=None`), or without this metric'
            )
    for metric in loop.evaluator.metrics:
        content = getattr(getattr(metric, 'coco', None), 'dataset', None)
        # a `gt_converter` brings the file's keypoints into order
        if content and not getattr(metric, 'gt_converter', None):
            check_keypoint_names(content, metric.ann_file, metric.dataset_meta)
