"""PoseTrackMetric leaves out what has little evidence: short tracks, faint joints."""

import json

import numpy as np

from ogn_mm.evaluation.functional import read_posetrack
from ogn_mm.evaluation.metrics import PoseTrackMetric
from ogn_mm.structures.keypoint import POSETRACK17_JOINTS, POSETRACK18_JOINTS


def test_short_tracks_and_low_scores_are_not_written(tmp_path):
    """Person 7 is seen twice, person 8 once; the noses score too little."""
    images = [
        dict(id=i, file_name=f'images/000001_mpii_test/{i:06d}.jpg') for i in range(2)
    ]
    category = dict(id=1, name='person', keypoints=list(POSETRACK18_JOINTS))
    truth = dict(images=images, annotations=[], categories=[category])
    (tmp_path / 'truth').mkdir()
    (tmp_path / 'truth/000001_mpii_test.json').write_text(json.dumps(truth))
    metric = PoseTrackMetric(
        str(tmp_path / 'truth'),
        outfile_prefix=str(tmp_path / 'out'),
        format_only=True,
        keypoint_thr=0.5,
        min_track_length=2,
    )
    metric.dataset_meta = dict(keypoint_id2name=dict(enumerate(POSETRACK18_JOINTS)))
    for frame, ids in enumerate(([7, 8], [7])):
        scores = np.full((len(ids), 17), 0.5)
        scores[:, POSETRACK18_JOINTS.index('nose')] = 0.49
        found = dict(
            keypoints=np.full((len(ids), 17, 2), 3.0),
            keypoint_scores=scores,
            track_ids=np.array(ids),
        )
        sample = dict(video_id='000001_mpii_test', frame_id=frame, pred_instances=found)
        metric.process([], [sample])
    assert metric.evaluate(2) == {}
    people = read_posetrack(tmp_path / 'out/000001_mpii_test.json', truth=False)
    assert people.frames.tolist() == [0, 1] and people.track_ids.tolist() == [7, 7]
    expected = [name != 'nose' for name in POSETRACK17_JOINTS]
    assert people.exist.tolist() == [expected] * 2
