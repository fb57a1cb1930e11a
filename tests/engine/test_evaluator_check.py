"""Evaluators of several data sets: each metric knows its own images."""

import types

import pytest
from mmdet.evaluation import MultiDatasetsEvaluator
from mmengine.evaluator import BaseMetric
from mmpose.evaluation import MultiDatasetEvaluator

from ogn_mm.engine.evaluator_check import check_coverage, check_images


class Metric(BaseMetric):
    """Of annotations that have some images."""

    def __init__(self, *ids):
        super().__init__()
        self.ann_file = f'{ids[0]}.json'
        self.coco = types.SimpleNamespace(
            imgs={i: dict(file_name=f'{i}.jpg') for i in ids}
        )

    def process(self, data_batch, data_samples):
        pass

    def compute_metrics(self, results):
        pass


class Samples(list):
    """Two data sets, of images 0 to 2 and 10, 11."""

    cumulative_sizes = (3, 5)

    def __init__(self):
        super().__init__(
            dict(img_id=i, img_path=f'images/{i}.jpg', dataset_name=name)
            for i, name in (*((i, 'coco') for i in range(3)), (10, 'aic'), (11, 'aic'))
        )

    def get_data_info(self, index):
        return dict(self[index])


def loop_of(evaluator):
    dataloader = types.SimpleNamespace(dataset=Samples())
    return types.SimpleNamespace(dataloader=dataloader, evaluator=evaluator)


COCO, AIC = Metric(0, 1, 2), Metric(10, 11)
TYPES = [dict(type='CocoDataset'), dict(type='AicDataset')]


def of_mmpose(*metrics):
    return MultiDatasetEvaluator(list(metrics), TYPES)


def of_mmdet(*metrics):
    return MultiDatasetsEvaluator(list(metrics), ['one', 'two'])


@pytest.mark.parametrize('evaluator', [of_mmpose, of_mmdet])
def test_each_metric_has_its_own_images(evaluator):
    check_images(loop_of(evaluator(COCO, AIC)), 'test')
    for metrics in ((AIC, COCO), (COCO, COCO)):
        with pytest.raises(
            ValueError, match=r'`ann_file` of `test_evaluator` has no im'
        ):
            check_images(loop_of(evaluator(*metrics)), 'test')


def test_data_sets_of_one_name():
    """MMPose would give all samples to the last one's metric."""
    evaluator = MultiDatasetEvaluator([COCO, AIC], TYPES[:1] * 2)
    message = '`val_evaluator` has 2 metrics, and tells .* `dataset_name` .*: coco$'
    with pytest.raises(ValueError, match=message):
        check_images(loop_of(evaluator), 'val')


def test_data_set_without_metric():
    """MMPose would leave its samples out."""
    evaluator = MultiDatasetEvaluator([COCO], TYPES[:1])
    with pytest.raises(
        ValueError, match='has no metric for `aic`, as `val_dataloader`'
    ):
        check_images(loop_of(evaluator), 'val')


def test_model_that_renames_data_sets():
    """By its own metainfo, which MMPose gives to every sample."""
    with pytest.raises(ValueError, match=r'0\.json: .* has no image under id 10'):
        check_images(loop_of(of_mmpose(COCO, AIC)), 'val', 'coco')


class People(list):
    """Samples of people of annotated boxes, an image each."""

    bbox_file = None

    def get_data_info(self, index):
        person = self[index]
        image = person['image_id']
        return dict(img_id=image, img_path=f'{image}.jpg', raw_ann_info=person)


def person(number, image, *place):
    return dict(id=number, image_id=image, keypoints=[*place, 2])


def loop_of_people(people, annotated):
    metric = Metric(*range(5))
    metric.coco.anns = {one['id']: one for one in annotated}
    return types.SimpleNamespace(
        dataloader=types.SimpleNamespace(dataset=People(people)),
        evaluator=types.SimpleNamespace(metrics=[metric]),
    )


def test_other_people_under_the_same_ids():
    """As of generated data sets, which all count alike."""
    people = [person(1, 0, 5, 5), person(2, 1, 7, 7)]
    check_images(loop_of_people(people, people), 'val')
    for other in (person(2, 1, 9, 9), person(2, 3, 7, 7), person(6, 1, 7, 7)):
        with pytest.raises(ValueError, match='annotation 2 .*these are other people'):
            check_images(loop_of_people(people, [people[0], other]), 'val')


def test_images_that_a_test_leaves_out_are_told():
    people = [person(number, number, 5, 5) for number in range(4)]
    nobody = dict(person(9, 4, 0, 0), keypoints=[0, 0, 0])
    assert check_coverage(loop_of_people(people, [*people, nobody]), 'val') is None
    sentence = check_coverage(loop_of_people(people[:3], people), 'val')
    assert 'of 4 annotated images `val_dataloader` has 3;' in sentence
    loop = loop_of_people(people[:3], people)
    loop.dataloader.dataset.bbox_file = 'found.json'
    assert check_coverage(loop, 'val') is None
