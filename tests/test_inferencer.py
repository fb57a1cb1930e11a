"""MMPose's own inferencer works with our configs and checkpoints."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import save_checkpoint
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from mmpose.registry import MODELS

import ogn_mm  # noqa: F401

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    init_default_scope('mmpose')
    config = Config.fromfile(CONFIG)
    path = tmp_path_factory.mktemp('inferencer') / 'ogn.pth'
    model = MODELS.build(config.model)
    save_checkpoint(dict(state_dict=model.state_dict(), meta={}), str(path))
    return str(path)


@pytest.fixture(scope='module')
def image(generated_people):
    path = min((generated_people / 'images/val').iterdir())
    return str(path), cv2.imread(str(path))


def test_inferencer_agrees_with_the_model(checkpoint, image, tmp_path):
    """The same poses as ``inference_topdown``, also as heatmaps and pictures."""
    path, pixels = image
    inferencer = MMPoseInferencer(
        pose2d=str(CONFIG),
        pose2d_weights=checkpoint,
        det_model='whole_image',
        device='cpu',
        show_progress=False,
    )
    result = next(
        inferencer(path, return_datasamples=True, vis_out_dir=str(tmp_path), kpt_thr=0)
    )
    found = result['predictions'][0].pred_instances
    assert found.keypoints.shape == (1, 17, 2)
    assert (found.keypoint_scores >= 0).all() and (found.keypoint_scores <= 1).all()

    model = init_model(str(CONFIG), checkpoint, device='cpu')
    height, width = pixels.shape[:2]
    expected = inference_topdown(model, pixels, np.array([[0, 0, width, height]]))
    expected = expected[0].pred_instances
    np.testing.assert_allclose(found.keypoints, expected.keypoints, atol=1e-2)

    drawn = cv2.imread(str(next(tmp_path.rglob('*.*g'))))
    assert drawn.shape == pixels.shape and (drawn != pixels).any()


def test_heatmaps_of_one_person(checkpoint, image):
    """K heatmaps of the whole image, not the offsets."""
    model = init_model(
        str(CONFIG),
        checkpoint,
        device='cpu',
        cfg_options={'model.test_cfg.output_heatmaps': True},
    )
    heatmaps = inference_topdown(model, image[1])[0].pred_fields.heatmaps
    assert heatmaps.shape[0] == 17
