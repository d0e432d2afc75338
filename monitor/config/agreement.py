"""What no single table of hookvitals.toml can see: names used twice, names that nothing bears, refused rules.

Values in, problems out; it reads neither file nor environment.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.errors import AlertsError
from alerts.rules import KINDS
from monitor.config.channels import EmailTable
from monitor.config.circles import circles
from monitor.config.document import Document
from monitor.config.places import unknown_places
from monitor.config.problems import did_you_mean
from monitor.config.tables import RuleTable
from monitor.config.toml_file import Location


def disagreements(document: Document) -> Iterator[tuple[Location, str]]:
    """(where, what is wrong) of each name used twice or not at all, and of each value a rule cannot take."""
    yield from _twice("sources", [source.name for source in document.sources])
    for at, source in enumerate(document.sources):
        yield from _twice("secrets", [secret.id for secret in source.secrets], ("sources", at), "id")
    yield from _twice("endpoints", [(e.environment, e.source, e.name) for e in document.endpoints])
    queues = [(q.environment, q.source, q.endpoint, q.name or q.queue) for q in document.queues]
    yield from _twice("queues", queues)
    yield from _twice("channels", [channel.name for channel in document.channels])
    yield from _twice("slos", [slo.name for slo in document.slos])
    yield from _twice("maintenance_windows", [window.name for window in document.maintenance_windows])
    yield from _plain_http(document)
    yield from _canaries_without_secret(document)
    yield from _bad_rules(document)
    yield from unknown_places(document, plain=True)
    yield from _unknown_channels(document)
    yield from _circles(document)
    try:
        ZoneInfo(document.report.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield ("report", "timezone"), "not a time zone; write one such as Europe/Berlin"


def _twice(
    table: str, names: list[Any], within: Location = (), key: str = "name"
) -> Iterator[tuple[Location, str]]:
    for at, name in enumerate(names):
        if name in names[:at]:
            shown = "/".join(name) if isinstance(name, tuple) else name
            yield (*within, table, at, key), f'"{shown}" is there twice; give each a name of its own'


def _plain_http(document: Document) -> Iterator[tuple[Location, str]]:
    for at, endpoint in enumerate(document.endpoints):
        plain = urlsplit(endpoint.url).scheme == "http"
        if plain and endpoint.environment != "dev" and not endpoint.insecure:
            yield (
                ("endpoints", at, "url"),
                "http:// sends events unencrypted; use https://, or add the line: insecure = true",
            )


def _canaries_without_secret(document: Document) -> Iterator[tuple[Location, str]]:
    for at, endpoint in enumerate(document.endpoints):
        if endpoint.probe_canary and endpoint.replay_secret is None:
            yield ("endpoints", at, "probe_canary"), "a canary is signed: add a replay_secret"


def _bad_rules(document: Document) -> Iterator[tuple[Location, str]]:
    seen: set[str] = set()
    for at, table in enumerate(document.rules):
        if table.kind not in KINDS:
            yield (
                ("rules", at, "kind"),
                f'there is no rule kind "{table.kind}" ({did_you_mean(table.kind, KINDS)})',
            )
            continue
        try:
            name = table.rule().name
        except (AlertsError, TypeError) as exc:
            yield ("rules", at, *_key_of(str(exc))), str(exc)
            continue
        if name in seen:
            yield ("rules", at, "name"), f'"{name}" is there twice; give each rule a name of its own'
        seen.add(name)


def _key_of(said: str) -> Location:
    """The key of a rule that a refusal names first: `rule "x": params.quantile must …`."""
    words = said.partition('": ')[2].split()
    if words[:2] == ["unknown", "parameter"]:
        return "params", words[2].rstrip(":")
    key = tuple(words[0].rstrip(",:").split(".")) if words else ()
    known = {field.alias or name for name, field in RuleTable.model_fields.items()}
    return key if key and key[0] in known else ()


def _unknown_channels(document: Document) -> Iterator[tuple[Location, str]]:
    channels = {channel.name: channel for channel in document.channels}
    for at, route in enumerate(document.routes):
        for name in route.channels:
            if name not in channels:
                yield ("routes", at, "channels"), _no_channel(name, channels)
        for place, step in enumerate(route.steps):
            for name in step.channels:
                if name not in channels:
                    yield ("routes", at, "steps", place, "channels"), _no_channel(name, channels)
        if route.fallback is not None and route.fallback not in channels:
            yield ("routes", at, "fallback"), _no_channel(route.fallback, channels)
        elif route.fallback in route.channels:
            yield ("routes", at, "fallback"), f'"{route.fallback}" is one of its channels; name another one'
    report = document.report
    if report.channel is not None and report.channel not in channels:
        yield ("report", "channel"), _no_channel(report.channel, channels)
    elif report.channel is not None and not isinstance(channels[report.channel], EmailTable):
        yield ("report", "channel"), f'"{report.channel}" is not an email channel; reports go by email'


def _circles(document: Document) -> Iterator[tuple[Location, str]]:
    rules = {kind: kind for kind in KINDS} | {rule.name or rule.kind: rule.kind for rule in document.rules}
    for at, names in circles(document.effective_inhibitions(), rules):
        said = " hides ".join(f'"{name}"' for name in (names[-1], *names))
        yield ("inhibitions", at), f"a circle: {said}, so none of them is the cause; take one of them out"


def _no_channel(name: str, channels: Mapping[str, object]) -> str:
    hint = did_you_mean(name, channels) if channels else "add a [[channels]] table"
    return f'there is no channel "{name}" ({hint})'
