"""Whether the metrics of a test have the annotations of its images."""

import numpy as np


def check_images(loop, name: str, dataset_name: str | None = None) -> None:
    """Check that the metrics know the images that a loop gives to the network.

    A hundred samples are looked at. Of the evaluators of several data sets each metric
    is to know those of its own.

    Args:
        loop (ValLoop | TestLoop): With data set and evaluator.
        name (str): 'val' or 'test', for the message.
        dataset_name (str, optional): What the model's ``metainfo`` calls every data
            set. Defaults to None.

    Raises:
        ValueError: An image is none of the metric's, or has another file name there;
            or an evaluator of several data sets cannot tell them apart.
    """
    dataset, evaluator = loop.dataloader.dataset, loop.evaluator
    check_names(evaluator, name)
    known = any(map(image_records, evaluator.metrics))
    if not known or not hasattr(dataset, 'get_data_info'):
        return
    chosen = np.linspace(0, len(dataset) - 1, min(100, len(dataset))).astype(int)
    for index in chosen.tolist():
        sample = dataset.get_data_info(index)
        if dataset_name:
            sample['dataset_name'] = dataset_name
        for metric in metrics_of(evaluator, dataset, index, sample, name):
            check_image(metric, sample, name)


def check_names(evaluator, name: str) -> None:
    """Raise ValueError if MMPose's `MultiDatasetEvaluator` would leave out a metric."""
    names = getattr(evaluator, 'metrics_dict', None)
    if names is not None and len(names) < len(evaluator.metrics):
        raise ValueError(
            f'`{name}_evaluator` has {len(evaluator.metrics)} metrics, and tells their '
            'data sets apart by the `dataset_name` of their classes: '
            f'{", ".join(names)}'
        )


def metrics_of(evaluator, dataset, index: int, sample: dict, name: str) -> list:
    """The metrics that a sample is for.

    Raises:
        ValueError: There are none.
    """
    metrics = evaluator.metrics
    if hasattr(evaluator, 'metrics_dict'):  # MMPose's `MultiDatasetEvaluator`
        if sample['dataset_name'] not in evaluator.metrics_dict:
            raise ValueError(
                f'`{name}_evaluator` has no metric for `{sample["dataset_name"]}`, as '
                f'`{name}_dataloader` has it, but for '
                f'{", ".join(evaluator.metrics_dict)}'
            )
        return [evaluator.metrics_dict[sample['dataset_name']]]
    # MMDetection's `MultiDatasetsEvaluator`, of its `ConcatDataset`
    if hasattr(evaluator, 'dataset_prefixes') and hasattr(dataset, 'cumulative_sizes'):
        place = int(np.searchsorted(dataset.cumulative_sizes, index, side='right'))
        return metrics[place : place + 1]
    return metrics


def image_records(metric) -> dict:
    """A metric's images by their ids; none if it does not read annotations."""
    return getattr(getattr(metric, 'coco', None), 'imgs', None) or {}


def check_image(metric, sample: dict, name: str) -> None:
    """Raise ValueError if a metric does not know a sample's image."""
    images = image_records(metric)
    if not images:
        return
    image = images.get(sample['img_id'], {}).get('file_name')
    if image is None or not sample['img_path'].endswith(image):
        raise ValueError(
            f'{metric.ann_file}: `ann_file` of `{name}_evaluator` has '
            f'{image or "no image"} under id {sample["img_id"]}, which is '
            f'{sample["img_path"]} in `{name}_dataloader`'
        )
    person = sample.get('raw_ann_info') or {}
    if 'id' not in person or getattr(metric, 'gt_converter', None):
        return
    known = metric.coco.anns.get(person['id'], {})
    for field in ('image_id', 'keypoints'):
        if known.get(field) != person.get(field):
            raise ValueError(
                f'{metric.ann_file}: `ann_file` of `{name}_evaluator` has another '
                f'`{field}` of annotation {person["id"]} than `{name}_dataloader`: '
                'these are other people'
            )


def check_coverage(loop, name: str) -> str | None:
    """A sentence about annotated images that a test would count as missed, if any.

    Images in which a detector found nobody are missed by right; so of data sets of
    detected boxes nothing is said, nor of wrappers.

    Args:
        loop (ValLoop | TestLoop): With data set and evaluator.
        name (str): 'val' or 'test', for the sentence.
    """
    dataset = loop.dataloader.dataset
    if getattr(dataset, 'bbox_file', ...) is not None:
        return None
    images = {dataset.get_data_info(index)['img_id'] for index in range(len(dataset))}
    for metric in loop.evaluator.metrics:
        people = getattr(getattr(metric, 'coco', None), 'anns', {}).values()
        counted = {
            person['image_id']
            for person in people
            if any(person.get('keypoints', ())[2::3]) and not person.get('iscrowd')
        }
        missed = counted - images
        if missed:
            return (
                f'{metric.ann_file}: of {len(counted)} annotated images '
                f'`{name}_dataloader` has {len(counted) - len(missed)}; people of the '
                'others count as missed'
            )
    return None
