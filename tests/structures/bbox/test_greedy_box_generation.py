import itertools
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ogn_mm.structures.bbox import box_groups, greedy_box_generation, group_boxes


def iou(a, b):
    """IoU of two boxes in Python's floats."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    intersection = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return intersection / (areas[0] + areas[1] - intersection)


def generate_by_loops(
    boxes,
    scores,
    min_size=0,
    egt_score_thr=0.8,
    egt_iou_thr=0.5,
    group_iou_thr=0.7,
    top_n=4,
    max_num=None,
    best_as_egt=True,
):
    """Section 3.1.1 read aloud, box by box; takes and returns lists."""
    visited = [
        i
        for i in sorted(range(len(boxes)), key=lambda i: -scores[i])
        if boxes[i][2] - boxes[i][0] >= min_size
        and boxes[i][3] - boxes[i][1] >= min_size
    ]
    egt = [i for i in visited if scores[i] > egt_score_thr]
    if best_as_egt and not egt:
        egt = visited[:1]
    groups, kept = [], []
    for i in visited:
        if i not in egt and not any(
            iou(boxes[i], boxes[j]) >= egt_iou_thr for j in egt
        ):
            continue
        for group in groups:
            if all(iou(boxes[i], boxes[j]) >= group_iou_thr for j in group):
                break
        else:
            group = []
            groups.append(group)
        group.append(i)
        if len(group) <= top_n:
            kept.append(i)
    return kept[:max_num]


def random_boxes(rng, count, quantum=1):
    """Integer boxes around a few people, with many ties; scores are tenths."""
    size = rng.integers(4, 30)
    people = rng.integers(0, 60, (rng.integers(1, 4), 2))
    corner = people[rng.integers(0, len(people), count)]
    corner = corner + rng.integers(-size // 4, size // 4 + 1, (count, 2))
    extent = size + rng.integers(-size // 3, size // 3 + 1, (count, 2))
    boxes = np.concatenate([corner, corner + extent], axis=1)
    scores = rng.integers(0, 11, count) / 10
    return (
        torch.tensor(boxes * quantum, dtype=torch.float64),
        torch.tensor(scores, dtype=torch.float64),
    )


def box_sets(max_count=40):
    return st.builds(
        lambda seed, count: random_boxes(np.random.default_rng(seed), count),
        st.integers(0, 2**32 - 1),
        st.integers(0, max_count),
    )


@pytest.mark.parametrize('part, few', [(0, 0), (1, 0), (2, 1024), (3, 1024)])
def test_equals_plain_loops(monkeypatch, part, few):
    """1,200 sets of integer boxes, in which IoU and scores tie exactly."""
    monkeypatch.setattr(box_groups, 'FEW', few)
    rng = np.random.default_rng(part)
    ties = 0
    for _ in range(300):
        boxes, scores = random_boxes(rng, rng.integers(0, 30))
        arguments = dict(
            min_size=int(rng.choice([0, 8])),
            egt_iou_thr=float(rng.choice([0.0, 0.3, 0.5, 0.8])),
            group_iou_thr=float(rng.choice([0.3, 0.5, 0.7, 0.75])),
            top_n=int(rng.integers(1, 5)),
            max_num=rng.choice([None, 5]),
            best_as_egt=bool(rng.random() < 0.7),
        )
        lists = boxes.tolist(), scores.tolist()
        kept = greedy_box_generation(boxes, scores, **arguments)
        assert kept.tolist() == generate_by_loops(*lists, **arguments)
        ties += any(
            iou(*pair) == arguments['group_iou_thr']
            for pair in itertools.combinations(lists[0], 2)
        )
    assert ties > 30


@pytest.mark.parametrize(
    'dtype, few', [(torch.float32, 100), (torch.float64, 0), (torch.float64, 1024)]
)
def test_many_boxes_equal_plain_loops(monkeypatch, dtype, few):
    """Enough of them for several blocks, without any rounding to integers."""
    monkeypatch.setattr(box_groups, 'FEW', few)
    rng = np.random.default_rng(3)
    spread = rng.choice([0.3, 4], (1000, 1), p=[0.8, 0.2])
    boxes = [20, 20, 60, 110] + rng.normal(0, 1, (1000, 4)) * spread
    boxes = torch.tensor(boxes, dtype=dtype)
    boxes[800:] += 300
    scores = torch.tensor(rng.random(1000), dtype=dtype)
    kept = greedy_box_generation(boxes, scores)
    assert kept.tolist() == generate_by_loops(boxes.tolist(), scores.tolist())
    groups = group_boxes(boxes.numpy())
    assert np.bincount(groups).max() > 512


def test_value_by_hand():
    """IoU of boxes of height 10 shifted by d of 17: (17 - d) / (17 + d)."""
    left = [0, 3, 6, 9, 40, 60]
    boxes = torch.tensor([[x, 0, x + 17, 10] for x in left], dtype=torch.float32)
    scores = torch.tensor([0.9, 0.7, 0.6, 0.5, 0.85, 0.75])
    # With 0, box 1 has 14/20 = 0.7, box 2 has 11/23 = 0.48 and is dropped, box 3 too;
    # 4 is another EGT, 5 is near none.
    assert greedy_box_generation(boxes, scores).tolist() == [0, 4, 1]
    # From 0.3 on box 2 is near and founds a group, which 3 joins (0.7 with it) though
    # it has 8/26 = 0.31 with box 0.
    arguments = dict(egt_iou_thr=0.3)
    assert greedy_box_generation(boxes, scores, **arguments).tolist() == [0, 4, 1, 2, 3]
    arguments.update(top_n=1)
    assert greedy_box_generation(boxes, scores, **arguments).tolist() == [0, 4, 2]
    assert group_boxes(boxes.numpy()[:4]).tolist() == [0, 0, 1, 1]


def test_members_beyond_the_top_n_still_count():
    """A box that overlaps the kept member alone may not join."""
    boxes = torch.tensor([[x, 0, x + 17, 10] for x in (3.0, 0, 6)])
    scores = torch.tensor([0.9, 0.85, 0.81])
    assert greedy_box_generation(boxes, scores, top_n=1).tolist() == [0, 2]


@given(box_sets(), st.integers(1, 4))
@settings(max_examples=100)
def test_groups_overlap_and_kept_boxes_are_near_an_egt(case, top_n):
    boxes, scores = case
    kept = greedy_box_generation(boxes, scores, top_n=top_n)
    everything = greedy_box_generation(boxes, scores, top_n=len(boxes) + 1)
    assert set(kept.tolist()) <= set(everything.tolist())
    groups = group_boxes(boxes[everything].numpy())
    for group in range(groups.max(initial=-1) + 1):
        members = everything[groups == group]
        for pair in itertools.combinations(boxes[members].tolist(), 2):
            assert iou(*pair) >= 0.7
        assert torch.equal(members[:top_n], kept[torch.isin(kept, members)])
    is_egt = scores > 0.8
    if not is_egt.any():
        is_egt[kept[:1]] = True
    egt = boxes[is_egt].tolist()
    for i in kept:
        assert max(iou(boxes[i].tolist(), other) for other in egt) >= 0.5


@given(
    box_sets(),
    st.integers(-1000, 1000),
    st.integers(-1000, 1000),
    st.sampled_from([2.0**-20, 0.5, 4.0, 2.0**20]),
    st.sampled_from([0, 8]),
)
@settings(max_examples=100)
def test_translation_and_scaling_change_nothing(case, x, y, scale, min_size):
    boxes, scores = case
    kept = greedy_box_generation(boxes, scores, min_size=min_size)
    moved = (boxes + torch.tensor([x, y, x, y])) * scale
    assert torch.equal(
        greedy_box_generation(moved, scores, min_size=min_size * scale), kept
    )


@given(box_sets(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_boxes_does_not_matter(case, random):
    boxes, scores = case
    scores = scores + torch.arange(len(scores)) / 1e4  # all differ
    order = list(range(len(boxes)))
    random.shuffle(order)
    kept = greedy_box_generation(boxes[order], scores[order])
    assert torch.equal(torch.tensor(order)[kept], greedy_box_generation(boxes, scores))


@given(box_sets(80), st.integers(0, 2**32 - 1), st.sampled_from([None, 3]))
@settings(max_examples=100)
def test_images_of_a_batch_do_not_meet(case, seed, max_num):
    boxes, scores = case
    images = torch.from_numpy(np.random.default_rng(seed).integers(-1, 4, len(boxes)))
    kept = greedy_box_generation(boxes, scores, images, max_num=max_num)
    expected = []
    for image in images.unique():
        rows = (images == image).nonzero()[:, 0]
        alone = greedy_box_generation(boxes[rows], scores[rows], max_num=max_num)
        expected += rows[alone].tolist()
    by_score = sorted(expected, key=lambda i: (-scores[i].item(), i))
    assert kept.tolist() == by_score


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
def test_score_threshold_has_the_dtype_of_the_scores(dtype):
    """0.8 in float32 is more than 0.8 in float64; it is no score above 0.8."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    scores = torch.tensor([0.9, 0.8], dtype=dtype)
    assert greedy_box_generation(boxes, scores).tolist() == [0]
    above = torch.nextafter(scores[1], scores[0]) if dtype != torch.bfloat16 else 0.805
    scores[1] = above
    assert greedy_box_generation(boxes, scores).tolist() == [0, 1]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_box_dtypes(dtype):
    boxes, scores = random_boxes(np.random.default_rng(0), 40)  # integers below 128
    kept = greedy_box_generation(boxes.to(dtype), scores.float())
    assert kept.dtype == torch.int64 and len(kept) > 4
    assert torch.equal(kept, greedy_box_generation(boxes, scores.float()))


def test_min_size_is_of_width_and_height():
    sides = [(10, 10), (9, 10), (10, 9), (30, 9)]
    boxes = torch.tensor(
        [[100.0 * i, 0, 100 * i + w, h] for i, (w, h) in enumerate(sides)]
    )
    scores = torch.full((4,), 0.9)
    assert greedy_box_generation(boxes, scores, min_size=10).tolist() == [0]
    assert greedy_box_generation(boxes, scores, min_size=9.5).tolist() == [0]
    assert greedy_box_generation(boxes, scores, min_size=31).tolist() == []


def test_image_without_egt():
    """The best of the boxes that are large enough stands in, in each such image."""
    boxes = torch.tensor(
        [[0.0, 0, 5, 5], [0, 0, 20, 20], [0, 0, 20, 18], [60, 0, 80, 20]]
    )
    scores = torch.tensor([0.8, 0.5, 0.3, 0.4])
    assert greedy_box_generation(boxes, scores, min_size=10).tolist() == [1, 2]
    assert not len(greedy_box_generation(boxes, scores, best_as_egt=False))
    images = torch.tensor([0, 1, 1, 7])
    assert greedy_box_generation(boxes, scores, images).tolist() == [0, 1, 3, 2]
    scores[0] = 0.9
    kept = greedy_box_generation(boxes, scores, images, best_as_egt=False)
    assert kept.tolist() == [0]


def test_boxes_without_area():
    """Their IoU is 0, with a twin as well; an EGT is kept all the same."""
    boxes = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5], [5, 5, 5, 5], [0, 0, 9, 9]])
    scores = torch.tensor([0.95, 0.9, 0.5, 0.85])
    assert greedy_box_generation(boxes, scores, top_n=1).tolist() == [0, 1, 3]


@pytest.mark.parametrize('images', [None, torch.zeros(0, dtype=torch.int64)])
def test_no_boxes(images):
    kept = greedy_box_generation(torch.zeros(0, 4), torch.zeros(0), images)
    assert kept.dtype == torch.int64 and kept.shape == (0,)
    assert group_boxes(np.zeros((0, 4))).shape == (0,)


def test_gradients_do_not_matter():
    boxes, scores = random_boxes(np.random.default_rng(0), 10)
    kept = greedy_box_generation(boxes, scores)
    assert torch.equal(
        greedy_box_generation(boxes.requires_grad_(), scores.requires_grad_()), kept
    )


def shapes_of_20000_boxes():
    rng = np.random.default_rng(0)
    person = np.array([100.0, 100, 200, 400])
    people = person + rng.integers(0, 3, (20000, 1)) * [300, 0, 300, 0]
    corner = 50.0 * np.stack(np.unravel_index(np.arange(20000), (142, 142)), axis=1)
    return {
        'clustered': people + rng.normal(0, 5, (20000, 4)),
        'identical': np.tile(person, (20000, 1)),
        'disjoint': np.concatenate([corner, corner + 40], axis=1),
    }


@pytest.mark.parametrize(
    ('shape', 'num_egt', 'num_kept'),
    [
        ('clustered', 3, None),
        ('identical', 1, 4),
        ('identical', 20000, 4),
        ('disjoint', 10000, 10000),
    ],
)
def test_memory_grows_as_the_number_of_boxes(shape, num_egt, num_kept):
    """One bit for every pair of them would take 48 MiB."""
    boxes = torch.from_numpy(shapes_of_20000_boxes()[shape])
    scores = torch.linspace(0.79, 0, 20000)
    scores[:num_egt] = 0.9
    tracemalloc.start()
    kept = greedy_box_generation(boxes, scores)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20
    if num_kept:
        assert len(kept) == num_kept


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_on_a_gpu():
    boxes, scores = random_boxes(np.random.default_rng(0), 200)
    images = torch.arange(200) % 3
    kept = greedy_box_generation(boxes.cuda(), scores.cuda(), images.cuda())
    assert kept.is_cuda
    assert torch.equal(kept.cpu(), greedy_box_generation(boxes, scores, images))


BOXES, SCORES = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 8]]), torch.tensor([0.9, 0.3])
NAN, INF = float('nan'), float('inf')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ((BOXES[:, :3], SCORES), r'boxes must be floats \(N, 4\), got .*\(2, 3\)'),
        ((BOXES.long(), SCORES), r'boxes must be floats \(N, 4\), got torch.int64'),
        ((BOXES, SCORES[:1]), r'scores must be 2 floats, .*\(1,\)'),
        ((BOXES, SCORES[:, None]), r'scores must be 2 floats, .*\(2, 1\)'),
        ((BOXES, SCORES > 0), 'scores must be 2 floats, .*torch.bool'),
        ((BOXES, SCORES, SCORES), 'batch_inds must be 2 integers, .*torch.float32'),
        ((BOXES, SCORES, torch.tensor([1])), r'batch_inds must be 2 .*\(1,\)'),
        ((BOXES * torch.tensor([[1], [NAN]]), SCORES), r'boxes\[1\] is not finite'),
        ((BOXES, SCORES + INF), r'scores\[0\] is not finite: inf'),
        ((BOXES.flip(1), SCORES), r'boxes\[0\] has x2 < x1 or y2 < y1: \[9'),
    ],
)
def test_faulty_boxes(arguments, message):
    with pytest.raises(ValueError, match=message):
        greedy_box_generation(*arguments)


@pytest.mark.parametrize('iou_thr', [0, -0.5, 1.01, NAN])
def test_faulty_group_threshold(iou_thr):
    with pytest.raises(ValueError, match='group_iou_thr must be above 0'):
        group_boxes(BOXES.numpy(), iou_thr)
