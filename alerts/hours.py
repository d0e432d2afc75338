"""Hours of the day by the clocks of a place, such as 22:00-07:00 in Berlin: silences that recur and quiet
hours are made of them.

Where clocks are put forward, a time that they skip counts as the moment of the change; where they are put
back, a window lasts from the first time its start is read to the last time its end is. So a window has no
hole, and no year has a day without one. Pure; the time zones are the machine's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)

EXPECTED = "expected hours such as 22:00-07:00"
_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})")


@dataclass(frozen=True, slots=True)
class Hours:
    """[start, end) on the days named (0 is Monday; none named: each day), over midnight where end is not
    after start. timezone: an IANA name. `hours_of` makes checked ones."""

    start: time
    end: time
    timezone: str = "UTC"
    days: tuple[int, ...] = ()

    def __str__(self) -> str:
        days = f" on {','.join(DAYS[day] for day in self.days)}" if self.days else ""
        return f"{self.start:%H:%M}-{self.end:%H:%M}{days} ({self.timezone})"

    def window(self, now: datetime) -> tuple[datetime, datetime] | None:
        """(start, end) in UTC of the window that now lies in; None outside."""
        zone = ZoneInfo(self.timezone)
        today = now.astimezone(zone).date()
        for day in (today - DAY, today):
            if self.days and day.weekday() not in self.days:
                continue
            last_day = day + DAY if self.end <= self.start else day
            starts_at = _moment(day, self.start, zone, last=False)
            ends_at = _moment(last_day, self.end, zone, last=True)
            if starts_at <= now < ends_at:
                return starts_at, ends_at
        return None

    def cover(self, now: datetime) -> bool:
        return self.window(now) is not None


def hours_of(span: str, timezone: str = "UTC", days: str = "") -> Hours:
    """The hours of `22:00-07:00`, a zone such as `Europe/Berlin`, and days such as `mon-fri` or `sat,sun`.

    Raises ValueError, which says the expected form.
    """
    found = _SPAN.fullmatch(span.strip())
    if found is None:
        raise ValueError(EXPECTED)
    return Hours(_time(found[1]), _time(found[2]), _zone(timezone), _days(days))


def weeks_before(at: datetime, weeks: int, timezone: str) -> datetime:
    """The moment so many weeks earlier at which the clocks of the zone showed the same, in UTC."""
    return (at.astimezone(ZoneInfo(timezone)) - 7 * weeks * DAY).astimezone(UTC)


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.rjust(5, "0"))
    except ValueError as exc:
        raise ValueError(EXPECTED) from exc


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f'"{name}" is not a time zone; write one such as Europe/Berlin') from exc
    return name


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(",") if text.strip() else ():
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError("expected days such as mon-fri or sat,sun")
        begin, length = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7 if dash else 0
        found.update((begin + more) % 7 for more in range(length + 1))
    return tuple(sorted(found))


def _moment(day: date, at: time, zone: ZoneInfo, *, last: bool) -> datetime:
    """When the clocks of the zone show this: the last time or the first, or when they skip it."""
    shown = datetime.combine(day, at, zone)
    first, second = (shown.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if last else first
    return _change(second, first, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second between the two at which the zone's offset changes."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
