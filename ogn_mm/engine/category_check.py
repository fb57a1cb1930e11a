"""That data sets and metrics mean the same categories, before the work begins."""

from ogn_mm.datasets.categories import leave_out_boxes, listed


def use_keypoint_categories(loop, name: str) -> None:
    """Let the metrics of a loop measure the categories with keypoints alone.

    MMPose's own would stop at annotations that have none, as boxes beside the poses.

    Args:
        loop (ValLoop | TestLoop): With data set and evaluator.
        name (str): 'val' or 'test', for the message.

    Raises:
        ValueError: A metric's annotations have none of the data set's categories, so
            that all of its people would be missed.
    """
    meta = getattr(loop.dataloader.dataset, 'metainfo', {})
    # of several data sets MMDetection has a list of them
    classes = meta.get('CLASSES') or () if isinstance(meta, dict) else ()
    known = {category['id']: category['name'] for category in classes}
    for metric in loop.evaluator.metrics:
        coco = getattr(metric, 'coco', None)
        if not getattr(coco, 'cats', None):
            continue
        leave_out_boxes(coco)
        if known and known.keys().isdisjoint(coco.cats):
            found = {i: category['name'] for i, category in coco.cats.items()}
            raise ValueError(
                f'{metric.ann_file}: `ann_file` of `{name}_evaluator` has people of '
                f'category {listed(found)}, but `{name}_dataloader` of {listed(known)}'
            )
