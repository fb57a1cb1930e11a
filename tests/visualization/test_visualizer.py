import matplotlib
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample
from packaging.version import Version

from ogn_mm.visualization import ArrayRadiusVisualizer


@pytest.mark.parametrize('backend', ['opencv', 'matplotlib'])
@pytest.mark.filterwarnings('ignore:Warning. The circle is out of bounds')
def test_a_dot_for_each_keypoint(backend):
    """Dots of the radius asked for, where the keypoints are, and nothing else."""
    visualizer = ArrayRadiusVisualizer(backend=backend, radius=3, alpha=1)
    visualizer.set_dataset_meta(
        parse_pose_metainfo(
            dict(
                dataset_name='two',
                keypoint_info={
                    0: dict(name='left', swap='', color=[255, 0, 0]),
                    1: dict(name='right', swap='', color=[0, 255, 0]),
                },
                skeleton_info={},
                joint_weights=[1.0] * 2,
                sigmas=[0.1] * 2,
            )
        )
    )
    poses = InstanceData(
        keypoints=np.array([[[10.0, 20.0], [30.0, 12.0]]]),
        keypoint_scores=np.ones((1, 2)),
    )
    drawn = visualizer.add_datasample(
        'image',
        np.zeros((40, 50, 3), np.uint8),
        PoseDataSample(pred_instances=poses),
        draw_gt=False,
        draw_bbox=False,
    )
    # figures of matplotlib 3.10 may be a pixel off
    old = backend == 'matplotlib' and Version(matplotlib.__version__) < Version('3.11')
    slack = 1.1 if old else 0.6
    for channel, (x, y) in ((0, (10, 20)), (1, (30, 12))):
        rows, columns = np.nonzero(drawn[..., channel] > 127)
        assert abs(rows.mean() - y) < slack and abs(columns.mean() - x) < slack
        # within pi * 3 ** 2 and, as matplotlib adds a line around it, pi * 5 ** 2
        assert 25 < len(rows) < 79
    assert not drawn[..., 2].any()
