"""A file of cases for `hookvitals rules test`: made-up traffic, and what the rules shall make of it.

Times are durations from the start of a case. It reads no file and judges nothing.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from alerts.model import Severity, State
from monitor.config.tables import Name, Status, Table
from monitor.config.telling import SomeMatchers
from monitor.config.values import Duration, PositiveDuration, duration_text
from monitor.model import DEFAULT_ENVIRONMENT, VERIFICATION_FAILURES

START = datetime(2026, 11, 18, 11, tzinfo=UTC)
"""A Wednesday before noon, for cases that name no time of their own."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]


def _is_reason(value: str) -> str:
    known = [reason.value for reason in VERIFICATION_FAILURES]
    if value not in known:
        raise ValueError(f"expected a reason, one of {', '.join(known)}")
    return value


ReasonName = Annotated[str, AfterValidator(_is_reason)]


class MinuteTable(Table):
    """What happens in each minute. answers: status → how many that were not refused; without it each attempt
    was a delivery, answered 200 or 500. refused: reason → how many, answered 401."""

    succeeded: Count = 0
    failed: Count = 0
    dead_lettered: Count = 0
    accepted: Count = 0
    duplicates: Count = 0
    stale: Count = 0
    unhandled: Count = 0
    answers: dict[Status, Count] | None = None
    refused: dict[ReasonName, Count] = Field(default_factory=dict)
    process_ms: Annotated[float, Field(ge=0)] = 50.0
    ack_ms: Annotated[float, Field(ge=0)] = 50.0
    error_class: Name = "Error"


class StretchTable(Table):
    """Something of an endpoint from `from` until `to`; without `to` until the end of the case."""

    source: Name
    endpoint: Annotated[str, Field(min_length=1, max_length=128)]
    environment: Annotated[str, Field(min_length=1, max_length=32)] = DEFAULT_ENVIRONMENT
    from_: Annotated[Duration, Field(alias="from")] = timedelta(0)
    to: PositiveDuration | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        return self.environment, self.source, self.endpoint


class TrafficTable(StretchTable):
    """Traffic; what several tables say of one endpoint and minute adds up."""

    event_type: Annotated[str, Field(min_length=1, max_length=256)] = "event"
    per_minute: MinuteTable


class QueueTable(StretchTable):
    """A queue that was sampled each minute."""

    queue: Name = "inbox"
    depth: Count
    oldest_age: Duration | None = None


class ProbeTable(StretchTable):
    """HTTP probes, one each minute. up: whether they got an answer. expires_in: of its certificate, from the
    start of the case."""

    up: bool = True
    expires_in: Duration | None = None


class BlindTable(Table):
    """No collector was heard from `from` until `to`."""

    from_: Annotated[Duration, Field(alias="from")]
    to: PositiveDuration


class HushTable(Table):
    """A silence that somebody made."""

    matchers: SomeMatchers
    from_: Annotated[Duration, Field(alias="from")] = timedelta(0)
    to: PositiveDuration


class ExpectTable(Table):
    """What shall be so at `at`. told: the channels that have had a message of this alert by then, in any
    order; severity and told are not looked at when they are left out.

    labels: of the alert; those left out may be anything. rule `*` with state `inactive`: nothing is pending
    or fires.
    """

    at: PositiveDuration
    rule: str
    state: State
    labels: dict[str, str] = Field(default_factory=dict)
    severity: Severity | None = None
    told: tuple[str, ...] | None = None


class CaseTable(Table):
    """One story and its expectations."""

    name: Annotated[str, Field(min_length=1)]
    start: datetime = START
    length: Annotated[PositiveDuration, Field(le=timedelta(days=8))]
    traffic: tuple[TrafficTable, ...] = ()
    queues: tuple[QueueTable, ...] = ()
    probes: tuple[ProbeTable, ...] = ()
    blind: tuple[BlindTable, ...] = ()
    silences: tuple[HushTable, ...] = ()
    expect: Annotated[tuple[ExpectTable, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _nothing_is_expected_after_the_end(self) -> Self:
        for expected in self.expect:
            if expected.at > self.length:
                said = f"{duration_text(expected.at)}, but the case ends at {duration_text(self.length)}"
                raise ValueError(f"{expected.rule} is expected at {said}")
        return self


class CasesFile(Table):
    cases: Annotated[tuple[CaseTable, ...], Field(min_length=1)]
