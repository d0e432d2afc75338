"""What a rule may be about: endpoints and types, found by its patterns among all there are. Reads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from alerts.model import Rule, Target
from alerts.patterns import matches
from monitor.model import CANARY_TYPE, UNVERIFIED, SeriesKey


class Places:
    """The endpoints and types there are, and which of them a rule selects."""

    def __init__(self, keys: Iterable[SeriesKey]) -> None:
        self.keys = frozenset(keys)
        self._alike: dict[tuple[bool, ...], list[SeriesKey]] = {}
        for key in self.keys:
            self._alike.setdefault(level_of(key), []).append(key)
        self._selected: dict[tuple[str, ...], Sequence[Target]] = {}

    def alike(self, key: SeriesKey) -> Sequence[SeriesKey]:
        """All that are of one level with `key`: endpoints with an endpoint, types with a type."""
        return self._alike.get(level_of(key), [])

    def types(self, endpoint: SeriesKey) -> Sequence[Target]:
        """By name, without what was never verified."""
        return self._types.get(endpoint, [])

    @cached_property
    def _types(self) -> Mapping[SeriesKey, Sequence[Target]]:
        found: dict[SeriesKey, list[Target]] = {}
        for key in sorted(self._alike.get((True, True, True), []), key=lambda key: key.event_type or ""):
            if key.parent is not None and key.event_type not in (UNVERIFIED, CANARY_TYPE):
                target = Target(key.environment, key.source, key.endpoint, key.event_type)
                found.setdefault(key.parent, []).append(target)
        return found

    def selected(self, rule: Rule) -> Sequence[Target]:
        patterns = rule.environment, rule.source, rule.endpoint, rule.event_type
        if patterns not in self._selected:
            self._selected[patterns] = self._select(*patterns)
        return self._selected[patterns]

    def _select(self, environment: str, source: str, endpoint: str, event_type: str) -> Sequence[Target]:
        typed = event_type != "*"
        found = [
            Target(key.environment, key.source, key.endpoint, key.event_type)
            for key in self._named(source, endpoint, typed)
            if matches(environment, key.environment)
            and matches(source, key.source or "")
            and matches(endpoint, key.endpoint or "")
            and (not typed or matches(event_type, key.event_type or ""))
        ]
        return sorted(found, key=lambda target: tuple(target.labels().items()))

    def _named(self, source: str, endpoint: str, typed: bool) -> Iterable[SeriesKey]:
        """Few enough to be matched one by one: most rules name their endpoint."""
        if "*" in source or "*" in endpoint:
            return self._alike.get((True, True, typed), [])
        return self._by_name.get((source, endpoint, typed), [])

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, bool], Sequence[SeriesKey]]:
        found: dict[tuple[str, str, bool], list[SeriesKey]] = {}
        for key in self.keys:
            if key.source and key.endpoint:
                found.setdefault((key.source, key.endpoint, key.event_type is not None), []).append(key)
        return found


def level_of(key: SeriesKey) -> tuple[bool, ...]:
    return key.source is not None, key.endpoint is not None, key.event_type is not None
