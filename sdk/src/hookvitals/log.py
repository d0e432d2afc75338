"""The receiver's own log: which event a line is about, and one line for each outcome.

`LogContext` is a filter for a handler of yours: it writes the event that is being handled onto every record.
`hookvitals.events` is the logger of the outcomes, key=value; `JsonFormatter` writes any record as JSON.
Whatever came from outside is escaped and cut, so that it cannot begin a line of its own. No secret, no
header and no body is written. Nothing here raises into a receiver.
"""

import json
import logging
import re
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from hookvitals.event import Event
from hookvitals.locks import Lock
from hookvitals.redact import redacted

log = logging.getLogger("hookvitals")
events = logging.getLogger("hookvitals.events")

CONTEXT = ("event_id", "event_type", "source", "endpoint", "attempt")
SLOW_MS = 5000.0
"""From here on work that went well is a warning: the monitor's own rule begins there."""
QUIET_S = 60.0
"""How long a warning of one kind keeps the next of its kind down to DEBUG."""
_TEXT_CHARS = 256
_LINE_CHARS = 16 * 1024
_KINDS = 256

_current: "ContextVar[Optional[Mapping[str, Any]]]" = ContextVar("hookvitals_event", default=None)

_TOLD = (
    "outcome", "event_id", "event_type", "source", "endpoint", "environment", "attempt", "http_status",
    "reason", "cause", "error_class", "error_message", "process_ms", "latency_ms", "remote_ip", "replay_id",
    "record_id",
)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+*-]+\Z", re.ASCII)
_LEVELS = {
    "failed": logging.ERROR,
    "dead_lettered": logging.ERROR,
    "rejected": logging.WARNING,
    "unhandled": logging.WARNING,
}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "hookvitals"}


@contextmanager
def handling(source: str, endpoint: str, event: Event, *others: Event) -> Iterator[None]:
    """While the block lasts, this thread or task is at work on this event. others: of the same batch; they
    are told by their number."""
    more = f" and {len(others)} more" if others else ""
    token = _current.set(
        {
            "event_id": _shown(event.id) + more,
            "event_type": _shown(event.type),
            "source": source,
            "endpoint": endpoint,
            "attempt": event.attempt,
        }
    )
    try:
        yield
    finally:
        _current.reset(token)


class LogContext(logging.Filter):
    """Puts event_id, event_type, source, endpoint and attempt onto every record; `-` outside of a handler.

    Add it to a handler, not to a logger: a logger's filters do not see what its children log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        current = _current.get() or {}
        for name in CONTEXT:
            if not hasattr(record, name):
                setattr(record, name, current.get(name, "-"))
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the event at hand, an outcome's fields, whatever
    was given as `extra`, and a dict that was given in place of arguments, which plain formatters lose."""

    def format(self, record: logging.LogRecord) -> str:
        line: Dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record)[:_LINE_CHARS],
        }
        line.update(_current.get() or {})
        line.update(
            (name, value)
            for name, value in vars(record).items()
            if name not in _STANDARD and not (name in CONTEXT and value == "-")
        )
        line.update(getattr(record, "hookvitals", {}))
        if isinstance(record.args, Mapping) and "%(" not in str(record.msg):
            line["data"] = dict(record.args)
        if record.exc_info and record.exc_info[0] is not None:
            line["error_class"] = record.exc_info[0].__qualname__
            line["error_stack"] = redacted(self.formatException(record.exc_info))[-_LINE_CHARS:]
        return _json(line)


class OutcomeLog:
    """One line for each outcome of one receiver, at the level that it deserves.

    Warnings of one kind (a rejection's reason, a type without handler) come once a minute, with the number of
    those kept down since; the others are there at DEBUG.
    """

    def __init__(self, source: str, endpoint: str, environment: str) -> None:
        self._base: Dict[str, Any] = {"source": source, "endpoint": endpoint}
        if environment != "production":
            self._base["environment"] = environment
        self._kept_down: Dict[Tuple[str, str], Tuple[int, int]] = {}
        self._lock = Lock()

    def tell(self, outcome: str, fields: Mapping[str, Any], at_us: int) -> None:
        """Logs the outcome. fields: of its record. at_us: when it came. Never raises."""
        try:
            level = _LEVELS.get(outcome, logging.INFO)
            slow = (fields.get("process_ms") or 0.0) > SLOW_MS and level == logging.INFO
            level = logging.WARNING if slow else level
            if not events.isEnabledFor(level):
                return
            found = {"outcome": outcome, **self._base, **fields}
            told = {name: _short(found[name]) for name in _TOLD if found.get(name) is not None}
            if slow:
                told["slow"] = True
            if outcome in ("rejected", "unhandled"):
                kind = (outcome, str(fields.get("reason" if outcome == "rejected" else "event_type", "")))
                level, more = self._throttled(kind, level, at_us)
                if more:
                    told["more"] = more
            events.log(level, "%s", logfmt(told), extra={"hookvitals": told})
        except Exception:  # somebody's filter or handler broke: the work is done all the same
            _tell_once()

    def _throttled(self, kind: Tuple[str, str], level: int, at_us: int) -> Tuple[int, int]:
        """(level, how many of the kind were kept down since the last warning)."""
        with self._lock:
            since_us, more = self._kept_down.get(kind, (None, 0))
            if since_us is not None and 0 <= at_us - since_us < QUIET_S * 1e6:
                self._kept_down[kind] = (since_us, more + 1)
                return logging.DEBUG, 0
            if len(self._kept_down) >= _KINDS:
                self._kept_down.clear()
            self._kept_down[kind] = (at_us, 0)
            return level, more


def logfmt(fields: Mapping[str, Any]) -> str:
    """`key=value` pairs on one line; a value that is more than a word is quoted and escaped as JSON does."""
    return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.1f}"
    text = str(value)
    return text if _PLAIN.match(text) else json.dumps(text)


def _short(value: Any) -> Any:
    return value[:_TEXT_CHARS] if isinstance(value, str) else value


def _shown(text: str) -> str:
    """Cut, and with whatever could move a cursor or begin a line shown as an escape."""
    text = text[:_TEXT_CHARS]
    return (
        text
        if text.isprintable()
        else "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    )


def _message(record: logging.LogRecord) -> str:
    if hasattr(record, "hookvitals"):
        return "webhook " + str(record.hookvitals.get("outcome", ""))
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit: the text alone is better than nothing
        return str(record.msg)


def _json(line: Mapping[str, Any]) -> str:
    try:
        return json.dumps(line, default=_plain, allow_nan=False)
    except (TypeError, ValueError, RecursionError):  # NaN, a circle, keys that are no text
        return json.dumps({str(name): _plain(value) for name, value in line.items()})


def _plain(value: Any) -> str:
    try:
        return str(value)[:_TEXT_CHARS]
    except Exception:
        return f"({type(value).__name__}: its text could not be made)"


_TOLD_BROKEN: List[bool] = []


def _tell_once() -> None:
    """Once a process: what breaks here would break for every event."""
    if not _TOLD_BROKEN:
        _TOLD_BROKEN.append(True)
        with suppress(Exception):  # nowhere is left to say it
            log.exception("hookvitals: an outcome could not be logged")
