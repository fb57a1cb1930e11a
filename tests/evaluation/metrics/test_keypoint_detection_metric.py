"""Boxes and poses of the same predictions: the figures of MMDetection and MMPose."""

import json

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing
from mmdet.evaluation import CocoMetric as BoxMetric
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmpose.evaluation import CocoMetric as PoseMetric

from ogn_mm.datasets import CocoKeypointDetectionDataset
from ogn_mm.evaluation.metrics import KeypointDetectionMetric

K = 17
META = CocoKeypointDetectionDataset._load_metainfo()


def random_scene(num_images=10, category=1, seed=0):
    """People as COCO annotations, and predictions about them by image.

    The last image is empty; nobody is found in the one before. The first person of
    every other image has no keypoints.
    """
    rng = np.random.default_rng(seed)
    images = [dict(id=3 * i + 7, width=300, height=300) for i in range(num_images)]
    people, samples = [], []
    for image in images:
        found = []
        for i in range(rng.integers(1, 5) if image is not images[-1] else 0):
            corner, size = rng.uniform(0, 150, 2), rng.uniform(40, 150, 2)
            xy = corner + rng.random((K, 2)) * size
            flags = np.full(K, 0 if i == 0 and image['id'] % 2 else 2)
            people.append(
                dict(
                    id=len(people) + 1,
                    image_id=image['id'],
                    category_id=category,
                    iscrowd=0,
                    area=float(size.prod()),
                    bbox=[*corner, *size],
                    num_keypoints=int((flags > 0).sum()),
                    keypoints=np.c_[xy, flags].ravel().tolist(),
                )
            )
            for _ in range(rng.integers(0, 4)):
                shift = rng.normal(0, 0.05 * size.min(), 4)
                box = np.r_[corner, corner + size] + shift
                pose = xy + rng.normal(0, rng.uniform(0, 0.08), xy.shape) * size
                found.append((box, pose, rng.random(K), rng.random()))
        samples.append(to_sample(image['id'], found if image is not images[-2] else []))
    categories = [dict(id=category, name='person')]
    return dict(images=images, annotations=people, categories=categories), samples


def to_sample(img_id, found):
    """A detector's predictions in an image as they reach the metrics."""
    boxes, poses, keypoint_scores, scores = (
        zip(*found, strict=True) if found else [()] * 4
    )

    def tensor(values, *shape):
        array = np.array(values, np.float32)
        return torch.from_numpy(array).reshape(len(found), *shape)

    return dict(
        img_id=img_id,
        ori_shape=(300, 300),
        pred_instances=dict(
            bboxes=tensor(boxes, 4),
            scores=tensor(scores),
            labels=torch.zeros(len(found), dtype=torch.int64),
            keypoints=tensor(poses, K, 2),
            keypoint_scores=tensor(keypoint_scores, K),
        ),
    )


def write(content, folder):
    path = folder / 'truth.json'
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture(scope='module')
def scene(tmp_path_factory):
    """Annotation file and predictions."""
    truth, samples = random_scene()
    return write(truth, tmp_path_factory.mktemp('scene')), samples


def evaluate(metrics, samples):
    """Figures of metrics, or of their configs, in one run."""
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = META
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def bottom_up(sample):
    """The same predictions, written down by hand as MMPose's metric wants them."""
    found = {key: value.numpy() for key, value in sample['pred_instances'].items()}
    return dict(
        id=[None] * len(found['scores']),
        img_id=sample['img_id'],
        gt_instances={},
        pred_instances=found | dict(bbox_scores=found['scores']),
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(score_mode='bbox_keypoint', nms_mode='oks_nms', nms_thr=0.9),
        dict(score_mode='keypoint', nms_mode='soft_oks_nms'),
    ],
    ids=str,
)
def test_figures_are_those_of_mmdet_and_mmpose(scene, options):
    ann_file, samples = scene
    both = evaluate(
        [
            dict(type='mmdet.CocoMetric', ann_file=ann_file),
            dict(type='KeypointDetectionMetric', ann_file=ann_file, **options),
        ],
        samples,
    )
    boxes = evaluate(BoxMetric(ann_file), samples)
    options = dict(score_mode='bbox', nms_mode='none') | options
    poses = evaluate(
        PoseMetric(ann_file=ann_file, **options),
        [bottom_up(sample) for sample in samples],
    )
    assert both == boxes | poses
    assert 0.05 < both['coco/AP'] < 0.95 and 0.05 < both['coco/bbox_mAP'] < 0.95


def test_in_mmdets_scope(scene):
    ann_file, samples = scene
    init_default_scope('mmdet')
    config = [
        dict(type='CocoMetric', ann_file=ann_file, metric='bbox'),
        dict(type='mmpose.KeypointDetectionMetric', ann_file=ann_file),
    ]
    assert {'coco/AP', 'coco/bbox_mAP'} <= evaluate(config, samples).keys()


def perfect(truth):
    """Each annotated person as a prediction."""
    samples = []
    for image in truth['images']:
        people = [p for p in truth['annotations'] if p['image_id'] == image['id']]
        found = []
        for p in people:
            x, y, w, h = p['bbox']
            pose = np.reshape(p['keypoints'], (K, 3))[:, :2]
            found.append(([x, y, x + w, y + h], pose, np.ones(K), 1))
        samples.append(to_sample(image['id'], found))
    return samples


@pytest.mark.parametrize('category', [1, 5])
def test_people_without_keypoints_count_for_boxes_alone(tmp_path, category):
    truth, _ = random_scene(category=category)
    ann_file = write(truth, tmp_path)
    samples = perfect(truth)
    config = [
        dict(type='mmdet.CocoMetric', ann_file=ann_file),
        dict(type='KeypointDetectionMetric', ann_file=ann_file),
    ]
    figures = evaluate(config, samples)
    assert figures['coco/AP'] == pytest.approx(1)
    assert figures['coco/bbox_mAP'] == pytest.approx(1, abs=1e-3)
    # poses of people without keypoints are neither right nor wrong
    labelled = {
        tuple(p['bbox'][:2]) for p in truth['annotations'] if p['num_keypoints']
    }
    for sample in samples:
        found = sample['pred_instances']
        kept = [tuple(box[:2]) for box in found['bboxes'].tolist()]
        near = [
            any(np.allclose(corner, other) for other in labelled) for corner in kept
        ]
        sample['pred_instances'] = {
            key: value[torch.tensor(near, dtype=torch.bool)]
            for key, value in found.items()
        }
    figures = evaluate(config, samples)
    assert figures['coco/AP'] == pytest.approx(1)
    assert figures['coco/bbox_mAP'] < 0.9


def test_other_classes_are_no_people(scene):
    ann_file, samples = scene
    expected = evaluate(KeypointDetectionMetric(ann_file), samples)
    more = []
    for sample in samples:
        found = {
            key: torch.cat([value, value])
            for key, value in sample['pred_instances'].items()
        }
        half = len(found['labels']) // 2
        found['labels'][half:] = 1
        found['scores'][half:] = 1
        more.append(sample | dict(pred_instances=found))
    assert evaluate(KeypointDetectionMetric(ann_file), more) == expected


def test_one_category_of_any_id_and_name(scene, tmp_path):
    """Class 'person', MMDetection's default, is the only one with keypoints."""
    ann_file, samples = scene
    truth, _ = random_scene(category=5)
    truth['categories'][0]['name'] = 'dancer'
    expected = evaluate(KeypointDetectionMetric(ann_file), samples)
    found = evaluate(KeypointDetectionMetric(write(truth, tmp_path)), samples)
    assert found == expected
    assert 0 < found['coco/AP'] < 1


def test_file_for_a_test_server(tmp_path):
    truth, samples = random_scene(category=5)
    del truth['annotations']
    options = dict(format_only=True, outfile_prefix=str(tmp_path / 'found'))
    metric = KeypointDetectionMetric(write(truth, tmp_path), **options)
    assert evaluate(metric, samples) == {}
    poses = json.loads((tmp_path / 'found.keypoints.json').read_text())
    assert len(poses) == sum(len(s['pred_instances']['scores']) for s in samples)
    for pose in poses:
        assert pose.keys() == {'image_id', 'category_id', 'keypoints', 'score'}
        assert pose['category_id'] == 5
    first = samples[0]['pred_instances']
    np.testing.assert_array_equal(poses[0]['keypoints'][:2], first['keypoints'][0, 0])
    assert poses[0]['score'] == first['scores'][0]


def test_nobody_found_is_an_ap_of_zero(scene):
    ann_file, samples = scene
    empty = [to_sample(sample['img_id'], []) for sample in samples]
    assert evaluate(KeypointDetectionMetric(ann_file), empty)['coco/AP'] == 0


def test_bad_predictions_are_told(scene, tmp_path):
    ann_file, samples = scene
    found = dict(samples[0]['pred_instances'])
    del found['keypoint_scores']
    with pytest.raises(ValueError, match=r'image 7: there is no `keypoint_scores`'):
        evaluate(
            KeypointDetectionMetric(ann_file), [dict(samples[0], pred_instances=found)]
        )
    found = dict(samples[0]['pred_instances'])
    found['keypoints'] = found['keypoints'] * np.nan
    with pytest.raises(ValueError, match='image 7: `keypoints` should be finite'):
        evaluate(
            KeypointDetectionMetric(ann_file), [dict(samples[0], pred_instances=found)]
        )


def test_the_class_of_people_may_have_another_name(scene, tmp_path):
    ann_file, samples = scene
    expected = evaluate(KeypointDetectionMetric(ann_file), samples)
    truth, _ = random_scene()
    truth['categories'][0]['name'] = 'dancer'
    named = evaluate(KeypointDetectionMetric(write(truth, tmp_path)), samples)
    assert named == expected


def evaluate_in_process(rank, ann_file, samples, folder):
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    metrics = [BoxMetric(ann_file), KeypointDetectionMetric(ann_file)]
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = META
    for sample in samples[rank::2]:
        evaluator.process([sample])
    figures = evaluator.evaluate(len(samples))
    (folder / f'{rank}.json').write_text(json.dumps(figures))
    dist.destroy_process_group()


def test_two_processes_give_the_same(scene, tmp_path):
    ann_file, samples = scene
    torch.multiprocessing.start_processes(
        evaluate_in_process,
        args=(ann_file, samples, tmp_path),
        nprocs=2,
        start_method='fork',  # the others import everything again
    )
    expected = evaluate(
        [BoxMetric(ann_file), KeypointDetectionMetric(ann_file)], samples
    )
    for rank in range(2):
        assert json.loads((tmp_path / f'{rank}.json').read_text()) == expected
