"""People with their detections, for training on mixed boxes (section 3.1.3)."""

import numpy as np
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from ogn_mm.structures.bbox import assign_detections, box_iou

from .categories import keypoint_categories
from .coco_dataset import ValidatedCocoDataset
from .detections import load_detections


@DATASETS.register_module()
class MixedBoxCocoDataset(ValidatedCocoDataset):
    """`ValidatedCocoDataset` whose people bring their detections along.

    "We mix up the predicted boxes and ground truth boxes" (section 3.1.3). This
    class matches the boxes to people; the transform
    :class:`~ogn_mm.datasets.transforms.RandomDetectedBox` chooses among them in each
    epoch. A detection belongs to the person of its image and category with whom it has
    most IoU, if that is at least ``iou_thr``; people without keypoints, who are not
    trained on, take theirs as well, but crowds do not. Each person gets
    ``detected_bboxes``, x1, y1, x2, y2 in pixels, float32, (M, 4); M is 0 where all
    detections are poor.

    The log says how many people have detections, how many each, and their mean IoU.
    Memory: 16 bytes a matched box and some 50 a person.

    Args:
        *args: As for `ValidatedCocoDataset`; for training in top-down mode.
        detection_file (str): COCO detection results for the images of ``ann_file``.
            A path from the working directory, like ``bbox_file``.
        detection_filter (dict, optional): As ``bbox_filter`` for ``bbox_file``: use the
            filter of the test, so that training sees the same kind of boxes. Defaults
            to None.
        iou_thr (float): Lowest IoU of a detection with its person, in (0, 1].
            Defaults to 0.5.
        **kwargs: As for `ValidatedCocoDataset`.

    Raises:
        ValueError: An argument is out of its range, or a file is unusable.
        FileNotFoundError: A file is missing.
    """

    def __init__(
        self,
        *args,
        detection_file: str,
        detection_filter: dict | None = None,
        iou_thr: float = 0.5,
        **kwargs,
    ):
        name = type(self).__name__
        if not 0 < iou_thr <= 1:
            raise ValueError(f'{name}: iou_thr must be in (0, 1], got {iou_thr}')
        if kwargs.get('test_mode') or kwargs.get('data_mode', 'topdown') != 'topdown':
            raise ValueError(f'{name}: is for training in top-down mode only')
        self.detection_file = detection_file
        self.detection_filter = detection_filter
        self.iou_thr = iou_thr
        super().__init__(*args, **kwargs)

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        self._attach_detections([info for info in instance_list if not info['iscrowd']])
        people = super()._get_topdown_data_infos(instance_list)
        if people:
            self._log_matches(people)
        return people

    def _attach_detections(self, people: list[dict]) -> None:
        """Give every person ``detected_bboxes``."""
        image_ids = list(self.coco.imgs)
        place = {image_id: i for i, image_id in enumerate(image_ids)}
        categories = keypoint_categories(self.coco.dataset)
        kind = {category: i for i, category in enumerate(categories)}
        found, skipped = load_detections(
            self.detection_file, image_ids, categories, self.detection_filter
        )
        self.skipped += skipped
        places = [
            place[info['img_id']] * len(kind) + kind[int(info['category_id'])]
            for info in people
        ]
        kinds = np.array([kind[i] for i in found.categories.tolist()], int)
        owners = assign_detections(
            boxes_of(people),
            np.array(places),
            found.boxes,
            found.images * len(kind) + kinds,
            self.iou_thr,
        )
        order = np.argsort(owners, kind='stable')
        bounds = np.searchsorted(owners[order], np.arange(len(people) + 1))
        boxes = found.boxes[order]
        for info, first, last in zip(people, bounds[:-1], bounds[1:], strict=True):
            info['detected_bboxes'] = boxes[first:last]

    def _log_matches(self, people: list[dict]) -> None:
        counts = np.array([len(info['detected_bboxes']) for info in people], int)
        if not counts.any():
            raise ValueError(
                f'{self.detection_file}: no detection has IoU >= {self.iou_thr} with '
                f'anyone in {self.ann_file}'
            )
        detected = np.concatenate([info['detected_bboxes'] for info in people])
        iou = box_iou(boxes_of(people).repeat(counts, axis=0), detected)
        print_log(
            f'{self.detection_file}: {np.count_nonzero(counts)} of {len(people)} '
            f'people have detections at IoU >= {self.iou_thr}, '
            f'{counts[counts > 0].mean():.2f} each, mean IoU {iou.mean():.3f}',
            logger='current',
        )


def boxes_of(people: list[dict]) -> np.ndarray:
    """The annotated boxes of N people, (N, 4)."""
    return np.array([info['bbox'] for info in people], np.float32).reshape(-1, 4)
