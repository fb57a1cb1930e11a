"""Pose tracking: names and rows of Table 5; every config builds."""

import re
from pathlib import Path

import pytest
from conftest import load_tool
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from tiny_detector import read_config

from ogn_mm.datasets.generated_people import generate_videos
from ogn_mm.engine.launch import OGNRunner
from ogn_mm.evaluation.functional import read_posetrack

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / 'configs/ogn_tracking').glob('*.py'))
NAME = re.compile(
    r'(?P<poses>ogn-mask-rcnn_r101_fpn-rc|two-stages-ogn_res152-512x384-gbg)'
    r'_iou-reid(?P<flow>-flow)?_posetrack(?P<year>17|18)(?P<test>_test)?'
)


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_there_are_three_rows_for_each_data_set_and_split():
    assert len(CONFIGS) == 12


def test_name_says_what_the_config_is(path):
    name = NAME.fullmatch(path.stem)
    assert name, 'the name does not follow the scheme'
    config = read_config(path)
    model = config.model
    assert model.type == 'VideoPoseEstimator'
    assert config.custom_imports.imports == ['ogn_mm']
    assert bool(model.get('pose_estimator')) == name['poses'].startswith('two')
    for part in ('detector', 'pose_estimator'):
        if part in model:
            assert (ROOT / model[part].config).is_file()
    cues = {cue.type for cue in model.tracker.cues}
    expected = {'BoxIoU', 'ReIDDistance'} | ({'FlowOKS'} if name['flow'] else set())
    assert cues == expected
    for part in ('flow', 'propagation'):
        assert (part in model) == bool(name['flow'])
    data = config.test_dataloader
    assert data.sampler.type == 'VideoSampler'
    assert data.dataset.data_root == f'data/posetrack{name["year"]}/'
    folder = data.dataset.data_root + data.dataset.ann_dir
    assert config.test_evaluator.gt_dir == folder
    assert folder.endswith('test' if name['test'] else 'val')
    assert bool(config.test_evaluator.get('format_only')) == bool(name['test'])
    assert config.val_cfg is None and 'val_dataloader' not in config


def test_joints_are_posetrack_s(path):
    """Mask R-CNN learnt them; a pose network's are COCO's and have to be mapped."""
    name, config = NAME.fullmatch(path.stem), read_config(path)
    mapping = config.test_evaluator.joint_mapping
    if 'pose_estimator' in config.model:
        assert mapping == 'ogn_mm.structures.keypoint.coco_to_posetrack'
        assert '_coco-' in config.model.pose_estimator.config
    else:
        assert mapping is None
        assert config.model.detector.config.endswith(f'_posetrack{name["year"]}.py')


def test_data_sets_and_splits_share_the_model(path):
    base = path.with_name(re.sub(r'posetrack.*', 'posetrack17.py', path.name))
    own, shared = (read_config(path).model.to_dict() for path in (path, base))
    if 'pose_estimator' not in own:
        for model in (own, shared):
            model['detector'].pop('config')
    assert own == shared


@pytest.mark.slow
@pytest.mark.parametrize(
    'path',
    [path for path in CONFIGS if path.stem.endswith('posetrack17')],
    ids=lambda path: path.stem,
)
def test_full_size_model_builds(path):
    """With all parts; no weights are fetched."""
    init_default_scope('mmpose')
    config = read_config(path).model.to_dict()
    config['appearance'].pop('checkpoint')
    config['detector'].pop('checkpoint', None)
    model = MODELS.build(config)
    assert model.tracker.fields <= {'bboxes', 'features', 'poses'}
    expected = 'coco' if 'pose_estimator' in config else 'posetrack18'
    assert model.dataset_meta['dataset_name'] == expected


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """Two videos of 6 frames in PoseTrack 2018's format."""
    root = tmp_path_factory.mktemp('videos')
    generate_videos(root, dict(val=2), frames=6, size=(160, 120), max_people=3)
    return root


def on_videos(path, videos, work_dir, **model) -> Config:
    """A config on generated videos, with annotated boxes and no weights."""
    config = Config.fromfile(path)
    config.model.pop('detector')
    config.model['appearance'] = dict(type='ColorStripes')
    config.merge_from_dict(dict(model=model))
    for part in [key for key, value in model.items() if value is None]:
        config.model.pop(part)
    dataset = config.test_dataloader.dataset
    dataset.update(data_root=str(videos), ann_dir='annotations/val')
    config.test_dataloader.update(num_workers=0, persistent_workers=False)
    config.test_evaluator.gt_dir = str(videos / 'annotations/val')
    config.work_dir = str(work_dir)
    return config


FLOW = next(path for path in CONFIGS if path.stem.endswith('flow_posetrack17'))
POSE = 'configs/demo/td-ogn_res18-1deconv_1xb32-16e_generated-128x96.py'


def test_annotated_poses_are_tracked_in_the_test_loop(videos, tmp_path):
    """From the data set to MOTA: perfect poses are followed almost without a switch."""
    metainfo = dict(from_file='configs/_base_/datasets/posetrack18.py')
    config = on_videos(
        FLOW, videos, tmp_path, pose_estimator=None, propagation=None, metainfo=metainfo
    )
    config.test_evaluator.update(joint_mapping=None, min_track_length=1)
    figures = OGNRunner.from_cfg(config).test()
    assert figures['posetrack/AP'] == pytest.approx(100)
    assert figures['posetrack/MOTA'] > 95
    assert figures['posetrack/IDF1'] > 95


def test_test_config_writes_files_of_a_pose_network(videos, tmp_path):
    """COCO's keypoints become PoseTrack's; boxes are carried over by flow."""
    path = FLOW.with_name(f'{FLOW.stem}_test.py')
    config = on_videos(path, videos, tmp_path, pose_estimator=dict(config=POSE))
    config.model.tracker.update(score_thr=0.0, birth_score=0.0)
    config.test_evaluator.update(
        outfile_prefix=str(tmp_path / 'out'), keypoint_thr=0.0, min_track_length=1
    )
    assert OGNRunner.from_cfg(config).test() == {}
    files = sorted((tmp_path / 'out').iterdir())
    assert [file.name for file in files] == [
        file.name for file in sorted((videos / 'annotations/val').iterdir())
    ]
    people = read_posetrack(files[0], truth=False)
    assert people.num_frames == 6 and len(people.track_ids) > 0
    assert people.exist.all()


def test_testing_needs_the_checkpoints_of_all_parts(videos, tmp_path):
    """Without CHECKPOINT all parts have to name theirs, or have no weights."""
    config = on_videos(FLOW, videos, tmp_path, pose_estimator=dict(config=POSE))
    config.dump(tmp_path / 'config.py')
    message = 'the pose_estimator would have random weights: name its CHECKPOINT'
    with pytest.raises(SystemExit, match=message):
        load_tool('test').main([str(tmp_path / 'config.py')])
