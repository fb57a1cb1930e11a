import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval

from ogn_mm.evaluation.functional import (
    average_precision,
    bootstrap_difference,
    match_poses,
)

NUM_KEYPOINTS = 17


def random_scene(num_images, seed, spread=12.0):
    """Annotated people and predictions around them, as COCO dictionaries.

    Some people are missed, crowds or without labels, some predictions are of nobody,
    some images are empty.
    """
    rng = np.random.default_rng(seed)
    images = [dict(id=3 * i + 7, width=300, height=300) for i in range(num_images)]
    people, results = [], []
    for image in images:
        for _ in range(rng.integers(0, 4)):
            xy = rng.uniform(0, 300, (NUM_KEYPOINTS, 2))
            visible = rng.random(NUM_KEYPOINTS) < rng.choice([0.0, 0.7, 1.0])
            keypoints = np.c_[xy, 2 * visible]
            people.append(
                dict(
                    id=len(people) + 1,
                    image_id=image['id'],
                    category_id=1,
                    iscrowd=int(rng.random() < 0.1),
                    area=float(rng.uniform(500, 20000)),
                    bbox=[0, 0, 100, 100],
                    num_keypoints=int(visible.sum()),
                    keypoints=keypoints.ravel().tolist(),
                )
            )
            for _ in range(rng.integers(0, 3)):
                found = xy + rng.normal(0, rng.uniform(0, spread), xy.shape)
                scored = np.c_[found, np.ones(NUM_KEYPOINTS)]
                results.append(
                    dict(
                        image_id=image['id'],
                        category_id=1,
                        keypoints=scored.ravel().tolist(),
                        score=float(rng.random()),
                    )
                )
    category = dict(id=1, name='person')
    return dict(images=images, annotations=people, categories=[category]), results


def repeat(truth, results, counts):
    """The same scene with image i present ``counts[i]`` times."""
    images, people, found = [], [], []
    for image, count in zip(truth['images'], counts, strict=True):
        for _ in range(count):
            new = dict(image, id=len(images) + 1)
            images.append(new)
            for source, target in ((truth['annotations'], people), (results, found)):
                target += [
                    dict(entry, image_id=new['id'], id=len(target) + i + 1)
                    for i, entry in enumerate(
                        e for e in source if e['image_id'] == image['id']
                    )
                ]
    return dict(truth, images=images, annotations=people), found


def to_coco(truth):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO('memory', ann_data=truth)


def coco_ap(truth, results, iou_type='keypoints'):
    """AP at each OKS threshold as COCOeval computes it, (10,)."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = to_coco(truth)
        evaluation = COCOeval(coco, coco.loadRes(results), iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval['precision'][:, :, 0, 0, 0].mean(axis=1)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(['keypoints', 'keypoints_crowd']))
def test_average_precision_is_cocoevals(seed, iou_type):
    truth, results = random_scene(8, seed)
    matches = match_poses(to_coco(truth), results, iou_type=iou_type)
    expected = coco_ap(truth, results, iou_type)
    if matches.people.sum() == 0:
        assert np.isnan(average_precision(matches)).all()
    else:
        np.testing.assert_allclose(average_precision(matches), expected, atol=1e-12)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 4), min_size=8, max_size=8), st.integers(0, 10**6))
def test_counts_are_repeated_images(counts, seed):
    truth, results = random_scene(8, seed)
    matches = match_poses(to_coco(truth), results)
    value = average_precision(matches, np.array(counts))
    repeated = repeat(truth, results, counts)
    if np.dot(matches.people, counts) == 0:
        assert np.isnan(value).all()
    else:
        np.testing.assert_allclose(value, coco_ap(*repeated), atol=1e-12)


def test_average_precision_by_hand():
    # one image with two people; the better scored pose is of nobody
    truth, _ = random_scene(0, 0)
    person = dict(image_id=1, category_id=1, iscrowd=0, area=1e4, bbox=[0, 0, 9, 9])
    near, far = ([x, x, 2] * NUM_KEYPOINTS for x in (10, 1000))
    truth['images'] = [dict(id=1)]
    truth['annotations'] = [
        dict(person, id=1, keypoints=near, num_keypoints=NUM_KEYPOINTS),
        dict(person, id=2, keypoints=far, num_keypoints=NUM_KEYPOINTS),
    ]
    nowhere = [5000, 5000, 1] * NUM_KEYPOINTS
    results = [
        dict(image_id=1, category_id=1, keypoints=nowhere, score=0.9),
        dict(image_id=1, category_id=1, keypoints=near, score=0.5),
    ]
    before = [dict(result) for result in results]
    matches = match_poses(to_coco(truth), results)
    # precision 1/2 at the 51 of 101 recalls up to 1/2
    np.testing.assert_allclose(average_precision(matches), 51 / 101 / 2)
    assert results == before


def test_use_area_and_sigmas_reach_cocoeval():
    truth, results = random_scene(10, 3)
    coco = to_coco(truth)
    plain = average_precision(match_poses(coco, results)).mean()
    wide = match_poses(coco, results, np.full(NUM_KEYPOINTS, 1.0))
    boxes = match_poses(coco, results, use_area=False)
    assert average_precision(wide).mean() > plain
    assert average_precision(boxes).mean() != plain


def test_no_predictions_give_zero():
    truth, _ = random_scene(5, 1)
    assert (average_precision(match_poses(to_coco(truth), [])) == 0).all()


def test_interval_holds_the_difference_and_is_paired():
    truth, good = random_scene(100, 0, spread=4.0)
    coco = to_coco(truth)
    rng = np.random.default_rng(0)
    worse = []
    for result in good:
        keypoints = np.reshape(result['keypoints'], (-1, 3))
        keypoints = keypoints + rng.normal(0, 4, keypoints.shape) * (1, 1, 0)
        worse.append(dict(result, keypoints=keypoints.ravel().tolist()))
    better, baseline = (match_poses(coco, results) for results in (good, worse))

    difference, low, high = bootstrap_difference([better], [baseline])
    ap = average_precision(better).mean() - average_precision(baseline).mean()
    assert difference == pytest.approx(ap)
    assert 0 < low < difference < high
    # the images are the same for both: the interval is narrower than of either AP
    draws = np.random.default_rng(1).multinomial(100, np.full(100, 0.01), size=200)
    alone = [average_precision(better, counts).mean() for counts in draws]
    assert high - low < np.ptp(np.percentile(alone, (2.5, 97.5)))
    # a run against itself, however often it is repeated, differs by nothing
    itself = bootstrap_difference([better] * 2, [better])
    np.testing.assert_allclose(itself, 0, atol=1e-12)
    # exchanging the two mirrors everything
    mirrored = bootstrap_difference([baseline], [better])
    np.testing.assert_allclose(mirrored, (-difference, -high, -low))


def test_runs_of_other_images_are_refused():
    few, many = (
        match_poses(to_coco(truth), results)
        for truth, results in (random_scene(5, 0), random_scene(6, 0))
    )
    with pytest.raises(ValueError, match='same images'):
        bootstrap_difference([few], [many])
