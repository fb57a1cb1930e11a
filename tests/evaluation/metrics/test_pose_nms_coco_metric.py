import json
from pathlib import Path

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import pytest
import xtcocotools.coco
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation import CocoMetric
from mmpose.registry import METRICS

from ogn_mm.engine.launch import OGNRunner
from ogn_mm.evaluation.metrics import PoseNMSCocoMetric

ROOT = Path(__file__).parents[3]
DEMO = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
NUM_KEYPOINTS = 17


def data_sample(index, image, keypoints, scores, box, box_score):
    """A top-down model's prediction, one pose, as it reaches the metric."""
    box = np.array([box], np.float32)
    return dict(
        id=index,
        img_id=image,
        pred_instances=dict(
            keypoints=np.array([keypoints], np.float32),
            keypoint_scores=np.array([scores], np.float32),
            bboxes=box,
            bbox_scores=np.array([box_score], np.float32),
        ),
        gt_instances=dict(bbox_scales=1.25 * (box[:, 2:] - box[:, :2])),
    )


def random_scene(num_images, seed=0):
    """People as COCO annotations, and several predictions of each, in random order.

    The last image is empty; nobody is found in the one before.
    """
    rng = np.random.default_rng(seed)
    images = [dict(id=3 * i + 7, width=300, height=300) for i in range(num_images)]
    people, samples = [], []
    for image in images[:-1]:
        for _ in range(rng.integers(1, 4)):
            corner, size = rng.uniform(0, 150, 2), rng.uniform(40, 150, 2)
            xy = corner + rng.random((NUM_KEYPOINTS, 2)) * size
            keypoints = np.c_[xy, np.full(NUM_KEYPOINTS, 2)]
            people.append(
                dict(
                    id=len(people) + 1,
                    image_id=image['id'],
                    category_id=1,
                    iscrowd=0,
                    area=float(size.prod()),
                    bbox=[*corner, *size],
                    num_keypoints=NUM_KEYPOINTS,
                    keypoints=keypoints.ravel().tolist(),
                )
            )
            for _ in range(rng.integers(1, 5) if image is not images[-2] else 0):
                spread = rng.uniform(0, 0.1) * size
                box = np.r_[corner, corner + size] + rng.normal(0, 0.1 * size.min(), 4)
                scores = rng.choice([0.1, 0.2, 0.5, 0.9], NUM_KEYPOINTS)
                box_score = rng.integers(1, 9) / 8  # with ties
                found = xy + rng.normal(0, 1, xy.shape) * spread
                args = (image['id'], found, scores, box, box_score)
                samples.append(data_sample(len(samples), *args))
    order = rng.permutation(len(samples))
    category = dict(id=1, name='person')
    truth = dict(images=images, annotations=people, categories=[category])
    return truth, [samples[i] for i in order]


@pytest.fixture(scope='module')
def scene(tmp_path_factory):
    """Annotation file and predictions."""
    truth, samples = random_scene(12)
    path = tmp_path_factory.mktemp('scene') / 'truth.json'
    path.write_text(json.dumps(truth))
    return str(path), samples


def evaluate(metric, samples):
    metric.dataset_meta = parse_pose_metainfo(CocoDataset.METAINFO)
    for sample in samples:
        metric.process({}, [sample])
    return metric.evaluate(len(samples))


def run(metric_class, scene, folder, samples=None, **options):
    """The metric's figures and its result file's content."""
    ann_file, found = scene
    prefix = str(folder / metric_class.__name__)
    metric = metric_class(ann_file, outfile_prefix=prefix, **options)
    figures = evaluate(metric, found if samples is None else samples)
    return figures, json.loads(Path(f'{prefix}.keypoints.json').read_text())


def bottom_up_sample(image, samples):
    """One sample of several poses, whose ids are a list."""
    fields = [sample['pred_instances'] for sample in samples]
    together = {
        key: np.concatenate([field[key] for field in fields]) for key in fields[0]
    }
    ids = [sample['id'] for sample in samples]
    return dict(id=ids, img_id=image, pred_instances=together, gt_instances={})


@pytest.mark.parametrize(
    'score_mode', ['bbox', 'bbox_keypoint', 'bbox_rle', 'keypoint']
)
@pytest.mark.parametrize(
    'options',
    [
        dict(nms_mode='oks_nms'),
        dict(nms_mode='oks_nms', nms_thr=0.5),
        dict(nms_mode='soft_oks_nms'),
        dict(nms_mode='none'),
    ],
)
def test_mmposes_modes(scene, tmp_path, score_mode, options):
    """Figures and results are those of CocoMetric to the last digit."""
    options = dict(options, score_mode=score_mode)
    theirs = run(CocoMetric, scene, tmp_path, **options)
    assert 0.1 < theirs[0]['coco/AP'] < 1
    assert run(PoseNMSCocoMetric, scene, tmp_path, **options) == theirs


def test_repeated_samples_and_several_poses_a_sample(scene, tmp_path):
    ann_file, samples = scene
    by_image = {}
    for sample in samples:
        by_image.setdefault(sample['img_id'], []).append(sample)
    bottom_up = [bottom_up_sample(*entry) for entry in by_image.items()]
    for found in (samples + samples[:5], bottom_up):
        theirs, ours = (
            run(metric, scene, tmp_path, samples=found, nms_mode='oks_nms')
            for metric in (CocoMetric, PoseNMSCocoMetric)
        )
        assert ours == theirs


def test_nobody_found(scene, tmp_path):
    sample = bottom_up_sample(scene[1][0]['img_id'], scene[1][:1])
    for field, values in sample['pred_instances'].items():
        sample['pred_instances'][field] = values[:0]
    figures, results = run(PoseNMSCocoMetric, scene, tmp_path, samples=[sample])
    assert results == [] and figures['coco/AP'] == 0


PEOPLE = [
    # keypoints at, box, box score
    (20, (0, 0, 10, 10), 1),
    (900, (0, 0, 10, 8), 0.75),  # the first one's box
    (20, (0, 0, 10, 5), 0.5),  # the first one's pose
    (500, (50, 50, 60, 60), 0.25),  # somebody else
]


@pytest.mark.parametrize(
    'options, kept',
    [
        (dict(), [1, 0.25]),
        (dict(combine='and'), [1, 0.75, 0.5, 0.25]),
        (dict(iou_thr=0.9), [1, 0.75, 0.25]),
        (dict(nms_thr=1), [1, 0.5, 0.25]),
        (dict(nms_mode='oks_nms'), [1, 0.75, 0.25]),
        (dict(nms_mode='none'), [1, 0.75, 0.5, 0.25]),
    ],
)
def test_poses_kept_and_their_scores(scene, tmp_path, options, kept):
    """Scores are box score times the mean of the keypoint scores above 0.2."""
    keypoint_scores = np.r_[[0.1] * 7, [0.25] * 5, [0.75] * 5]
    samples = [
        data_sample(i, 7, np.full((NUM_KEYPOINTS, 2), at), keypoint_scores, box, score)
        for i, (at, box, score) in enumerate(PEOPLE)
    ]
    _, results = run(PoseNMSCocoMetric, scene, tmp_path, samples=samples, **options)
    assert [result['score'] for result in results] == [0.5 * score for score in kept]


def test_format_only(scene, tmp_path):
    """The file is what COCO's server takes, and its own code scores it alike."""
    ann_file, samples = scene
    figures, _ = run(PoseNMSCocoMetric, scene, tmp_path)
    nothing, results = run(PoseNMSCocoMetric, scene, tmp_path, format_only=True)
    assert nothing == {} and results
    for result in results:
        assert set(result) == {'image_id', 'category_id', 'keypoints', 'score'}
        assert type(result['image_id']) is type(result['category_id']) is int
        assert type(result['score']) is float
        assert len(result['keypoints']) == 3 * NUM_KEYPOINTS
        assert np.isfinite(result['keypoints']).all()

    file = str(tmp_path / 'PoseNMSCocoMetric.keypoints.json')
    theirs, official = (
        module.coco.COCO(ann_file) for module in (xtcocotools, pycocotools)
    )
    assert len(theirs.loadRes(file).anns) == len(results)
    scored = pycocotools.cocoeval.COCOeval(
        official, official.loadRes(file), 'keypoints'
    )
    scored.evaluate()
    scored.accumulate()
    scored.summarize()
    assert scored.stats[0] == pytest.approx(figures['coco/AP'], abs=1e-6)


def test_counts_are_logged(scene, tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr(
        'ogn_mm.evaluation.metrics.pose_nms_coco_metric.print_log',
        lambda message, logger: messages.append(message),
    )
    _, results = run(PoseNMSCocoMetric, scene, tmp_path)
    total, kept, images = len(scene[1]), len(results), 10
    assert messages == [
        f'Pose NMS kept {kept} of {total} poses in {images} images, '
        f'{kept / images:.1f} of {total / images:.1f} an image'
    ]


def three_boxes_a_person(root):
    """Detections of every person of the generated data set's val split."""
    truth = json.loads((root / 'annotations/val.json').read_text())
    rng = np.random.default_rng(0)
    detections = []
    for person in truth['annotations']:
        for _ in range(3):
            box = np.add(person['bbox'], rng.uniform(0, 4, 4))
            detections.append(
                dict(
                    image_id=person['image_id'],
                    category_id=1,
                    bbox=box.tolist(),
                    score=float(rng.uniform(0.1, 1)),
                )
            )
    return detections


def test_boxes_of_a_top_down_model_are_the_detectors(generated_people, tmp_path):
    """Through a config and the Runner: neither padded nor extended, none is lost."""
    detections = three_boxes_a_person(generated_people)
    bbox_file = tmp_path / 'detections.json'
    bbox_file.write_text(json.dumps(detections))
    init_default_scope('mmpose')
    config = Config.fromfile(DEMO)
    config.work_dir = str(tmp_path)
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    config.test_dataloader.dataset.update(
        data_root=str(generated_people), bbox_file=str(bbox_file)
    )
    config.test_evaluator = dict(
        type='PoseNMSCocoMetric',
        ann_file=str(generated_people / 'annotations/val.json'),
        nms_mode='none',
        outfile_prefix=str(tmp_path / 'results'),
    )
    figures = OGNRunner.from_cfg(config).test()
    assert np.isfinite(figures['coco/AP'])

    results = json.loads((tmp_path / 'results.keypoints.json').read_text())
    found, expected = (
        sorted((entry['image_id'], *entry['bbox']) for entry in entries)
        for entries in (results, detections)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_registered(scene):
    metric = METRICS.build(dict(type='PoseNMSCocoMetric', ann_file=scene[0]))
    assert (metric.nms_thr, metric.iou_thr, metric.combine) == (0.75, 0.6, 'or')


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(nms_mode='nms'), "one of oks_iou_nms, .*, none, but is 'nms'"),
        (dict(score_mode='pose'), '`score_mode` should be one of'),
        (dict(iou_thr=60), r'`iou_thr` should be in \[0, 1\] or None, but is 60'),
        (dict(nms_thr=-1), '`nms_thr` should be in'),
        (dict(combine='xor'), '`combine` should be'),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        PoseNMSCocoMetric(**options)


@pytest.mark.parametrize(
    'field, value',
    [
        ('keypoints', np.nan),
        ('keypoint_scores', np.inf),
        ('bbox_scores', np.nan),
        ('bboxes', np.nan),
    ],
)
def test_predictions_that_are_not_finite(scene, field, value):
    _, samples = random_scene(4)
    samples[0]['pred_instances'][field][0] = value
    sample = f'sample {samples[0]["id"]} in image {samples[0]["img_id"]}'
    with pytest.raises(ValueError, match=f'{sample}: `{field[:4]}.*` should be finite'):
        PoseNMSCocoMetric(scene[0]).process({}, samples)


def test_poses_without_boxes(scene):
    _, samples = random_scene(4)
    for sample in samples:
        del sample['pred_instances']['bboxes']
    PoseNMSCocoMetric(scene[0], nms_mode='oks_nms').process({}, samples)
    with pytest.raises(ValueError, match='no `bboxes`, which the IoU of poses needs'):
        PoseNMSCocoMetric(scene[0]).process({}, samples)


def test_poses_that_would_be_lost(scene):
    sample = bottom_up_sample(7, scene[1][:3])
    PoseNMSCocoMetric(scene[0]).process({}, [sample])
    sample['id'] = 5
    with pytest.raises(ValueError, match='sample 5 in image 7: 3 poses share one `id`'):
        PoseNMSCocoMetric(scene[0]).process({}, [sample])


@pytest.mark.parametrize('score', [0, -0.3])
def test_poses_without_a_positive_score_count(scene, tmp_path, score):
    """A network's heatmaps may be 0 or less all over."""
    ann_file, samples = scene
    options = dict(score_mode='bbox', nms_mode='none')
    expected, poses = run(PoseNMSCocoMetric, scene, tmp_path, **options)
    found = []
    for sample in samples:
        low = np.full_like(sample['pred_instances']['keypoint_scores'], score)
        instances = dict(sample['pred_instances'], keypoint_scores=low)
        found.append(dict(sample, pred_instances=instances))
    figures, kept = run(PoseNMSCocoMetric, scene, tmp_path, found, **options)
    assert figures == expected and figures['coco/AP'] > 0.1
    # the file keeps what the network gave
    thirds = {value for pose in kept for value in pose['keypoints'][2::3]}
    assert thirds == {float(np.float32(score))}
    assert [pose['score'] for pose in kept] == [pose['score'] for pose in poses]
