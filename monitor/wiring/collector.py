"""The collector put together: its settings out of the process's, and the keys out of control.

What runs in its child processes is module-level here, so that it can be handed to a fresh interpreter.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from monitor.collector.keys import Key
from monitor.collector.serve import serve
from monitor.collector.settings import CollectorSettings
from monitor.config import Settings, secret_key, set_up_logs
from monitor.store.control.engine import open_engine
from monitor.store.control.keys import Keys
from monitor.store.facts.postgres.schema import VERSION as POSTGRES_SCHEMA
from monitor.wiring.stores import control_url, facts_opener, facts_url


def run_collector(settings: Settings, on_listening: Callable[[str, int], None] | None = None) -> None:
    """Runs until SIGTERM or SIGINT."""
    serve(
        collector_settings(settings),
        partial(load_keys, control_url(settings)),
        open_store=facts_opener(settings),
        prepare=partial(set_up_logs, settings, "collector"),
        on_listening=on_listening,
    )


def collector_settings(settings: Settings) -> CollectorSettings:
    made = CollectorSettings(
        settings.data_dir,
        secret_key(settings),
        settings.collector_host,
        settings.collector_port,
        workers=settings.collector_workers,
        body_bytes=settings.body_bytes,
        key_records_per_s=settings.key_records_per_s,
        retention_s=int(settings.retention.total_seconds()),
        budget_bytes=settings.facts_budget_bytes,
    )
    if not facts_url(settings):
        return made
    name = f"{socket.gethostname()[:64]}:{settings.collector_port}"  # others may write the same facts
    return replace(made, name=name, facts_schema=POSTGRES_SCHEMA)


def load_keys(url: str) -> Sequence[Key]:
    """Every key in control, revoked ones included."""
    return [
        Key(
            key.id,
            key.secret_sha256,
            key.scopes,
            key.sources,
            key.environment,
            key.revoked_at is not None,
        )
        for key in _keys(url).all()
    ]


@cache
def _keys(url: str) -> Keys:
    return Keys(open_engine(url, connections=1))
