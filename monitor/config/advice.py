"""What a good file may still lack: nobody is refused for it, and `config check` says it.

Values in, advice out; it reads neither file nor environment, and asks no name server.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from alerts.model import Severity
from alerts.patterns import matches
from alerts.rules import KINDS, RESERVED_NAME, burn_rate
from alerts.rules.kind import Reach
from alerts.wording import span
from monitor.config.document import Document
from monitor.config.guessable import is_guessable
from monitor.config.places import misspelt_places, places_of, unknown_places
from monitor.config.problems import did_you_mean
from monitor.config.telling import RouteTable
from monitor.config.toml_file import Location

Advice = Iterator[tuple[Location, str]]

EVERYWHERE = frozenset({"rule", "kind", "severity"})
"""Labels that every alert has, also those of the monitor itself."""


def advice(document: Document) -> Advice:
    """(where, what to think of) of each thing that works and is perhaps not meant."""
    yield from _without_runbook(document)
    yield from _without_objective(document)
    yield from _without_reach(document)
    yield from _endpoints(document)
    yield from unknown_places(document, plain=False)
    yield from misspelt_places(document)
    yield from _matching_nothing(document)
    yield from _telling_nobody(document)
    yield from _without_end(document)


def beyond_minutes(document: Document, retention: timedelta) -> Advice:
    """Rules that count further back than single minutes are kept; hours are kept longer than any window."""
    stated = {rule.name or rule.kind: ("rules", at, "window") for at, rule in enumerate(document.rules)}
    for rule in document.effective_rules():
        if KINDS[rule.kind].reach is Reach.COUNTED and rule.window > retention and rule.enabled:
            said = (
                f'"{rule.name}" looks back {span(rule.window)}, and minutes are kept for {span(retention)}:'
                " up to an hour at its beginning is not counted; raise retention, or shorten its window"
            )
            yield stated.get(rule.name, ("process", "retention")), said


def _without_runbook(document: Document) -> Advice:
    for at, rule in enumerate(document.rules):
        if not rule.runbook and rule.enabled is not False:
            name = rule.name or rule.kind
            said = (
                f'"{name}" has no runbook of its own; write where to read what to do: runbook = "https://…"'
            )
            yield ("rules", at, "runbook"), said


def _without_objective(document: Document) -> Advice:
    for at, rule in enumerate(document.rules):
        if rule.kind == burn_rate.KIND.name and not document.slos and rule.enabled is not False:
            yield (
                ("rules", at, "kind"),
                "there is no [[slos]] table, so there is no budget that it could judge",
            )


def _without_reach(document: Document) -> Advice:
    for at, rule in enumerate(document.rules):
        if rule.window is not None and KINDS[rule.kind].reach is Reach.NONE:
            said = f"{rule.kind} has times of its own, so a window changes nothing; leave it out"
            yield ("rules", at, "window"), said


def _endpoints(document: Document) -> Advice:
    declared = {source.name for source in document.sources}
    for at, endpoint in enumerate(document.endpoints):
        if urlsplit(endpoint.url).scheme == "http":
            yield ("endpoints", at, "url"), "plaintext: whoever is on the way can read and change its events"
        if is_guessable(endpoint.url):
            said = "its path can be guessed; `python -m hookvitals secret new --path` prints one that cannot"
            yield ("endpoints", at, "url"), said
        if declared and endpoint.source not in declared:
            hint = did_you_mean(endpoint.source, declared)
            said = f'no [[sources]] table is named "{endpoint.source}" ({hint}); the shipped terms are taken'
            yield ("endpoints", at, "source"), said


def _matching_nothing(document: Document) -> Advice:
    """Matchers of routes, inhibitions and windows that no alert of this file's rules and places can fit."""
    known = {"rule": {rule.name for rule in document.effective_rules()} | {RESERVED_NAME}}
    known["kind"] = {*KINDS, RESERVED_NAME}
    places = places_of(document)
    if places is not None:
        known["source"] = set(places.sources)
    for where, matchers in _all_matchers(document):
        for label, pattern in matchers.items():
            names = known.get(label)
            if names is not None and not any(matches(pattern, name) for name in names):
                yield (
                    (*where, label),
                    f'"{pattern}" fits no {label} there is ({did_you_mean(pattern, names)})',
                )


def _all_matchers(document: Document) -> Iterator[tuple[Location, Mapping[str, str]]]:
    for at, route in enumerate(document.routes):
        yield ("routes", at, "matchers"), route.matchers
    for at, inhibition in enumerate(document.inhibitions):
        yield ("inhibitions", at, "source"), inhibition.source
        yield ("inhibitions", at, "target"), inhibition.target
    for at, window in enumerate(document.maintenance_windows):
        yield ("maintenance_windows", at, "matchers"), window.matchers


def _telling_nobody(document: Document) -> Advice:
    """Channels that hear of nothing, and alerts that nobody hears of."""
    if not document.channels:
        yield ("channels",), "there is no channel: alerts reach nobody; add a [[channels]] table"
    elif document.routes:
        told = {name for route in document.routes for name in _channels(route)} | {document.report.channel}
        for at, channel in enumerate(document.channels):
            if channel.name not in told:
                said = f'no route, step or fallback names "{channel.name}", so it is told of nothing'
                yield ("channels", at, "name"), said
        if not any(_takes_every_critical(route.matchers) for route in document.routes):
            said = "critical alerts that fit no route reach nobody; add a [[routes]] table without matchers"
            yield ("routes",), said


def _channels(route: RouteTable) -> Iterator[str]:
    yield from route.channels
    yield from (name for step in route.steps for name in step.channels)
    if route.fallback is not None:
        yield route.fallback


def _takes_every_critical(matchers: Mapping[str, str]) -> bool:
    return all(
        label in EVERYWHERE and matches(pattern, Severity.CRITICAL.value if label == "severity" else "*")
        for label, pattern in matchers.items()
    )


def _without_end(document: Document) -> Advice:
    for at, window in enumerate(document.maintenance_windows):
        hours = window.silence().hours
        if hours is not None and hours.start == hours.end and len(hours.days) in (0, 7):
            said = "this lasts all day, every day: what it matches is never told; a rule can be switched off"
            yield ("maintenance_windows", at, "hours"), said
