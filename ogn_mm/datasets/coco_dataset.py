"""COCO keypoints whose files are checked: one clear error, or a counted skip."""

import os.path as osp
from collections import Counter

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets import CocoDataset
from mmpose.registry import DATASETS

from ogn_mm.engine.json_files import read_json

from .categories import keypoint_categories
from .checked_images import CheckedImages
from .checks import check_annotations, load_checked, require_images, summarize
from .detections import load_detections
from .keypoint_names import check_keypoint_names


class Uncopied(dict):
    """A dictionary that ``copy.deepcopy`` passes on as it is."""

    def __deepcopy__(self, memo):
        return self


@DATASETS.register_module()
class ValidatedCocoDataset(CheckedImages, CocoDataset):
    """MMPose's `CocoDataset` with its input checked when it is loaded.

    What cannot be meant is an error that names the file and the field (see
    `checks.check_annotations`, `checks.check_detections`): broken JSON, missing or
    empty fields, duplicate or dangling ids, wrong keypoint counts, unknown visibility
    flags, NaN, the keypoints of ``metainfo`` in another order. So is a missing image:
    training on less data would go unnoticed.

    People that cannot be used are left out, as MMPose does, but counted by reason in
    ``skipped`` and logged: crowds, nobody labelled, boxes without area inside the
    image, no box or no keypoints at all (that is an error in test mode, where
    evaluation needs them), annotations of categories without keypoints, detections of
    others than those with keypoints (see `categories.keypoint_categories`). In test
    mode nothing is lost by a skip: `CocoMetric` takes the ground truth from the
    annotation file, so a labelled person that is left out counts as missed. Keypoints
    outside their image are legal and kept, so are keypoints that ``metainfo`` names
    otherwise; ``noted`` counts them.

    An image that is no image, cut off, or of another size than the file says is an
    error that names it, when it is read. See :class:`CheckedImages` for how to skip
    broken ones in training.

    Args:
        *args: As for `CocoDataset`.
        check_images (bool): Whether every image that is used must exist. Only local
            files are looked for. Defaults to True.
        needs_area (bool): Whether evaluation needs the people's ``area``; CrowdPose
            has none, and its metric ``use_area=False``. Defaults to True.
        bbox_filter (dict, optional): Config of a filter for the boxes of ``bbox_file``
            in MMDetection's `TASK_UTILS`, such as
            ``dict(type='mmdet.GreedyBoxGeneration')``, so that one file of raw
            detections serves all filters (see `detections.load_detections`). Defaults
            to None, which keeps every box.
        **kwargs: As for `CocoDataset` and :class:`CheckedImages`.

    Attributes:
        skipped (dict[str, int]): Left out, by reason (top-down mode; bottom-up mode
            leaves out nothing).
        noted (dict[str, int]): Kept but worth knowing.

    Raises:
        ValueError: The annotations or detections are unusable.
        FileNotFoundError: The annotation file, detection file or images are missing.
    """

    def __init__(
        self,
        *args,
        check_images: bool = True,
        needs_area: bool = True,
        bbox_filter: dict | None = None,
        **kwargs,
    ):
        self.check_images = check_images
        self.needs_area = needs_area
        self.bbox_filter = bbox_filter
        self.skipped = Counter()
        self.noted = Counter()
        super().__init__(*args, **kwargs)
        if bbox_filter and not self.bbox_file:
            raise ValueError(
                f'{self.ann_file}: `bbox_filter` filters the boxes of `bbox_file`, but '
                'there is none'
            )

    def load_data_list(self) -> list[dict]:
        """Load, check, count, and say in one line of the log what was left out."""
        self.skipped.clear()
        self.noted.clear()
        self._posed = None
        data_list = super().load_data_list()
        source = self.bbox_file or self.ann_file
        summary = f'{source}: ' + summarize(
            f'{len(data_list)} samples', self.skipped, self.noted
        )
        if not data_list:
            raise ValueError(f'no usable person in {summary}')
        if self.check_images:
            require_images((info['img_path'] for info in data_list), self.ann_file)
        print_log(summary, logger='current')
        return data_list

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        """Run upstream's loader and check what it read."""
        return load_checked(
            super()._load_annotations,
            lambda _: self.coco.dataset,
            self._check,
            self.ann_file,
        )

    def _load_detection_results(self) -> list[dict]:
        """Upstream's samples, but filtered before they are made, not box by box."""
        content = read_json(self.ann_file)
        # files for test servers have no people
        self._check(content, isinstance(content, dict) and 'annotations' in content)
        images = [
            dict(
                img_id=image['id'],
                img_path=osp.join(self.data_prefix['img'], image['file_name']),
                img_shape=(image['height'], image['width']),
            )
            for image in content['images']
        ]
        image_ids = [image['img_id'] for image in images]
        found, skipped = load_detections(
            self.bbox_file, image_ids, keypoint_categories(content), self.bbox_filter
        )
        self.skipped += skipped
        num_keypoints = self.metainfo['num_keypoints']
        dummies = dict(
            keypoints=np.zeros((1, num_keypoints, 2), np.float32),
            keypoints_visible=np.ones((1, num_keypoints), np.float32),
        )
        return [
            dict(
                images[image],
                bbox=box,
                bbox_score=score,
                **dummies,
                id=number,
                category_id=category,
            )
            for number, category, image, box, score in zip(
                found.numbers.tolist(),
                found.categories.tolist(),
                found.images,
                found.boxes[:, None],
                found.scores[:, None],
                strict=True,
            )
        ]

    def _check(self, content, with_people: bool = True) -> None:
        self.noted += check_annotations(
            content,
            self.ann_file,
            self.metainfo['num_keypoints'],
            evaluated=self.test_mode,
            with_area=self.needs_area,
            with_people=with_people,
        )
        self.noted += check_keypoint_names(content, self.ann_file, self.metainfo)
        posed = keypoint_categories(content)
        self._metainfo['CLASSES'] = [
            category for category in content['categories'] if category['id'] in posed
        ]

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        person = raw_data_info['raw_ann_info']
        if self._posed is None:
            self._posed = keypoint_categories(self.coco.dataset)
        if person['category_id'] not in self._posed:
            self.skipped['annotations of categories without keypoints'] += 1
            return None
        # a deep copy of every polygon and keypoint would take a fifth of the loading
        info = super().parse_data_info(
            dict(raw_data_info, raw_ann_info=Uncopied(person))
        )
        if info is None:
            self.skipped['people without box or keypoints'] += 1
            return None
        info['raw_ann_info'] = person
        if self.data_mode == 'topdown':
            image = raw_data_info['raw_img_info']
            info['img_shape'] = image['height'], image['width']
        else:
            # upstream joins the polygons of an image, and stumbles over None
            info['segmentation'] = info['segmentation'] or []
        return info

    # Upstream's is static; as a method it can count.
    def _is_valid_instance(self, data_info: dict) -> bool:
        valid = super()._is_valid_instance(data_info)
        if not valid and self.data_mode == 'topdown':
            if data_info['iscrowd']:
                reason = 'crowds'
            elif data_info['num_keypoints'] == 0:
                reason = 'people without labelled keypoints'
            elif not self._has_area(data_info):
                reason = 'boxes without area in the image'
            else:
                reason = 'people whose keypoints are all at or before the origin'
            self.skipped[reason] += 1
        return valid

    @staticmethod
    def _has_area(data_info: dict) -> bool:
        x1, y1, x2, y2 = data_info['bbox'][0]
        return bool(x2 > x1 and y2 > y1)
