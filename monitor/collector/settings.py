"""What a collector is told at start. Values only: it reads no environment and no file."""

import hashlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from monitor.store.facts.sqlite.schema import VERSION as SQLITE_SCHEMA

_LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """Addresses, places and bounds of one collector."""

    data_dir: Path
    secret_key: bytes = field(repr=False)
    """32 bytes that seal captures."""
    host: str = "127.0.0.1"
    port: int = 8700
    """0 takes a free one."""
    workers: int = 2
    """Front processes."""
    threads: int = 8
    """Requests that one front process works on at once."""
    waiting: int = 16
    """Requests that wait for one of those; more are told to come again."""
    wait_s: float = 2.0
    """How long they wait at most."""
    inflight_bytes: int = 8 * 1024 * 1024
    """Of the bodies that one front process works on; one takes up to ten times its size meanwhile."""
    name: str = "collector"
    """Whose heartbeats these are."""
    pens: int = 2
    """Transactions at once of one front process, where it writes the store itself."""
    facts_schema: int = SQLITE_SCHEMA
    """Which version of the store /version names."""
    body_bytes: int = 8 * 1024 * 1024
    """Largest body, after decompression."""
    compressed_bytes: int = 1024 * 1024
    """Largest compressed body, as sent."""
    records_a_request: int = 10_000
    key_records_per_s: int = 0
    """Records a second of one key; 0 sets no bound."""
    rejections_a_minute: int = 60
    """Rejections stored in full a minute, per source, reason and address; more are stored bare."""
    retention_s: int = 30 * 86_400
    """How long single records are kept."""
    budget_bytes: int = 0
    """Room for the facts; the oldest records go first. 0 sets no bound."""
    keys_refresh_s: float = 2.0
    disk_reserve_bytes: int = 64 * 1024 * 1024
    """Below this much free disk the collector says that it is not ready."""

    @property
    def facts_path(self) -> Path:
        return self.data_dir / "facts.db"

    @property
    def counters_dir(self) -> Path:
        return self.data_dir / "collector-counters"

    @property
    def socket_path(self) -> Path:
        """Where the writer listens: in the data directory, or under a short name if that is too long."""
        wanted = self.data_dir.absolute() / "collector.sock"
        if len(os.fsencode(wanted)) <= _LONGEST_SOCKET_PATH:
            return wanted
        digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"hookvitals-{os.getuid()}-{digest}" / "collector.sock"
