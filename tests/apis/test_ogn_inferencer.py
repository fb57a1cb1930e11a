"""The inferencer: boxes are chosen by a filter, poses by NMS, nothing gets lost."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmengine.structures import InstanceData
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from mmpose.registry import MODELS

from ogn_mm.apis import KeypointDetectionInferencer, OGNInferencer, list_images
from ogn_mm.apis.ogn_inferencer import find_model
from ogn_mm.evaluation.functional import pose_nms, pose_scores

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'
# Two people; the first has three boxes, of which greedy box generation keeps all and
# NMS at MMPose's 0.3 one. The last is another class.
BOXES = [
    [20.0, 10.0, 70.0, 110.0, 0.9],
    [21.0, 10.0, 71.0, 111.0, 0.85],
    [19.0, 9.0, 69.0, 110.0, 0.2],
    [90.0, 20.0, 130.0, 110.0, 0.95],
    [90.0, 20.0, 130.0, 110.0, 0.99],
]
LABELS = [0, 0, 0, 0, 7]


class FakeDetector:
    """Always finds the same boxes."""

    def __init__(self, boxes=BOXES, labels=LABELS):
        boxes = torch.tensor(boxes).reshape(-1, 5)
        self.found = InstanceData(
            bboxes=boxes[:, :4], scores=boxes[:, 4], labels=torch.tensor(labels)
        )

    def __call__(self, image, return_datasamples):
        sample = DetDataSample()
        sample.pred_instances = self.found
        return dict(predictions=[sample])


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    init_default_scope('mmpose')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    path = tmp_path_factory.mktemp('inferencer') / 'ogn.pth'
    save_checkpoint(dict(state_dict=model.state_dict(), meta={}), str(path))
    return str(path)


@pytest.fixture
def build(checkpoint):
    def build(detector=None, **kwargs):
        inferencer = OGNInferencer(
            str(CONFIG), checkpoint, device='cpu', det_model='whole_image', **kwargs
        )
        inferencer.detector = detector
        # `Pose2DInferencer` sets it together with the detector
        inferencer.det_cat_ids = (0,)
        return inferencer

    return build


@pytest.fixture(scope='module')
def image(generated_people):
    return min((generated_people / 'images/val').iterdir())


def infer(inferencer, inputs, **kwargs):
    results = inferencer(inputs, return_datasamples=True, **kwargs)
    return [result['predictions'][0].pred_instances for result in results]


def boxes_of(poses):
    return sorted(np.c_[poses.bboxes, poses.bbox_scores].round(2).tolist())


NO_NMS = dict(oks_thr=1.0, iou_thr=1.0)


def test_box_filters_choose_the_boxes(build, image):
    """The person class alone; all of its boxes, or what a filter of them keeps."""
    detector = FakeDetector()
    for box_filter, expected in (
        (None, BOXES[:4]),
        (
            dict(type='mmdet.GreedyBoxGeneration', top_n=2),
            [BOXES[i] for i in (0, 1, 3)],
        ),
        (dict(type='mmdet.BoxNMS', iou_threshold=0.3), [BOXES[0], BOXES[3]]),
    ):
        inferencer = build(detector, box_filter=box_filter, pose_nms_cfg=NO_NMS)
        (poses,) = infer(inferencer, str(image))
        np.testing.assert_allclose(boxes_of(poses), sorted(expected), atol=1e-2)
    (poses,) = infer(inferencer, str(image), bbox_thr=0.92)
    np.testing.assert_allclose(boxes_of(poses), [BOXES[3]], atol=1e-2)


def test_poses_are_those_of_the_model_scored_and_thinned_out(build, checkpoint, image):
    pixels = cv2.imread(str(image))
    (poses,) = infer(build(FakeDetector()), pixels)
    model = init_model(str(CONFIG), checkpoint, device='cpu')
    boxes = np.array(BOXES[:4])
    each = [
        sample.pred_instances
        for sample in inference_topdown(model, pixels, boxes[:, :4])
    ]
    keypoints = np.concatenate([found.keypoints for found in each])
    scores = boxes[:, 4] * pose_scores(
        np.concatenate([found.keypoint_scores for found in each])
    )
    # padding, then extension to 3:4
    width, height = 1.25 * (boxes[:, 2:4] - boxes[:, :2]).T
    areas = np.maximum(width, height * 0.75) ** 2 / 0.75
    kept = pose_nms(keypoints, scores, areas, boxes[:, :4])
    assert len(kept) < 4
    np.testing.assert_allclose(poses.keypoints, keypoints[kept], atol=1e-2)
    np.testing.assert_allclose(poses.pose_scores, scores[kept], rtol=1e-4)
    assert (np.diff(poses.pose_scores) <= 0).all()


def test_people_come_in_batches(build, image):
    """The same poses from batches of three, with the image read once."""
    detector = FakeDetector(BOXES[:4] * 2, LABELS[:4] * 2)
    sizes = []
    inferencer = build(detector, people_per_batch=3, pose_nms_cfg=NO_NMS)
    test_step = inferencer.model.test_step
    inferencer.model.test_step = lambda batch: (
        sizes.append(len(batch['inputs'])) or test_step(batch)
    )
    (found,) = infer(inferencer, str(image))
    assert sizes == [3, 3, 2]
    (expected,) = infer(build(detector, pose_nms_cfg=NO_NMS), str(image))
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=1e-3)


def test_nobody_found_is_no_pose(build, image, tmp_path):
    inferencer = build(FakeDetector([], []))
    (poses,) = infer(inferencer, str(image), vis_out_dir=str(tmp_path), draw_bbox=True)
    assert poses.keypoints.shape == (0, 17, 2)
    drawn = cv2.imread(str(tmp_path / image.name))
    assert drawn.shape == cv2.imread(str(image)).shape


def test_given_boxes_and_the_whole_image(build, image):
    boxes = np.array(BOXES[3:4], np.float32)
    (given,) = infer(build(FakeDetector()), str(image), bboxes=[boxes])
    np.testing.assert_allclose(boxes_of(given), [BOXES[3]], atol=1e-2)
    (whole,) = infer(build(), str(image))
    height, width = cv2.imread(str(image)).shape[:2]
    assert boxes_of(whole) == [[0, 0, width, height, 1]]


def test_pictures_show_poses_above_the_threshold(build, image, tmp_path):
    inferencer = build(FakeDetector())
    for threshold, changed in ((0.0, True), (1.1, False)):
        folder = tmp_path / f'{changed}'
        results = inferencer(
            str(image),
            pose_thr=threshold,
            draw_bbox=True,
            return_vis=True,
            vis_out_dir=str(folder),
        )
        (result,) = results
        difference = result['visualization'][0] != cv2.imread(str(image))[..., ::-1]
        assert difference.any() == changed
        assert (folder / image.name).exists()


def test_folder_and_video(build, image, tmp_path):
    """Images by name; other files are passed over, broken ones logged and counted."""
    folder = tmp_path / 'folder'
    folder.mkdir()
    for name in ('b.jpg', 'a.jpg'):
        (folder / name).write_bytes(image.read_bytes())
    (folder / 'aa.png').write_bytes(b'')
    (folder / 'notes').write_text('text')
    assert [Path(path).name for path in list_images(str(folder))] == [
        *('a.jpg', 'aa.png', 'b.jpg')
    ]
    inferencer = build(FakeDetector())
    results = inferencer(str(folder), return_datasamples=True)
    names = [Path(result['predictions'][0].img_path).name for result in results]
    assert names == ['a.jpg', 'b.jpg']
    assert inferencer.skipped == [str(folder / 'aa.png')]

    video, pixels = tmp_path / 'video.mp4', cv2.imread(str(image))
    size = pixels.shape[1::-1]
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'mp4v'), 5, size)
    for _ in range(3):
        writer.write(pixels)
    writer.release()
    poses = infer(inferencer, str(video), vis_out_dir=str(tmp_path / 'drawn'))
    assert len(poses) == 3
    drawn = cv2.VideoCapture(str(tmp_path / 'drawn/video.mp4'))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 3


def test_what_cannot_be_read_is_an_error(build, tmp_path):
    inferencer = build()
    broken, text = tmp_path / 'broken.jpg', tmp_path / 'notes.txt'
    broken.write_bytes(b'nothing')
    text.write_text('text')
    empty = tmp_path / 'empty'
    empty.mkdir()
    video = tmp_path / 'video.mp4'
    video.write_bytes(b'nothing')
    for inputs, message in (
        (broken, 'broken.jpg: is not an image that can be read'),
        (text, 'notes.txt: is neither an image nor a video'),
        (empty, 'empty: holds no image'),
        (video, 'video.mp4: cannot be opened as a video'),
    ):
        with pytest.raises(ValueError, match=message):
            list(inferencer(str(inputs)))
    with pytest.raises(FileNotFoundError, match=r'x\.jpg: there is no such file'):
        list(inferencer(str(tmp_path / 'x.jpg')))
    with pytest.raises(ValueError, match='people_per_batch should be at least 1'):
        build(people_per_batch=0)


def test_the_program_in_a_checkpoint_is_not_run(checkpoint):
    for inferencer in (OGNInferencer, KeypointDetectionInferencer):
        with pytest.raises(ValueError, match='needs a `model`, a config'):
            inferencer(None, checkpoint, 'cpu')


def test_a_file_may_be_called_webcam(build, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('webcam_1.jpg').write_bytes(image.read_bytes())
    (poses,) = infer(build(), 'webcam_1.jpg')
    assert poses.keypoints.shape == (1, 17, 2)


def test_mmpose_inferencer_without_its_own_nms(build, checkpoint, image):
    """With these two arguments it keeps a filter's boxes, too."""
    inferencer = MMPoseInferencer(
        str(CONFIG), checkpoint, device='cpu', det_model='whole_image'
    )
    inferencer.inferencer.detector = FakeDetector()
    inferencer.inferencer.det_cat_ids = (0,)
    (kept,) = infer(inferencer, str(image), nms_thr=1.0, bbox_thr=0.0)
    np.testing.assert_allclose(boxes_of(kept), sorted(BOXES[:4]), atol=1e-2)
    (lost,) = infer(inferencer, str(image))
    assert len(lost.keypoints) == 2


def test_configs_by_name(checkpoint, image):
    """A config's name is enough, as is one of MMPose's models to its inferencers."""
    inferencer = OGNInferencer(CONFIG.stem, checkpoint, 'cpu', det_model='whole_image')
    assert Path(inferencer.cfg.filename).samefile(CONFIG)
    (poses,) = infer(inferencer, str(image))
    assert poses.keypoints.shape == (1, 17, 2)

    detector = 'faster-rcnn_r18-half_fpn_1xb4-5e_generated-crowds-240x320-raw'
    path = ROOT / f'configs/person_detector/{detector}.py'
    for name in (detector, f'{detector}.py', f'configs/person_detector/{detector}.py'):
        assert Path(find_model(name, 'mmdet')).samefile(path)
    for name, scope in (('human', 'mmpose'), ('RTMDet_tiny_8xb32-300e_coco', 'mmdet')):
        assert find_model(name, scope) == name
    assert find_model(None, 'mmpose') is None


def test_unknown_names_in_one_sentence(checkpoint):
    near = 'td-ogn_res50-2deconv_8xb8-22e_coco-256x192'
    for call in (
        lambda name: OGNInferencer(name, checkpoint, 'cpu'),
        lambda name: OGNInferencer(str(CONFIG), checkpoint, 'cpu', det_model=name),
        lambda name: KeypointDetectionInferencer(name, checkpoint, 'cpu'),
    ):
        with pytest.raises(FileNotFoundError) as error:
            call('td-ogn_res50-2deconv-coco-256x192')
        sentence = str(error.value)
        assert 'td-ogn_res50-2deconv-coco-256x192: there is no such config' in sentence
        assert f'; did you mean {near}' in sentence and '\n' not in sentence


def test_names_are_unique():
    """Those of the studies, which are no models, apart."""
    names = [
        path.stem
        for path in (ROOT / 'configs').glob('*/*.py')
        if path.parent.name not in ('_base_', 'studies')
    ]
    assert len(set(names)) == len(names) > 50
