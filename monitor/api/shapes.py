"""What the nouns of the management API share: how an answer is written, ranges of time, rates, durations.

The pydantic models write the JSON and the OpenAPI document alike. Durations are milliseconds and end in
`_ms`; shares are 0..1, or null for "no data"; times are RFC 3339 in UTC.
"""

from datetime import datetime, timedelta
from typing import Annotated

from flask import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from monitor.clock import Clock
from monitor.errors import Unprocessable
from monitor.figures import Rate
from monitor.histogram import Distribution
from monitor.model import DEFAULT_ENVIRONMENT

LONGEST = timedelta(days=400)
"""The longest range of time one answer covers."""


class Shape(BaseModel):
    """An answer, made of the attributes of one of our own values."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """Parameters or a body; what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Scope(Asked):
    """Which environment, and how much of it."""

    environment: Annotated[str, Field(max_length=32, description="Environment.")] = DEFAULT_ENVIRONMENT
    source: Annotated[str | None, Field(max_length=64, description="Only this source.")] = None
    endpoint: Annotated[str | None, Field(max_length=128, description="Only this endpoint.")] = None


class Range(Scope):
    """A scope over [since, until); without them the last 24 hours."""

    since: Annotated[AwareDatetime | None, Field(description="Start, RFC 3339 with a zone.")] = None
    until: Annotated[AwareDatetime | None, Field(description="End, exclusive; default now.")] = None

    def bounds(self, clock: Clock) -> tuple[datetime, datetime]:
        """(start, end). Raises Unprocessable for an empty or an endless range."""
        end_at = self.until or clock.now()
        start_at = self.since or end_at - timedelta(hours=24)
        if not timedelta(0) < end_at - start_at <= LONGEST:
            raise Unprocessable("since must lie before until", f"ask for at most {LONGEST.days} days")
        return start_at, end_at


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
        return cls(
            count=found.count,
            mean_ms=found.mean(),
            p50_ms=found.quantile(0.5),
            p95_ms=found.quantile(0.95),
            p99_ms=found.quantile(0.99),
        )


def answer(shape: BaseModel, status: int = 200) -> Response:
    """The model as a JSON response."""
    return Response(shape.model_dump_json(), status, mimetype="application/json")
