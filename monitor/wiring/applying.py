"""Putting a document in force: one numbered version, with the sources and endpoints that it declares.

All of it in one transaction with its audit row. What the API made is left alone; what a former file declared
and this one does not is handed back to "seen". It reads no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.config import Document, resolve
from monitor.config.tables import EndpointTable, SourceTable
from monitor.model import DEFAULT_ENVIRONMENT
from monitor.replay.secrets import sealed_secret
from monitor.seal import Sealer
from monitor.store.control import Control, Tx
from monitor.store.control.catalog import Conditions, Endpoint, ManagedBy, ProbeSettings, Source


@dataclass(frozen=True, slots=True)
class Applied:
    """number: the version in force. changes: what differs from the one before, a line each."""

    number: int
    is_new: bool
    changes: Sequence[str]


def apply(
    control: Control,
    document: Document,
    *,
    origin: str,
    by: str,
    at: datetime,
    sealer: Sealer,
    environ: Mapping[str, str],
) -> Applied:
    """Stores the document. The same content again makes no other version, but seals the secrets anew.

    origin: the file's name; "" without one. Raises ConfigError for a replay secret that cannot be read.
    """
    before = control.configs.latest()
    stated = document.stated()
    endpoints = [_endpoint(table, at, sealer, environ) for table in document.endpoints]
    known = control.catalog.endpoints()
    with control.write() as tx:
        number, is_new = control.configs.add(tx, stated, origin, by, at)
        for table in document.sources:
            control.catalog.put_source(tx, source_of(table, at), at)
        for endpoint in endpoints:
            control.catalog.put_endpoint(tx, endpoint, at)
        _hand_back(control, tx, known, {endpoint.key for endpoint in endpoints}, at)
        if is_new:
            detail = {"origin": origin, "number": number}
            control.audit.append(tx, at, by, "admin", "cli", "config.apply", f"config/{number}", detail)
    return Applied(number, is_new, differences(before[1] if before else {}, stated))


def source_of(table: SourceTable, at: datetime) -> Source:
    return Source(
        table.name,
        ManagedBy.FILE,
        at,
        ack_deadline=table.deadline_or_default,
        expected_statuses=table.expected_statuses,
        retry_horizon=table.retry_horizon,
        redeliver=table.redeliver,
    )


def _endpoint(table: EndpointTable, at: datetime, sealer: Sealer, environ: Mapping[str, str]) -> Endpoint:
    key = (table.environment, table.source, table.name)
    secret = resolve(table.replay_secret, environ) if table.replay_secret else None
    return Endpoint(
        *key,
        ManagedBy.FILE,
        at,
        url=table.url,
        insecure=table.insecure,
        probe=_probe_of(table),
        replay_secret=sealed_secret(sealer, secret, *key) if secret else None,
    )


def _probe_of(table: EndpointTable) -> ProbeSettings:
    conditions = Conditions(
        table.probe_contains,
        table.probe_matches,
        tuple(table.probe_json.items()),
        tuple(table.probe_headers.items()),
    )
    return ProbeSettings(
        table.probe,
        table.probe_url,
        table.probe_method,
        table.probe_statuses,
        conditions,
        table.probe_exposure,
        table.probe_canary,
    )


def _hand_back(
    control: Control, tx: Tx, known: Sequence[Endpoint], declared: set[tuple[str, str, str]], at: datetime
) -> None:
    for endpoint in known:
        if endpoint.managed_by is ManagedBy.FILE and endpoint.key not in declared:
            bare = Endpoint(*endpoint.key, ManagedBy.SEEN, endpoint.first_seen_at)
            control.catalog.put_endpoint(tx, bare, at)


def differences(before: object, after: object, path: str = "") -> list[str]:
    """One line for each value that differs: `rules.error_rate.threshold: 0.05 → 0.1`.

    Entries of a list are told apart by their name, kind or id, else by their place; endpoints by their
    source and environment too.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = sorted({*before, *after}, key=str)
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
        ]
    if _is_tables(before) or _is_tables(after):
        return differences(_named(before, path), _named(after, path), path)
    if before == after:
        return []
    if before is None:
        return [f"+ {path}: {after}"]
    return [f"- {path}: {before}"] if after is None else [f"~ {path}: {before} → {after}"]


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _named(value: object, path: str) -> dict[str, object]:
    tables = value if isinstance(value, list) else []
    return {_name(table, path) or str(at): table for at, table in enumerate(tables)}


def _name(table: Mapping[str, object], path: str) -> str:
    own = str(table.get("name") or table.get("kind") or table.get("id") or "")
    if path != "endpoints":
        return own
    return "/".join([str(table.get("environment", DEFAULT_ENVIRONMENT)), str(table.get("source")), own])
