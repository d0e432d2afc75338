"""How numbers, times and sizes are written for people: the one place where a rate becomes a percentage.

Pure text in, text out of nothing but its arguments. An absent value is always NO_DATA, never a zero.
"""

from datetime import UTC, datetime, timedelta

NO_DATA = "no data"
NONE = "–"

_SECOND_MS, _MINUTE_MS, _HOUR_MS = 1000.0, 60_000.0, 3_600_000.0


def count(value: float | None) -> str:
    """`12,345`."""
    return NO_DATA if value is None else f"{round(value):,}"


def compact(value: float | None) -> str:
    """`9,999`, then `12.3 k`, `4.56 M`: three digits that fit a tile."""
    if value is None:
        return NO_DATA
    for limit, divisor, unit in ((1e4, 1, ""), (1e6, 1e3, " k"), (1e9, 1e6, " M"), (1e12, 1e9, " G")):
        if abs(value) < limit:
            return f"{round(value):,}" if divisor == 1 else _three_digits(value / divisor) + unit
    return f"{value:.2e}"


def percent(rate: float | None) -> str:
    """A rate of 0..1 as `99.95 %`. Only exactly 0 and 1 are written as 0 % and 100 %."""
    if rate is None:
        return NO_DATA
    if rate in (0.0, 1.0):
        return f"{rate * 100:.0f} %"
    shown = f"{rate * 100:.2f}"
    if shown == "100.00":
        return "> 99.99 %"
    if shown == "0.00":
        return "< 0.01 %"
    return f"{shown} %"


def points(change: float | None) -> str:
    """A change of a rate in percentage points: `+0.42 pt`; empty when unknown or nothing."""
    if change is None or f"{change * 100:.2f}" in ("0.00", "-0.00"):
        return ""
    return f"{change * 100:+.2f} pt".replace("-", "−")


def relative(now: float | None, before: float | None) -> str:
    """How much `now` differs from `before`: `+12 %`, `×3.1`; empty when unknown or nothing."""
    if now is None or not before:
        return ""
    ratio = now / before
    if ratio >= 3:
        return f"×{ratio:.1f}"
    shown = f"{(ratio - 1) * 100:+.0f} %".replace("-", "−")
    return "" if shown in ("+0 %", "−0 %") else shown


def millis(ms: float | None) -> str:
    """A duration of milliseconds: `0.42 ms`, `87 ms`, `1.24 s`, `2 min 5 s`."""
    if ms is None:
        return NO_DATA
    if ms < _SECOND_MS:
        return f"{_three_digits(ms)} ms" if ms < 10 else f"{ms:.0f} ms"
    if ms < _MINUTE_MS:
        return f"{_three_digits(ms / _SECOND_MS)} s"
    return span(timedelta(milliseconds=ms))


def seconds(value: float | None) -> str:
    """A duration of seconds, as `millis`."""
    return NO_DATA if value is None else millis(value * 1000)


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `45 s`, `2 min 5 s`, `3 h 10 min`, `12 d`."""
    total = max(0, int(length.total_seconds()))
    days, rest = divmod(total, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours and days < 10 else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {secs} s" if secs and minutes < 10 else f"{minutes} min"
    return f"{secs} s"


def ago(at: datetime | None, now: datetime) -> str:
    """`3 min ago`, `in 12 d`, `never`."""
    if at is None:
        return "never"
    passed = now - at
    if passed < timedelta(seconds=-1):
        return f"in {span(-passed)}"
    return "just now" if passed < timedelta(seconds=1) else f"{span(passed)} ago"


def minute_ago(at: datetime | None, now: datetime) -> str:
    """As `ago`, of a time that is known to its minute alone: `this minute`, `3 min ago`."""
    if at is None or now - at >= timedelta(minutes=1):
        return ago(at and at.replace(second=now.second, microsecond=now.microsecond), now)
    return "this minute"


def moment(at: datetime | None) -> str:
    """`2026-11-21 03:59:12`, in UTC, which the page says once."""
    return NONE if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime) -> str:
    """`03:59:12.345`, in UTC."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03d}"


def precise(at: datetime | None) -> str:
    """`2026-11-21 03:59:12.345 UTC`."""
    if at is None:
        return NONE
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC"


def day(at: datetime | None) -> str:
    """`2026-11-21`."""
    return NONE if at is None else at.astimezone(UTC).strftime("%Y-%m-%d")


def size(value: int | None) -> str:
    """Bytes: `512 B`, `1.50 KiB`, `2.41 GiB`."""
    if value is None:
        return NO_DATA
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} B" if unit == "B" else f"{_three_digits(amount)} {unit}"
        amount /= 1024
    return f"{_three_digits(amount)} TiB"


def words(code: str) -> str:
    """A code as words: `bad_signature` → `bad signature`."""
    return code.replace("_", " ")


def _three_digits(value: float) -> str:
    magnitude = abs(value)
    digits = 2 if magnitude < 10 else 1 if magnitude < 100 else 0
    return f"{value:.{digits}f}"
