"""How a process logs: one line an event on standard error, as text or as JSON; control characters escaped.

It chooses the form; what is worth a line is decided where it happens.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from monitor.config.settings import Settings

QUIET = ("alembic", "apscheduler", "urllib3", "waitress.queue", "_granian")
"""Libraries whose information is noise here; their warnings are not."""


def set_up_logs(settings: Settings, process: str, stream: TextIO | None = None) -> None:
    """Every logger of this process writes to the stream (standard error) from now on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(process) if settings.log_format == "json" else TextLines(process))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """`2026-11-21T03:00:00Z INFO worker: text`; a traceback follows on the same line, escaped."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return f"{_at(record)} {record.levelname} {self._process}: {escaped(text)}"


class JsonLines(logging.Formatter):
    """The same as one JSON object."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def escaped(text: str) -> str:
    """The text without a character that a terminal or a log reader would obey; line ends become `\\n`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
