"""What happened to one piece of work, noted in microseconds and handed to the shipper.

For receivers with their own verification and queueing; `Receiver` uses it too. `record` reads the clock,
appends to a bounded queue and returns: it never blocks and never raises into the handler. A durable recorder
returns once the record is on disk, and never raises either.
"""

import logging
import time
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Sequence, Type

from hookvitals.record_json import Noted
from hookvitals.redact import redacted
from hookvitals.shipper import Shipper

log = logging.getLogger("hookvitals")

ATTEMPTED = ("succeeded", "failed", "dead_lettered")
MESSAGE_CHARS = 1024
STACK_CHARS = 8192


class Recorder:
    """Records about one endpoint of one source.

    recorder = Recorder("orum", "payments", shipper)
    with recorder.track(event_id="evt_1", event_type="transfer.updated"):
        handle(event)

    durable: `record` waits until the record is on the disk of the shipper's spool.
    """

    def __init__(
        self,
        source: str,
        endpoint: str,
        shipper: Shipper,
        *,
        environment: str = "production",
        receiver: str = "",
        durable: bool = False,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        if durable and shipper.spool_dir is None:
            raise ValueError("durable needs a shipper with spool_dir, the directory records are kept in")
        self._put: Callable[[Noted], object] = shipper.put_durably if durable else shipper.put
        self.now_ns = now_ns
        self.shipper = shipper
        self.base: Dict[str, Any] = {"source": source, "endpoint": endpoint}
        if environment != "production":
            self.base["environment"] = environment
        if receiver:
            self.base["receiver"] = receiver

    def record(self, outcome: str, received_at_us: int, fields: Optional[Dict[str, Any]] = None) -> None:
        """Notes that `outcome` became known now.

        received_at_us: microseconds since 1970. fields: any other field of the record format; not copied,
        so the caller gives it away.
        """
        try:
            self._put((self.now_ns(), self.base, outcome, received_at_us, fields, None))
        except Exception:  # a clock of somebody's own may break
            log.debug("a record could not be made", exc_info=True)

    def track(
        self,
        event_id: str,
        event_type: str,
        *,
        received_at_us: Optional[int] = None,
        will_retry: bool = False,
        **fields: Any,
    ) -> "Tracked":
        """A context that records `succeeded` when its body ends, and on an exception `failed` (when
        `will_retry`) or `dead_lettered`; the exception goes on."""
        fields["event_id"] = event_id
        fields["event_type"] = event_type
        tracked = Tracked()  # filled from here: an `__init__` of its own is a tenth of what tracking costs
        tracked.fields = fields
        tracked._recorder = self
        tracked._received_at_us = received_at_us or 0
        tracked._will_retry = will_retry
        return tracked


class Tracked:
    """One attempt in progress, begun by `Recorder.track`. `fields` may be added to until it ends."""

    __slots__ = ("_received_at_us", "_recorder", "_started_ns", "_will_retry", "fields")

    fields: Dict[str, Any]
    _recorder: Recorder
    _received_at_us: int
    _will_retry: bool
    _started_ns: int

    def __enter__(self) -> "Tracked":
        self._started_ns = perf_counter_ns()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        process_ns = perf_counter_ns() - self._started_ns
        outcome = "succeeded"
        if error is not None:
            ended = not isinstance(error, Exception)  # the process is told to end: no verdict on the event
            outcome = "failed" if self._will_retry or ended else "dead_lettered"
            self.fields.update(error_fields(error))
        recorder = self._recorder
        try:  # what `record` does, without the price of calling it
            at_ns = recorder.now_ns()
            recorder._put((at_ns, recorder.base, outcome, self._received_at_us, self.fields, process_ns))
        except Exception:
            log.debug("a record could not be made", exc_info=True)


def error_fields(error: BaseException, secrets: Sequence[str] = ()) -> Dict[str, Any]:
    """error_class, error_message and error_stack, bounded and redacted; no local variable is shown."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return {
        "error_class": _encodable(name)[:256],
        "error_message": _encodable(redacted(_message(error), secrets))[:MESSAGE_CHARS],
        "error_stack": _encodable(redacted(_stack(error), secrets))[-STACK_CHARS:],
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text could not be made)"


def _stack(error: BaseException) -> str:
    import traceback  # noqa: PLC0415  # only failures pay for it

    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # an error of somebody's own make may break even this
        return "(its stack could not be made)"


def _encodable(text: str) -> str:
    """Without lone surrogates, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()
