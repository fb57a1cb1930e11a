import numpy as np
import pytest
import torch
from mmdet.registry import VISUALIZERS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ogn_mm.datasets import CocoKeypointDetectionDataset
from ogn_mm.visualization import KeypointDetectionVisualizer

GREY = np.full((200, 300, 3), 127, np.uint8)


@pytest.fixture
def visualizer():
    built = VISUALIZERS.build(
        dict(type='mmdet.KeypointDetectionVisualizer', name='people')
    )
    assert type(built) is KeypointDetectionVisualizer
    built.dataset_meta = CocoKeypointDetectionDataset._load_metainfo()
    return built


def people(scores, visible=True):
    """A row of stick figures, each 40 pixels wide; all keypoints score alike."""
    number = len(scores)
    x = torch.arange(number)[:, None] * 60 + 20
    y = torch.linspace(40, 160, 17).expand(number, 17)
    corners = [
        x[:, 0],
        torch.full((number,), 30),
        x[:, 0] + 40,
        torch.full((number,), 170),
    ]
    return InstanceData(
        bboxes=torch.stack(corners, 1).float(),
        labels=torch.zeros(number, dtype=torch.int64),
        scores=torch.ones(number),
        keypoints=torch.stack([x + 20.0 + 10 * (torch.arange(17) % 2), y], -1),
        keypoint_scores=torch.tensor(scores)[:, None].expand(-1, 17),
    )


def draw(visualizer, folder, **instances):
    """The picture, RGB."""
    sample = DetDataSample(**instances)
    truth = 'gt_instances' in instances
    visualizer.add_datasample(
        'people',
        GREY,
        sample,
        draw_gt=truth,
        draw_pred=not truth,
        out_file=str(folder / 'drawn.png'),
    )
    return visualizer.get_image()


def inside(image, person):
    """How many pixels within a person's box are drawn on."""
    left = 60 * person + 30
    return (image[50:160, left : left + 26] != 127).any(-1).sum()


def test_boxes_and_skeletons_above_the_threshold(visualizer, tmp_path):
    image = draw(visualizer, tmp_path, pred_instances=people([0.9, 0.1]))
    assert image.shape == GREY.shape
    assert inside(image, 0) > 200 and inside(image, 1) == 0
    for person in range(2):  # both have their box
        assert (image[100, 60 * person + 15 : 60 * person + 25] != 127).any()
    # each keypoint is painted over, in its colour
    colors = visualizer.dataset_meta['keypoint_colors']
    x, y = people([0.9]).keypoints[0, 15].round().int().tolist()
    assert image[y, x].tolist() == colors[15].tolist()


def test_annotations_are_drawn_by_visibility(visualizer, tmp_path):
    truth = people([1.0, 0.0])
    truth.keypoints_visible = truth.pop('keypoint_scores')
    del truth.scores
    image = draw(visualizer, tmp_path, gt_instances=truth)
    assert inside(image, 0) > 200 and inside(image, 1) == 0


def test_nobody_and_no_keypoints_draw_as_upstream(visualizer, tmp_path):
    assert (draw(visualizer, tmp_path, pred_instances=people([])) == GREY).all()
    bare = people([0.9])
    del bare.keypoints
    image = draw(visualizer, tmp_path, pred_instances=bare)
    assert inside(image, 0) == 0 and (image != GREY).any()
