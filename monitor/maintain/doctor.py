"""`hookvitals doctor`: what stands in the way of a good installation, a line each. It changes nothing."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from alerts.errors import RequestFailed
from alerts.http import Client
from monitor.config import Loaded, SecretRef, resolve
from monitor.config.document import references
from monitor.errors import ConfigError
from monitor.maintain import doctor_postgres
from monitor.maintain.finding import Finding
from monitor.wiring.stores import control_url, facts_url

SAFE_WAL = (3, 51, 3)
"""From this version on SQLite cannot corrupt a write-ahead log that two connections write and checkpoint."""
PATIENCE_S = 3.0


def findings(loaded: Loaded, environ: Mapping[str, str], client: Client) -> Iterator[Finding]:
    """Everything that can be looked at from here, in the order in which one would mend it."""
    yield _data_dir(loaded.settings.data_dir)
    if control_url(loaded.settings).startswith("sqlite:") or not facts_url(loaded.settings):
        yield _sqlite()
    yield from doctor_postgres.findings(loaded.settings)
    yield from _secrets(loaded, environ)
    yield _audience(loaded)
    for name, url in served(loaded).items():
        yield ready(name, url, client)


def served(loaded: Loaded) -> dict[str, str]:
    """Process → its base URL as reached from this machine."""
    settings = loaded.settings
    return {
        "collector": _url(settings.collector_host, settings.collector_port),
        "dashboard": _url(settings.dashboard_host, settings.dashboard_port),
    }


def ready(name: str, url: str, client: Client) -> Finding:
    """Whether the process says that it can serve."""
    try:
        answer = client.request("GET", f"{url}/readyz", {}, b"", PATIENCE_S)
    except RequestFailed as exc:
        return Finding(False, name, f"not reached: {exc}; start it with `hookvitals up`")
    body = answer.body.decode(errors="replace").strip()
    if answer.status == 200:
        return Finding(True, name, f"ready at {url}")
    return Finding(False, name, f"answers {answer.status}: {body[:500]}")


def _url(host: str, port: int) -> str:
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"http://{local}:{port}"


def _data_dir(directory: Path) -> Finding:
    if not directory.is_dir():
        return Finding(False, "data directory", f"{directory} does not exist; `hookvitals up` makes it")
    if not os.access(directory, os.W_OK | os.X_OK):
        return Finding(False, "data directory", f"{directory} is not writable by this user")
    mode = directory.stat().st_mode & 0o077
    if mode:
        return Finding(None, "data directory", f"{directory} is open to others; chmod 700 closes it")
    return Finding(True, "data directory", f"{directory} is this user's alone")


def _sqlite() -> Finding:
    found = sqlite3.sqlite_version_info
    if found >= SAFE_WAL:
        return Finding(True, "SQLite", sqlite3.sqlite_version)
    wanted = ".".join(map(str, SAFE_WAL))
    return Finding(
        None,
        "SQLite",
        f"{sqlite3.sqlite_version}, before {wanted}: control keeps a rollback journal",
    )


def _secrets(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Finding]:
    for about, ref in _references(loaded):
        yield _followed(about, ref, environ)


def _followed(about: str, ref: SecretRef, environ: Mapping[str, str]) -> Finding:
    try:
        resolve(ref, environ)
    except ConfigError as exc:
        return Finding(False, about, str(exc))
    return Finding(True, about, f"{ref} is there")


def _references(loaded: Loaded) -> Iterator[tuple[str, SecretRef]]:
    for channel in loaded.document.channels:
        yield from ((f"channel {channel.name}", ref) for ref in references(channel))
    yield from (("heartbeat", ref) for ref in references(loaded.document.heartbeat))
    for endpoint in loaded.document.endpoints:
        if endpoint.replay_secret is not None:
            yield f"replay secret of {endpoint.source}/{endpoint.name}", endpoint.replay_secret


def _audience(loaded: Loaded) -> Finding:
    routes = loaded.document.effective_routes()
    if not routes:
        return Finding(None, "alerts", "reach nobody: hookvitals.toml names no channel")
    names = sorted({name for route in routes for name in route.channels})
    return Finding(True, "alerts", f"go to {', '.join(names)}")
