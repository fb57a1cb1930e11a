"""How videos are shared among processes."""

from hypothesis import given
from hypothesis import strategies as st

from ogn_mm.datasets.samplers import share_videos


def test_values_computed_by_hand():
    # 7 to the first, 5 and 4 to the second, 3 to the first, 2 to the second
    assert share_videos([3, 7, 2, 5, 4], 2) == [[0, 1], [2, 3, 4]]
    assert share_videos([4, 4], 3) == [[0], [1], []]
    assert share_videos([], 2) == [[], []]


@given(st.lists(st.integers(1, 200), max_size=40), st.integers(1, 9))
def test_every_video_once_and_balanced(lengths, processes):
    shares = share_videos(lengths, processes)
    assert len(shares) == processes
    assert sorted(sum(shares, [])) == list(range(len(lengths)))
    assert all(share == sorted(share) for share in shares)
    loads = [sum(lengths[video] for video in share) for share in shares]
    # the last video of the busiest process went to the emptiest
    assert max(loads) - min(loads) <= max(lengths, default=0)
    assert share_videos(lengths, processes) == shares
