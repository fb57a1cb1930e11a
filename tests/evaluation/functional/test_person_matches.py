"""People and what was found of them, against COCOeval and by hand."""

import contextlib
import io

import numpy as np
import pytest
from test_bootstrap import random_scene, to_coco
from xtcocotools.cocoeval import COCOeval

from ogn_mm.evaluation.functional import (
    OKS_THRESHOLDS,
    average_precision,
    keypoint_distances,
    keypoint_errors,
    match_people,
    match_poses,
    pck_errors,
    share_below,
)
from ogn_mm.evaluation.functional.pose_nms import COCO_SIGMAS


def coco_stats(truth, results, use_area):
    """All of COCOeval's figures."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = to_coco(truth)
        found = coco.loadRes([dict(result) for result in results])
        coco_eval = COCOeval(coco, found, 'keypoints', COCO_SIGMAS, use_area)
        coco_eval.evaluate()
        coco_eval.accumulate()
        coco_eval.summarize()
    return coco_eval.stats


@pytest.mark.parametrize('use_area', [True, False])
@pytest.mark.parametrize('seed', range(5))
def test_people_are_those_of_cocoeval(seed, use_area):
    truth, results = random_scene(12, seed)
    people, precision = match_people(to_coco(truth), results, COCO_SIGMAS, use_area)
    assert precision.mean() == coco_stats(truth, results, use_area)[0]
    matches = match_poses(to_coco(truth), results, use_area=use_area)
    np.testing.assert_allclose(precision.mean(axis=1), average_precision(matches))

    counted = [p for p in truth['annotations'] if not p['iscrowd']]
    counted = [p for p in counted if p['num_keypoints']]
    assert sorted(people.ann_ids) == [person['id'] for person in counted]
    by_id = {person['id']: person for person in counted}
    for i, ann_id in enumerate(people.ann_ids):
        assert people.image_ids[i] == by_id[ann_id]['image_id']
        assert people.truth[i].ravel().tolist() == by_id[ann_id]['keypoints']
    # nobody shares a pose
    poses = [pose.tobytes() for pose in people.poses[people.found]]
    assert len(set(poses)) == len(poses) > 0
    # nobody who is found has less than 0.1, and COCO's loosest hits are found
    assert people.oks[people.found].min() >= 0.1
    assert people.found.sum() >= matches.hits[0].sum() > 0

    # OKS is the mean of the similarities that the errors make
    errors = keypoint_errors(people, COCO_SIGMAS)[people.found]
    oks = np.nanmean(np.exp(-(errors**2) / 2), axis=1)
    np.testing.assert_allclose(oks, people.oks[people.found], atol=1e-9)


def test_precision_is_the_mean_over_categories():
    """As of COCOeval; a category of nobody does not count."""
    truth, results = random_scene(12, 0)
    for item in (*truth['annotations'], *results):
        item['category_id'] = 2 + item['image_id'] % 2
    truth['categories'] = [dict(id=i, name=f'{i}') for i in range(1, 5)]
    people, precision = match_people(to_coco(truth), results, COCO_SIGMAS)
    ap = coco_stats(truth, results, True)[0]
    assert precision.mean() == pytest.approx(ap, abs=1e-12)
    assert len(set(people.image_ids % 2)) == 2


def make_scene(*shifts):
    """An image of people 100 pixels high; those with a shift are found so far off.

    Everybody has two keypoints, of which the second is labelled in the first person
    alone.
    """
    people, results = [], []
    for i, shift in enumerate(shifts):
        xy = np.array([[500.0 * i, 0], [500 * i + 50, 90]])
        visible = [2, 2 if i == 0 else 0]
        person = dict(image_id=7, category_id=1)
        people.append(
            dict(
                **person,
                id=i + 1,
                iscrowd=0,
                area=2500.0,
                bbox=[500 * i, 0, 60, 100],
                keypoints=np.c_[xy, visible].ravel().tolist(),
            )
        )
        if shift is not None:
            found = np.c_[xy + [shift, 0], [0.9, 0.9]]
            results.append(
                dict(**person, keypoints=found.ravel().tolist(), score=1 - i / 10)
            )
    category = dict(id=1, name='person')
    images = [dict(id=7, width=9999, height=100)]
    return dict(images=images, annotations=people, categories=[category]), results


def test_errors_by_hand():
    # twice sigma times the root of the area: 5 and 10 pixels
    sigmas = np.array([0.05, 0.1])
    people, _ = match_people(
        to_coco((scene := make_scene(5, 8, 100))[0]), scene[1], sigmas
    )
    assert people.found.tolist() == [True, True, False]
    np.testing.assert_allclose(
        people.oks, [(np.exp(-0.5) + np.exp(-0.125)) / 2, np.exp(-1.28), 0], atol=1e-12
    )
    # for whom nothing was found, the most similar pose is shown
    assert people.poses[2, :, 0].tolist() == [1100, 1150]
    nan, inf = np.nan, np.inf
    np.testing.assert_allclose(
        keypoint_distances(people), [[5, 5], [8, nan], [inf, nan]]
    )
    errors = keypoint_errors(people, sigmas)
    np.testing.assert_allclose(errors, [[1, 0.5], [1.6, nan], [inf, nan]])
    np.testing.assert_allclose(share_below(errors, 1), [1 / 3, 1])
    # the longer side of the boxes is 100 pixels
    errors = pck_errors(people)
    np.testing.assert_allclose(errors, [[0.05, 0.05], [0.08, nan], [inf, nan]])


def test_images_without_poses():
    sigmas = np.array([0.05, 0.1])
    scene, results = make_scene(None, None)
    people, precision = match_people(to_coco(scene), results, sigmas)
    assert not people.found.any() and not people.oks.any() and not precision.any()
    assert np.isnan(people.poses).all()
    assert np.isposinf(keypoint_errors(people, sigmas)[:, 0]).all()
    assert (share_below(keypoint_errors(people, sigmas), 1e9) == 0).all()
    assert precision.shape == (len(OKS_THRESHOLDS), 101)


def test_keypoints_that_nobody_has_labelled_have_no_share():
    assert np.isnan(share_below(np.full((3, 1), np.nan), 1)).all()


def test_somebody_must_be_annotated():
    scene, results = make_scene(5)
    scene['annotations'][0]['iscrowd'] = 1
    with pytest.raises(ValueError, match='nobody with labelled keypoints'):
        match_people(to_coco(scene), results, np.array([0.05, 0.1]))
