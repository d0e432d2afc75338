"""What the rules count over one stretch of time: read when it is first asked for, and for all that are alike
at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

from monitor.histogram import Distribution
from monitor.model import Duration, SeriesKey
from monitor.queries.places import Places, level_of
from monitor.rollup import Exemplars, Rollup
from monitor.store.facts.protocol import COUNTED, FactReader, Parts

EXEMPLARS = Parts((), exemplars=True)

Item = TypeVar("Item", covariant=True)


class Totals:
    """All that are alike over one stretch: counts in one read, distributions in one more when first asked."""

    def __init__(self, reader: FactReader, places: Places, start_us: int, end_us: int) -> None:
        self._reader = reader
        self._places = places
        self._stretch = start_us, end_us
        self._read: dict[tuple[tuple[bool, ...], Duration | None], Mapping[SeriesKey, Rollup]] = {}

    def counts(self, key: SeriesKey) -> Rollup:
        return self._of(key, None, COUNTED).get(key) or Rollup()

    def distribution(self, key: SeriesKey, kind: Duration) -> Distribution:
        read = self._of(key, kind, Parts((kind,), exemplars=False))
        return (read.get(key) or Rollup()).distribution(kind)

    def exemplars(self, key: SeriesKey) -> Exemplars:
        """Of one alone: only what breaches is exemplified."""
        return (self._reader.total([key], *self._stretch, EXEMPLARS).get(key) or Rollup()).exemplars

    def _of(self, key: SeriesKey, kind: Duration | None, parts: Parts) -> Mapping[SeriesKey, Rollup]:
        place = level_of(key), kind
        if place not in self._read:
            self._read[place] = self._reader.total(self._places.alike(key), *self._stretch, parts)
        return self._read[place]


class Times:
    """A distribution that is read when it is first asked something."""

    def __init__(self, read: Callable[[], Distribution]) -> None:
        self._read_it = read

    @cached_property
    def _read(self) -> Distribution:
        return self._read_it()

    @property
    def count(self) -> int:
        return self._read.count

    def quantile(self, q: float) -> float | None:
        return self._read.quantile(q)

    def share_above(self, ms: float) -> float:
        return self._read.share_above(ms)


class Later(Sequence[Item]):
    """A sequence that is read when it is first looked into."""

    def __init__(self, read: Callable[[], Sequence[Item]]) -> None:
        self._read_it = read

    @cached_property
    def _read(self) -> Sequence[Item]:
        return self._read_it()

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        return self._read[at]

    def __len__(self) -> int:
        return len(self._read)
