"""The metric gives the command's figures, whatever way predictions come."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample
from posetrack_scenes import random_scene, to_2018

from ogn_mm.datasets.posetrack import sequence_files
from ogn_mm.evaluation.functional import (
    PoseTrackReport,
    read_posetrack,
)
from ogn_mm.evaluation.metrics import PoseTrackMetric
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS

META = dict(keypoint_id2name=dict(enumerate(POSETRACK18_JOINTS)))
COLUMNS = ('Head', 'Shou', 'Elb', 'Wri', 'Hip', 'Knee', 'Ankl')


def to_sample(video, frame, people):
    """All joints of the people in the order of 2018; nan where they do not exist."""
    columns = [POSETRACK18_JOINTS.index(name) for name in POSETRACK17_JOINTS]
    keypoints = np.full((len(people), 17, 2), np.nan)
    scores = np.zeros((len(people), 17))
    for i, person in enumerate(people):
        exist = person['exist'][:, None]
        keypoints[i, columns] = np.where(exist, person['joints'], np.nan)
        scores[i, columns] = person['scores']
    return dict(
        video_id=video,
        frame_id=frame,
        pred_instances=dict(
            keypoints=torch.from_numpy(keypoints),
            keypoint_scores=scores,
            track_ids=torch.tensor([p['track_id'] for p in people], dtype=torch.long),
        ),
    )


@pytest.fixture(scope='module')
def videos(tmp_path_factory):
    """A folder of two sequences, and a sample for each of their frames."""
    root = tmp_path_factory.mktemp('posetrack')
    samples = []
    rng = np.random.default_rng(0)
    for number, name in enumerate(('000001_mpii_test', '000002_bonn_test')):
        truth, found, regions = random_scene(rng, num_frames=6 + number)
        content = to_2018(truth, regions, video=name)
        (root / f'{name}.json').write_text(json.dumps(content))
        samples += [to_sample(name, i, people) for i, people in enumerate(found)]
    return root, samples


def evaluate(metric, samples, meta=META):
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = meta
    for sample in samples:
        evaluator.process([sample])
    return evaluator.evaluate(len(samples))


def test_figures_are_those_of_the_files(videos, tmp_path):
    """Also of the prediction files that it writes."""
    root, samples = videos
    metric = METRICS.build(
        dict(
            type='PoseTrackMetric',
            gt_dir=str(root),
            outfile_prefix=str(tmp_path / 'predictions'),
        )
    )
    figures = evaluate(metric, samples)
    report = PoseTrackReport(hota=True)
    for file in sequence_files(root):
        found = read_posetrack(tmp_path / 'predictions' / file.name, truth=False)
        report.add(file.stem, read_posetrack(file, truth=True), found)
    expected = report.build()
    names = {'AP', 'MOTA', 'MOTP', 'Prec', 'Rec', 'HOTA', 'IDF1', 'switches'}
    names |= {f'{name}_{column}' for name in ('AP', 'MOTA') for column in COLUMNS}
    assert {name.removeprefix('posetrack/') for name in figures} == names
    assert figures['posetrack/AP'] == expected['ap']['ap_total'] > 0
    assert figures['posetrack/switches'] == sum(expected['counts']['num_switches'])
    assert figures['posetrack/AP_Wri'] == expected['table']['ap']['Wri']
    assert figures['posetrack/MOTA'] == expected['mot']['mota_total']
    assert figures['posetrack/MOTA_Ankl'] == expected['table']['mot']['MOTA Ankl']
    assert figures['posetrack/Rec'] == expected['mot']['rec_total']
    assert figures['posetrack/IDF1'] == expected['identity']['idf1_total']


def test_order_and_repetition_do_not_matter(videos):
    root, samples = videos
    expected = evaluate(PoseTrackMetric(str(root), hota=False), samples)
    shuffled = [samples[i] for i in np.random.default_rng(1).permutation(len(samples))]
    again = evaluate(PoseTrackMetric(str(root), hota=False), [*shuffled, *shuffled[:5]])
    assert again == expected


def test_frames_without_sample_are_empty(videos):
    root, samples = videos
    some, empty = [], []
    for i, sample in enumerate(samples):
        if i % 2:
            some.append(sample)
            empty.append(sample)
        else:
            empty.append(to_sample(sample['video_id'], sample['frame_id'], []))
    few, all_of_them = (
        evaluate(PoseTrackMetric(str(root), hota=False), s) for s in (some, empty)
    )
    assert few == all_of_them


def test_unlabelled_frames_count_for_nothing(videos, tmp_path):
    """What is found there changes nothing."""
    root, samples = videos
    for file in sequence_files(root):
        content = json.loads(file.read_text())
        for image in content['images'][::2]:
            image['is_labeled'] = False
        (tmp_path / file.name).write_text(json.dumps(content))
    labelled = [sample for sample in samples if sample['frame_id'] % 2]
    figures = [evaluate(PoseTrackMetric(str(tmp_path)), s) for s in (samples, labelled)]
    assert figures[0] == figures[1] and figures[0]['posetrack/AP'] > 0


def test_data_samples_of_mmpose(videos):
    """As models return them, in batches."""
    root, samples = videos
    expected = evaluate(PoseTrackMetric(str(root), hota=False), samples)
    evaluator = Evaluator([PoseTrackMetric(str(root), hota=False)])
    evaluator.dataset_meta = META
    evaluator.process(
        [
            PoseDataSample(
                metainfo={k: sample[k] for k in ('video_id', 'frame_id')},
                pred_instances=InstanceData(**sample['pred_instances']),
            )
            for sample in samples
        ]
    )
    assert evaluator.evaluate(len(samples)) == expected


def evaluate_in_process(rank, root, samples, folder):
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    # one process has most, and some that the other has as well
    mine = samples[:3] if rank else samples[1:]
    figures = evaluate(PoseTrackMetric(root, hota=False), mine)
    (folder / f'{rank}.json').write_text(json.dumps(figures))
    dist.destroy_process_group()


def test_two_processes_give_the_same(videos, tmp_path):
    root, samples = videos
    torch.multiprocessing.start_processes(
        evaluate_in_process,
        args=(str(root), samples, tmp_path),
        nprocs=2,
        start_method='fork',  # the others import everything again
    )
    expected = evaluate(PoseTrackMetric(str(root), hota=False), samples)
    for rank in range(2):
        assert json.loads((tmp_path / f'{rank}.json').read_text()) == expected


def test_without_track_ids_ap_alone(videos):
    root, samples = videos
    expected = evaluate(PoseTrackMetric(str(root)), samples)
    untracked = [
        dict(
            sample,
            pred_instances={
                k: v for k, v in sample['pred_instances'].items() if k != 'track_ids'
            },
        )
        for sample in samples
    ]
    figures = evaluate(PoseTrackMetric(str(root)), untracked)
    assert figures == {k: v for k, v in expected.items() if '/AP' in k}


def halve(keypoints, scores):
    """Stands for a mapping: COCO's order is that of 2018 here, at half the size."""
    return 2 * keypoints, scores


def test_joint_mapping(videos):
    root, samples = videos
    expected = evaluate(PoseTrackMetric(str(root), hota=False), samples)
    small = [
        dict(
            sample,
            pred_instances=dict(
                sample['pred_instances'],
                keypoints=sample['pred_instances']['keypoints'] / 2,
            ),
        )
        for sample in samples
    ]
    metric = PoseTrackMetric(str(root), joint_mapping=halve, hota=False)
    assert evaluate(metric, small, meta=dict()) == expected
    named = PoseTrackMetric(
        str(root), joint_mapping='ogn_mm.structures.keypoint.coco_to_posetrack'
    )
    assert named.joint_mapping.__name__ == 'coco_to_posetrack'


def test_format_only(videos, tmp_path):
    """Files without people are enough, as of test sequences; nothing is computed."""
    root, samples = videos
    (tmp_path / 'test').mkdir()
    for file in sequence_files(root):
        images = json.loads(file.read_text())['images']
        (tmp_path / 'test' / file.name).write_text(json.dumps(dict(images=images)))
    out = tmp_path / 'out'
    metric = PoseTrackMetric(
        str(tmp_path / 'test'), outfile_prefix=str(out), format_only=True
    )
    assert evaluate(metric, samples) == {}
    sequence = read_posetrack(out / '000001_mpii_test.json', truth=False)
    assert sequence.num_frames == 6
    first = samples[sequence.frames[0]]['pred_instances']['track_ids']
    assert sequence.track_ids[: len(first)].tolist() == first.tolist()


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(video_id='000003_mpii_test'), r'there is no 000003_mpii_test\.json'),
        (dict(frame_id=6), 'frame 6 of 000001_mpii_test: it has 6 frames'),
        (dict(keypoints=None), 'there is no `keypoints`'),
        (dict(keypoint_scores=np.full((2, 17), np.nan)), '`keypoint_scores` should be'),
        (dict(track_ids=np.array([3, 3])), "frame 0: two people have the 'track_id' 3"),
        (dict(track_ids=np.array([3, 10000])), "'track_id' should be below 10000"),
    ],
)
def test_bad_predictions_are_told(change, message, videos):
    root, _ = videos
    instances = dict(
        keypoints=np.zeros((2, 17, 2)),
        keypoint_scores=np.zeros((2, 17)),
        track_ids=np.arange(2),
    )
    sample = dict(video_id='000001_mpii_test', frame_id=0)
    for name, value in change.items():
        if name in sample:
            sample[name] = value
        elif value is None:
            del instances[name]
        else:
            instances[name] = value
    with pytest.raises(ValueError, match=message):
        evaluate(
            PoseTrackMetric(str(root), hota=False),
            [dict(sample, pred_instances=instances)],
        )


def test_joints_that_are_not_posetracks(videos):
    root, samples = videos
    some = next(s for s in samples if len(s['pred_instances']['keypoints']))
    coco = dict(keypoint_id2name=dict(enumerate(['nose', 'left_eye'])))
    with pytest.raises(ValueError, match='`joint_mapping` should turn them into'):
        evaluate(PoseTrackMetric(str(root), hota=False), [some], meta=coco)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(format_only=True), '`outfile_prefix` is needed'),
        (dict(joint_mapping='ogn_mm.nothing'), "there is no function 'ogn_mm.nothing'"),
    ],
)
def test_bad_arguments_are_told(arguments, message, videos):
    with pytest.raises(ValueError, match=message):
        PoseTrackMetric(str(videos[0]), **arguments)
    with pytest.raises(FileNotFoundError, match='there is no folder'):
        PoseTrackMetric(str(Path(videos[0]) / 'nowhere'))
