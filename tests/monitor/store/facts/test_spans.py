"""Spans cover a stretch of time once, with as few buckets as there can be."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Grain
from monitor.store.facts.spans import spans

DAY = 1440
minutes = st.integers(0, 5 * DAY)


@given(minutes, minutes)
def test_pieces_follow_each_other_without_gap_or_overlap(start: int, end: int) -> None:
    found = spans(start, end)

    edges = [edge for _, *both in found for edge in both]
    assert edges[1:-1:2] == edges[2::2]
    assert (edges[0], edges[-1]) == (start, end) if start < end else found == []


@given(minutes, minutes)
def test_each_piece_is_of_whole_buckets(start: int, end: int) -> None:
    for grain, first, last in spans(start, end):
        assert first < last
        assert first % grain.minutes == last % grain.minutes == 0


def test_the_widest_buckets_are_taken() -> None:
    assert spans(DAY - 61, 3 * DAY + 125) == [
        (Grain.MINUTE, DAY - 61, DAY - 60),
        (Grain.HOUR, DAY - 60, DAY),
        (Grain.DAY, DAY, 3 * DAY),
        (Grain.HOUR, 3 * DAY, 3 * DAY + 120),
        (Grain.MINUTE, 3 * DAY + 120, 3 * DAY + 125),
    ]


def test_within_an_hour_there_are_only_minutes() -> None:
    assert spans(61, 119) == [(Grain.MINUTE, 61, 119)]
