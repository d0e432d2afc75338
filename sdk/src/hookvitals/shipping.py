"""How a receiver's records, samples and breaker reach the collector: by a shipper of its own, by one that
several share, or not at all.
"""

import time
from typing import Any, Callable, Dict, List, Optional

from hookvitals.breaker import Breaker
from hookvitals.declarations import MOST_TYPES, TYPE_CHARS
from hookvitals.dispatch import Dispatcher
from hookvitals.inbox import Inbox
from hookvitals.recorder import Recorder
from hookvitals.settings import Settings
from hookvitals.shapes import Shapes
from hookvitals.shipper import Shipper


class Shipping:
    """shipper: shared, and left open at the end; else one is made where `collector` is given.

    recorder: None where nothing is sent. Raises ValueError for what does not go together.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        shipper: Optional[Shipper],
        collector: Optional[str],
        key: Optional[str],
        spool_dir: Optional[str],
        durable: bool,
        now: Callable[[], float],
    ) -> None:
        if collector and not key:
            raise ValueError("a collector needs key, an ingest key made by `hookvitals key create`")
        self._settings = settings
        self._now = now
        self._owns_shipper = shipper is None
        self.shipper = shipper or (Shipper(collector, key or "", spool_dir=spool_dir) if collector else None)
        if (durable or spool_dir) and (self.shipper is None or self.shipper.spool_dir is None):
            raise ValueError("spool_dir and durable need a collector; a shared shipper has its own spool_dir")
        self.recorder = _recorder(settings, self.shipper, durable, now) if self.shipper else None
        self._inbox: Optional[Inbox] = None
        self._breaker = ""

    def watch(self, breaker: Breaker, inbox: Optional[Inbox], dispatcher: Dispatcher, shapes: Shapes) -> None:
        """Tells the collector their state from now on, which types are handled and expected, and what
        verified requests look like."""
        if self.shipper is None:
            return
        self.shipper.declare(self._settings.scope, lambda: self._types(dispatcher, shapes))
        self._breaker, self._inbox = breaker.name, inbox
        self.shipper.watch(breaker.name, lambda: breaker.state)
        if inbox is not None:
            self.shipper.sample(self._samples)

    def close(self) -> None:
        """Ships what waits, where the shipper is this receiver's own."""
        if self.shipper is None:
            return
        self.shipper.forget(self._samples)
        self.shipper.watch(self._breaker, None)
        self.shipper.declare(self._settings.scope, None)
        if self._owns_shipper:
            self.shipper.close()

    def _types(self, dispatcher: Dispatcher, shapes: Shapes) -> Dict[str, Any]:
        settings = self._settings
        seen = shapes.said()
        said = {
            "environment": settings.environment,
            "source": settings.source,
            "endpoint": settings.endpoint,
            "handled": [name for name in dispatcher.types() if len(name) <= TYPE_CHARS][:MOST_TYPES],
            "expected": sorted(settings.profile.expected_types),
        }
        return {**said, "seen": seen} if seen else said

    def _samples(self) -> List[Dict[str, Any]]:
        assert self._inbox is not None
        settings = self._settings
        return [
            {
                "environment": settings.environment,
                "source": settings.source,
                "endpoint": settings.endpoint,
                "queue": "inbox",
                "depth": self._inbox.depth(),
                "oldest_age_s": self._inbox.oldest_age_s() or 0.0,
                "sampled_at": int(self._now() * 1e6),
            }
        ]


def _recorder(settings: Settings, shipper: Shipper, durable: bool, now: Callable[[], float]) -> Recorder:
    now_ns = time.time_ns if now is time.time else lambda: int(now() * 1e9)
    named = {"source": settings.source, "endpoint": settings.endpoint, "environment": settings.environment}
    return Recorder(**named, shipper=shipper, durable=durable, now_ns=now_ns)
