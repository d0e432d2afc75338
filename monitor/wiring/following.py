"""The configuration in force, as control holds it: looked at every few seconds, kept while control is away.

It applies nothing; `hookvitals config apply`, `up` and the worker on SIGHUP do.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from monitor.clock import Clock
from monitor.config import Document, stored
from monitor.errors import HookvitalsError

log = logging.getLogger("hookvitals.configuration")

LOOK_EVERY_S = 2.0

ReadVersion = Callable[[], tuple[int, Mapping[str, object]] | None]
"""The number and content of the latest version; None before the first one."""


class Following:
    """The document, never older than LOOK_EVERY_S while control answers. Threads may share it."""

    def __init__(self, read: ReadVersion, clock: Clock, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._read = read
        self._clock = clock
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._looked_s: float | None = None
        self._number = 0
        self._document = Document()

    def document(self) -> Document:
        """The document in force; the shipped defaults before a first version."""
        with self._lock:
            now_s = self._clock.monotonic()
            if self._looked_s is None or now_s - self._looked_s >= self._look_every_s:
                self._looked_s = now_s
                self._look()
            return self._document

    def _look(self) -> None:
        try:
            version = self._read()
            if version is None or version[0] == self._number:
                return
            self._document = stored(version[1])
        except HookvitalsError as exc:
            log.warning("the configuration cannot be read, the last one stays in force: %s", exc)
            return
        self._number = version[0]
        log.info("configuration version %d is in force", self._number)
