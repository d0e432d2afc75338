"""Times as a person writes them on the command line."""

import re
from datetime import UTC, datetime

import click

from monitor.cli.records import duration

_LENGTH = re.compile(r"\d+[a-z]+")


def moment(text: str, now: datetime, option: str) -> datetime:
    """The time of `2026-11-20`, an RFC 3339 time, or `24h` (ago); a usage error naming the option for
    anything else. A time without a zone is UTC."""
    if _LENGTH.fullmatch(text):
        return now - duration(text, option)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise click.BadParameter(
            f"{text!r} is no time: write 2026-11-20, 2026-11-20T06:00:00Z or 24h", param_hint=option
        ) from exc
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
