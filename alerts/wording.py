"""Numbers, spans and times as a person reads them. Percent appears only here."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta


def percent(share: float) -> str:
    """0.124 as `12.4 %`. What is near nothing or near all keeps two digits of how near, so that 0.0004 is not
    `0 %` and an objective of 0.9995 not `100 %`."""
    value = share * 100
    rest = min(abs(value), abs(100 - value))
    digits = 1 if rest == 0 or rest >= 1 else min(9, 1 - math.floor(math.log10(rest)))
    return f"{f'{value:.{digits}f}'.rstrip('0').rstrip('.')} %"


def number(count: float) -> str:
    """2500 as `2,500`; a fraction keeps one digit."""
    text = f"{count:,.1f}"
    return text.removesuffix(".0")


def counted(count: int, one: str) -> str:
    """`1 probe`, `2,500 probes`: how many of what, with a plural in s."""
    return f"{number(count)} {one}{'' if count == 1 else 's'}"


def span(length: timedelta) -> str:
    """The length in its largest fitting unit or two: `90 s`, `15 min`, `2 h 5 min`, `3 d`."""
    seconds = round(length.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    minutes, rest_s = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min" if rest_s == 0 or minutes >= 10 else f"{minutes} min {rest_s} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 7 else f"{days} d"


def seconds(ms: float) -> str:
    """`850 ms` below a second, `4.3 s` above."""
    return f"{number(round(ms))} ms" if ms < 1000 else f"{number(round(ms / 1000, 1))} s"


def moment(at: datetime) -> str:
    """`2026-11-21 03:14 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def measured(value: float, unit: str) -> str:
    """A value in an evidence's unit: `12.4 %`, `6,200 ms`, `310 events`, `3 h 10 min`, `14.4 times`."""
    if unit == "share":
        return percent(value)
    if unit == "s":
        return span(timedelta(seconds=value))
    if unit == "x":
        return f"{number(value)} times"
    return f"{number(value)} {unit}".strip()
