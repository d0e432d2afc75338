"""The sources and endpoints that hookvitals.toml declares, and what in the file names one that it does not.

A file that declares no source says nothing of what there is, and nothing is held against it. A name that is
not declared is a mistake; a pattern that fits nothing declared may be meant for what comes later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alerts.patterns import matches
from monitor.config.document import Document
from monitor.config.problems import did_you_mean, nearest
from monitor.config.tables import QueueTable, RuleTable, SloTable
from monitor.config.toml_file import Location
from monitor.model import DEFAULT_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Places:
    """sources: declared by a table of their own or by an endpoint. endpoints: (source, name)."""

    sources: frozenset[str]
    endpoints: frozenset[tuple[str, str]]

    def missing(self, source: str, endpoint: str) -> Iterator[tuple[str, str, bool]]:
        """(key, what is wrong, whether the pattern is a plain name) of each that fits nothing declared."""
        if not any(matches(source, name) for name in self.sources):
            yield "source", _nothing("source", source, self.sources), "*" not in source
            return
        names = {name for of, name in self.endpoints if matches(source, of)}
        if names and not any(matches(endpoint, name) for name in names):
            yield "endpoint", _nothing("endpoint", endpoint, names), "*" not in endpoint


def places_of(document: Document) -> Places | None:
    """None where the file does not say which sources there are."""
    if not document.sources:
        return None
    endpoints = frozenset((endpoint.source, endpoint.name) for endpoint in document.endpoints)
    declared = {source.name for source in document.sources}
    return Places(frozenset(declared | {source for source, _ in endpoints}), endpoints)


def unknown_places(document: Document, *, plain: bool) -> Iterator[tuple[Location, str]]:
    """(where, what is wrong) of each rule, SLO and queue that names nothing declared: by a plain name, or by
    a pattern."""
    places = places_of(document)
    if places is None:
        return
    looking: dict[str, Sequence[RuleTable | SloTable | QueueTable]] = {
        "rules": document.rules,
        "slos": document.slos,
        "queues": document.queues,
    }
    for table, entries in looking.items():
        for at, one in enumerate(entries):
            for key, said, is_plain in places.missing(one.source or "*", one.endpoint or "*"):
                if is_plain is plain:
                    yield (table, at, key), said


def misspelt_places(document: Document) -> Iterator[tuple[Location, str]]:
    """(where, what is meant perhaps) of rules that name, where nothing says which there are, almost an
    environment, source or endpoint of the file's own [[endpoints]]."""
    known = {"environment": {DEFAULT_ENVIRONMENT} | {one.environment for one in document.endpoints}}
    if not document.sources:
        known["source"] = {one.source for one in document.endpoints}
        known["endpoint"] = {one.name for one in document.endpoints}
    for at, rule in enumerate(document.rules):
        for key, names in known.items():
            stated = getattr(rule, key)
            if stated is None or "*" in stated or stated in names:
                continue
            if meant := nearest(stated, names):
                said = f'no [[endpoints]] table has the {key} "{stated}" (did you mean {meant}?)'
                yield ("rules", at, key), said


def _nothing(what: str, pattern: str, known: frozenset[str] | set[str]) -> str:
    if "*" in pattern:
        return f'"{pattern}" fits no {what} of this file ({did_you_mean(pattern, known)})'
    return f'there is no {what} "{pattern}" in this file ({did_you_mean(pattern, known)})'
