"""Numbers, spans and times as a person reads them. Percent appears only here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def percent(share: float) -> str:
    """0.124 as `12.4 %`; small shares keep two significant digits, so that 0.0004 is not `0 %`."""
    value = share * 100
    if value == 0 or abs(value) >= 0.1:
        text = f"{value:.1f}"
        return f"{text.removesuffix('.0')} %"
    return f"{value:.2g} %"


def number(count: float) -> str:
    """2500 as `2,500`; a fraction keeps one digit."""
    text = f"{count:,.1f}"
    return text.removesuffix(".0")


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
