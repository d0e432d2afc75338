"""A stretch of time as the widest rollup buckets that cover it exactly. Pure: minutes in, pieces out."""

from monitor.model import Grain

Span = tuple[Grain, int, int]
"""(grain, first bucket start, end), minutes since 1970, the end exclusive."""


def spans(start: int, end: int) -> list[Span]:
    """Pieces that cover [start, end) once: minutes up to the hour, hours up to the day, days, and back.

    start, end: minutes since 1970. An empty stretch has no pieces.
    """
    return _split(start, end, (Grain.DAY, Grain.HOUR, Grain.MINUTE))


def _split(start: int, end: int, grains: tuple[Grain, ...]) -> list[Span]:
    if start >= end:
        return []
    grain, finer = grains[0], grains[1:]
    if not finer:
        return [(grain, start, end)]
    width = grain.minutes
    inner_start, inner_end = -(-start // width) * width, end // width * width
    if inner_start >= inner_end:
        return _split(start, end, finer)
    middle: list[Span] = [(grain, inner_start, inner_end)]
    return [*_split(start, inner_start, finer), *middle, *_split(inner_end, end, finer)]
