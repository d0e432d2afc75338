"""What the nouns of the management API share: how an answer is written, ranges of time, rates, durations.

The pydantic models write the JSON and the OpenAPI document alike. Durations are milliseconds and end in
`_ms`; shares are 0..1, or null for "no data"; times are RFC 3339 in UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from flask import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from monitor.clock import Clock
from monitor.errors import Unprocessable
from monitor.figures import Rate
from monitor.histogram import Distribution
from monitor.model import DEFAULT_ENVIRONMENT, Grain

LONGEST = timedelta(days=400)
"""The longest range of time one answer covers."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a range must lie: within what a rollup can name."""

_WINDOW = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Shape(BaseModel):
    """An answer, made of the attributes of one of our own values."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """Parameters or a body; what is not known is refused, and text that no store can hold."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _is_storable(cls, value: object) -> object:
        if _has_nul(value):
            raise ValueError("a NUL character is in it")
        return value


class Scope(Asked):
    """Which environment, and how much of it."""

    environment: Annotated[str, Field(max_length=32, description="Environment.")] = DEFAULT_ENVIRONMENT
    source: Annotated[str | None, Field(max_length=64, description="Only this source.")] = None
    endpoint: Annotated[str | None, Field(max_length=128, description="Only this endpoint.")] = None


def _is_window(text: str) -> str:
    if _WINDOW.fullmatch(text) is None:
        raise ValueError("expected a length such as 90s, 15m, 24h or 7d")
    return text


Window = Annotated[str, AfterValidator(_is_window)]
"""A length of time as text; `length_of` reads it."""


def length_of(window: Window) -> timedelta:
    number, unit = window[:-1], window[-1]
    return timedelta(**{_UNITS[unit]: int(number)})


class Range(Scope):
    """A scope over [since, until); without them the last 24 hours."""

    since: Annotated[AwareDatetime | None, Field(description="Start, RFC 3339 with a zone.")] = None
    until: Annotated[AwareDatetime | None, Field(description="End, exclusive; default now.")] = None
    window: Annotated[
        Window | None,
        Field(description="In place of since: how long before until, such as 90s, 15m, 24h or 7d."),
    ] = None

    def bounds(self, clock: Clock, longest: timedelta = LONGEST) -> tuple[datetime, datetime]:
        """(start, end) in UTC. Raises Unprocessable for an empty, an endless or an absurdly distant range."""
        end_at = self.until or clock.now()
        if self.since is not None and self.window is not None:
            raise Unprocessable("since and window both say where the range begins", "give one of them")
        length = end_at - self.since if self.since is not None else length_of(self.window or "24h")
        if not timedelta(0) < length <= longest:
            raise Unprocessable("since must lie before until", f"ask for at most {longest.days} days")
        if not FIRST + length <= end_at <= LAST:
            raise Unprocessable("A range lies between the years 1970 and 2200.")
        return (end_at - length).astimezone(UTC), end_at.astimezone(UTC)


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value)) or any(map(_has_nul, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


Rounding = Annotated[
    Literal["hour", "day"] | None,
    Field(
        description="Set when the range had to be widened to whole hours or days, because finer counts are"
        " purged; since and until are then what is counted."
    ),
]


def rounding(grain: Grain | None) -> Literal["hour", "day"] | None:
    """How an answer says what it was widened to; None for a grain that is not wide."""
    if grain is Grain.HOUR:
        return "hour"
    return "day" if grain is Grain.DAY else None


class Share(Shape):
    """`part` of `whole`; share is null when there was nothing to take a share of."""

    part: int
    whole: int
    share: float | None

    @classmethod
    def of(cls, rate: Rate) -> "Share":
        return cls(part=rate.part, whole=rate.whole, share=rate.share)


class Spread(Shape):
    """A distribution in milliseconds; null when nothing was measured."""

    count: int
    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, found: Distribution) -> "Spread":
        p50_ms, p95_ms, p99_ms = found.quantiles(0.5, 0.95, 0.99)
        return cls(count=found.count, mean_ms=found.mean(), p50_ms=p50_ms, p95_ms=p95_ms, p99_ms=p99_ms)


def answer(shape: BaseModel, status: int = 200) -> Response:
    """The model as a JSON response."""
    return Response(shape.model_dump_json(), status, mimetype="application/json")
