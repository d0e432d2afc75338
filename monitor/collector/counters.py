"""The collector's own counts: each of its processes adds to a small mapped file, a scrape sums them all.

So `/metrics` says the same whichever process answers, and a process that dies takes no count with it. Bounded
by a fixed list of series; nothing here is taken from a request.
"""

import mmap
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

REJECTION_CODES = (
    "malformed",
    "missing_field",
    "invalid",
    "unknown_outcome",
    "foreign_source",
    "foreign_environment",
    "missing_event_id",
    "missing_event_type",
    "ack_without_status",
    "record_id_not_v7",
    "in_future",
    "too_old",
    "unstorable",
    "name_cap",
    "unstorable_text",
    "received_at_far",
)
ROUTES = ("records", "queues", "probes")
STATUSES = (200, 400, 401, 403, 413, 415, 429, 500, 503)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the request durations."""

_REQUESTS = [("requests", f"{route} {status}") for route in ROUTES for status in STATUSES]
_DURATIONS = [("request_bucket", str(bound)) for bound in (*SECONDS, "+Inf")]
NAMES: tuple[tuple[str, str], ...] = (
    *_REQUESTS,
    *(("records", result) for result in ("accepted", "duplicate", "rejected")),
    *(("rejected", code) for code in REJECTION_CODES),
    *_DURATIONS,
    ("request_us", ""),
    ("body_bytes", ""),
    ("unknown_fields", ""),
    ("capped_names", "event_type"),
    ("capped_names", "error_class"),
    ("bare_rejections", ""),
    ("commits", ""),
    ("commit_us", ""),
    ("folded_records", ""),
    ("fold_us", ""),
    ("store_errors", ""),
    ("turned_away", ""),
)
"""(name, label value) of every count. Their order is that of the files; a new start clears those."""
_PLACES = {name: place for place, name in enumerate(NAMES)}


class Counters:
    """This process's counts."""

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        size = 8 * len(NAMES)
        file = os.open(directory / f"{os.getpid()}.counts", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # a page that finds no room on the disk when it is first written would kill the process
            os.posix_fallocate(file, 0, size)
            self._values = np.frombuffer(mmap.mmap(file, size), dtype=np.int64)
        except OSError:  # no room: better uncounted than not collected
            self._values = np.zeros(len(NAMES), dtype=np.int64)
        finally:
            os.close(file)

    def add(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Adds to several counts. Raises KeyError for one that is not in NAMES."""
        with self._lock:
            for name, n in counts.items():
                self._values[_PLACES[name]] += n


def cleared(directory: Path) -> Path:
    """The directory, made if need be, without the counts of an earlier start."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in directory.glob("*.counts"):
        file.unlink()
    return directory


def totals(directory: Path) -> dict[tuple[str, str], int]:
    """Every count over all processes since `cleared`."""
    sums = np.zeros(len(NAMES), dtype=np.int64)
    for values in _read(directory):
        sums += values
    return dict(zip(NAMES, sums.tolist(), strict=True))


def _read(directory: Path) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    for file in directory.glob("*.counts"):
        content = file.read_bytes()
        if len(content) == 8 * len(NAMES):
            yield np.frombuffer(content, dtype=np.int64)
