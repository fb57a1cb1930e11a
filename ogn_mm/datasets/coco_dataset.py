"""COCO keypoints whose files are checked: one clear error, or a counted skip."""

from collections import Counter

from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.logging import print_log
from mmpose.datasets import CocoDataset
from mmpose.registry import DATASETS

from .checks import check_annotations, check_detections, missing_files, read_json


@DATASETS.register_module()
class ValidatedCocoDataset(CocoDataset):
    """MMPose's `CocoDataset` with its input checked when it is loaded.

    What cannot be meant is an error that names the file and the field (see
    `checks.check_annotations`, `checks.check_detections`): broken JSON, missing or
    empty fields, duplicate or dangling ids, wrong keypoint counts, unknown visibility
    flags, NaN. So is a missing image: training on less data would go unnoticed.

    People that cannot be used are left out, as MMPose does, but counted by reason in
    ``skipped`` and logged: crowds, nobody labelled, boxes without area inside the
    image, no box or no keypoints at all (that is an error in test mode, where
    evaluation needs them), detections of other categories. In test mode nothing is
    lost by a skip: `CocoMetric` takes the ground truth from the annotation file, so a
    labelled person that is left out counts as missed. Keypoints outside their image are
    legal and kept; ``noted`` counts them.

    Args:
        *args: As for `CocoDataset`.
        check_images (bool): Whether every image that is used must exist. Only local
            files are looked for. Defaults to True.
        **kwargs: As for `CocoDataset`.

    Attributes:
        skipped (dict[str, int]): Left out, by reason (top-down mode; bottom-up mode
            leaves out nothing).
        noted (dict[str, int]): Kept but worth knowing.

    Raises:
        ValueError: The annotations or detections are unusable.
        FileNotFoundError: The annotation file, detection file or images are missing.
    """

    def __init__(self, *args, check_images: bool = True, **kwargs):
        self.check_images = check_images
        self.skipped = Counter()
        self.noted = Counter()
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Load, check, count, and say in one line of the log what was left out."""
        self.skipped.clear()
        self.noted.clear()
        data_list = super().load_data_list()
        source = self.bbox_file or self.ann_file
        summary = f'{source}: {len(data_list)} samples'
        for verb, counts in (('skipped', self.skipped), ('kept', self.noted)):
            if counts:
                listed = ', '.join(f'{n} {what}' for what, n in counts.items())
                summary += f'; {verb} {listed}'
        if not data_list:
            raise ValueError(f'no usable person in {summary}')
        if self.check_images:
            self.require_images(data_list)
        print_log(summary, logger='current')
        return data_list

    def require_images(self, data_list: list[dict]) -> None:
        """Raise FileNotFoundError unless the samples' images exist."""
        paths = dict.fromkeys(info['img_path'] for info in data_list)
        if not isinstance(get_file_backend(next(iter(paths))), LocalBackend):
            return
        missing = missing_files(paths)
        if missing:
            raise FileNotFoundError(
                f'{self.ann_file}: {len(missing)} of {len(paths)} images do not exist, '
                f'among them {", ".join(missing[:3])}; check data_root and data_prefix'
            )

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        return self._load_checked(super()._load_annotations)

    def _load_detection_results(self) -> list[dict]:
        data_list = self._load_checked(super()._load_detection_results)
        kept = [info for info in data_list if self._has_area(info)]
        if len(kept) < len(data_list):
            self.skipped['boxes without area'] = len(data_list) - len(kept)
        return kept

    def _load_checked(self, load):
        """Run upstream's loader and check what it read.

        It parses the file once; only if it stumbles is the file read again, to say why.
        """
        failure = None
        try:
            loaded = load()
        except Exception as error:
            failure = error
        content = read_json(self.ann_file) if failure else self.coco.dataset
        self.noted += check_annotations(
            content,
            self.ann_file,
            self.metainfo['num_keypoints'],
            evaluated=self.test_mode,
            with_people='annotations' in content or not self.bbox_file,
        )
        if self.bbox_file:
            image_ids = {image['id'] for image in content['images']}
            self.skipped += check_detections(
                read_json(self.bbox_file), self.bbox_file, image_ids
            )
        if failure:
            raise ValueError(
                f'{self.ann_file}: cannot be loaded as COCO keypoints ({failure!r})'
            ) from failure
        return loaded

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        info = super().parse_data_info(raw_data_info)
        if info is None:
            self.skipped['people without box or keypoints'] += 1
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
