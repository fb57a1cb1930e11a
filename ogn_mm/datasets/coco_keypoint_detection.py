"""COCO people with boxes and keypoints for MMDetection."""

from collections import Counter

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.registry import DATASETS
from mmengine.logging import print_log
from mmpose.datasets import CocoDataset as PoseCocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from ogn_mm.engine.json_files import shown

from .categories import choose_category
from .checked_images import CheckedImages
from .checks import check_annotations, load_checked, require_images, summarize
from .keypoint_names import check_keypoint_names


@DATASETS.register_module()
class CocoKeypointDetectionDataset(CheckedImages, CocoDataset):
    """MMDetection's `CocoDataset` whose instances carry keypoints beside their boxes.

    Instances have the field ``keypoints`` as the file has it: x, y and flag of each,
    3K numbers. People without labelled keypoints have zeros and train the box branch.
    Crowds are to be ignored, as in MMDetection. Samples have ``flip_indices`` for
    `LoadKeypointAnnotations`.

    Files are checked as by :class:`~ogn_mm.datasets.ValidatedCocoDataset`: what cannot
    be meant is an error that names the file and the field. What cannot be used is left
    out, as MMDetection does, but counted by reason in ``skipped`` and logged. Images
    are checked when they are read.

    Args:
        *args: As for `CocoDataset`.
        check_images (bool): Whether every image that is used must exist. Only local
            files are looked for. Defaults to True.
        needs_area (bool): Whether evaluation needs the people's ``area``. Where they
            have none, boxes stand in to tell whether there is anything to detect.
            Defaults to True.
        metainfo (dict, optional): MMPose's description of a skeleton, or
            ``dict(from_file=...)`` of such, and MMDetection's ``classes`` and
            ``palette``. Defaults to COCO's skeleton and the class 'person'. The first
            class is the one with keypoints; 'person' becomes the name of the file's
            category with keypoints, if there is one (`categories.choose_category`),
            which ``metainfo['category']`` describes.
        **kwargs: As for `CocoDataset` and :class:`CheckedImages`.

    Attributes:
        skipped (dict[str, int]): Left out, by reason.
        noted (dict[str, int]): Kept but worth knowing.

    Raises:
        ValueError: The annotations are unusable.
        FileNotFoundError: The annotation file or images are missing.
    """

    METAINFO = dict(classes=('person',), palette=[(220, 20, 60)])

    def __init__(
        self, *args, check_images: bool = True, needs_area: bool = True, **kwargs
    ):
        self.check_images = check_images
        self.needs_area = needs_area
        self.skipped = Counter()
        self.noted = Counter()
        super().__init__(*args, **kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: dict | None = None) -> dict:
        skeleton = dict(metainfo or {})
        detection = {key: skeleton.pop(key) for key in cls.METAINFO if key in skeleton}
        parsed = parse_pose_metainfo(skeleton or PoseCocoDataset.METAINFO)
        return super()._load_metainfo(detection) | parsed

    def COCOAPI(self, path: str) -> COCO:
        """Read the file by upstream's class, and check what it read."""
        return load_checked(
            lambda: COCO(path), lambda coco: coco.dataset, self._check, self.ann_file
        )

    def _check(self, content) -> None:
        # files for test servers have no people
        annotated = isinstance(content, dict) and 'annotations' in content
        self.noted += check_annotations(
            content,
            self.ann_file,
            self.metainfo['num_keypoints'],
            evaluated=self.test_mode,
            with_people=annotated or not self.test_mode,
            with_area=self.needs_area,
        )
        self.noted += check_keypoint_names(content, self.ann_file, self.metainfo)
        self._name_classes(content)

    def _name_classes(self, content: dict) -> None:
        """Let the first class be the category with keypoints, and check the others.

        MMDetection orders labels as the file its categories, whatever ``classes`` says.
        """
        first, *others = self._metainfo['classes']
        category = choose_category(content, self.ann_file, first)
        classes = (category['name'], *others)
        names = [c['name'] for c in content['categories'] if c['name'] in classes]
        if names != list(classes):
            raise ValueError(
                f'{self.ann_file}: `classes` of `metainfo` should name categories of '
                f'the file in its order, found {shown(list(classes))}'
            )
        self._metainfo.update(classes=classes, category=category)

    def load_data_list(self) -> list[dict]:
        self.skipped.clear()
        self.noted.clear()
        return super().load_data_list()

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Upstream's sample, made of one person at a time to add the keypoints."""
        image, people = raw_data_info['raw_img_info'], raw_data_info['raw_ann_info']
        info = super().parse_data_info(dict(raw_img_info=image, raw_ann_info=[]))
        nobody = [0] * (3 * self.metainfo['num_keypoints'])
        for person in people:
            if 'bbox' not in person:
                self.skipped['people without box'] += 1
                continue
            _, _, width, height = person['bbox']
            person = dict(area=width * height) | person
            alone = dict(raw_img_info=image, raw_ann_info=[person])
            instances = super().parse_data_info(alone)['instances']
            if not instances:
                self.skipped[self._reason(person)] += 1
            for instance in instances:
                instance['keypoints'] = person.get('keypoints') or nobody
            info['instances'] += instances
        return info

    def _reason(self, person: dict) -> str:
        """Why upstream leaves out a person."""
        if person.get('ignore', False):
            return 'people to be ignored'
        if person['category_id'] not in self.cat_ids:
            return 'people of other categories'
        if person['area'] <= 0:
            return 'people without area'
        return 'boxes under a pixel or outside the image'

    def filter_data(self) -> list[dict]:
        """Filter, and say in one line of the log what was left out, of the file too."""
        data_list = super().filter_data()
        filtered = len(self.data_list) - len(data_list)
        if filtered:
            self.skipped['images that are small or without people'] = filtered
        summary = f'{self.ann_file}: ' + summarize(
            f'{len(data_list)} images', self.skipped, self.noted
        )
        expected = self.skipped or not self.test_mode
        if expected and not any(info['instances'] for info in data_list):
            raise ValueError(f'no usable person in {summary}')
        if self.check_images:
            require_images((info['img_path'] for info in data_list), self.ann_file)
        print_log(summary, logger='current')
        return data_list

    def get_data_info(self, idx: int) -> dict:
        info = super().get_data_info(idx)
        info['flip_indices'] = self.metainfo['flip_indices']
        return info
