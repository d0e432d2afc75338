"""The tables of hookvitals.toml that say who is told of what, and when nobody is: routes, inhibitions,
maintenance windows, damping.

Like the other tables, each knows its own keys alone.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from alerts.flapping import DAMPING, Damping
from alerts.hours import Hours, hours_of
from alerts.model import REPEAT_CRITICAL, Inhibition, Route, Severity, Silence, Step
from alerts.silences import matcher_problem
from monitor.config.tables import Name, Table
from monitor.config.values import (
    Duration,
    PositiveDuration,
    Repetition,
    Span,
    TimeZone,
    duration_text,
    parse_duration,
)


def _matchers(value: dict[str, str]) -> dict[str, str]:
    for label, pattern in value.items():
        if problem := matcher_problem(label, pattern):
            raise ValueError(problem)
    return value


def _label(value: str) -> str:
    if problem := matcher_problem(value, "*"):
        raise ValueError(problem)
    return value


def _is_span(value: str) -> str:
    hours_of(value)
    return value


def _are_days(value: str) -> str:
    hours_of("00:00-00:00", days=value)
    return value


def _repeat(value: object) -> object:
    """One duration is for every severity."""
    return value if isinstance(value, dict) else dict.fromkeys(Severity, parse_duration(value))


def _repeat_text(value: dict[Severity, Any]) -> Any:
    return {severity.value: duration_text(every) for severity, every in value.items()}


LabelName = Annotated[str, AfterValidator(_label)]
Matchers = Annotated[dict[str, str], AfterValidator(_matchers)]
SomeMatchers = Annotated[Matchers, Field(min_length=1)]
HoursText = Annotated[str, AfterValidator(_is_span)]
DaysText = Annotated[str, AfterValidator(_are_days)]
Channels = Annotated[tuple[str, ...], Field(min_length=1)]
Repeat = Annotated[
    dict[Severity, Repetition],
    BeforeValidator(_repeat),
    PlainSerializer(_repeat_text, when_used="json"),
]


class StepTable(Table):
    """Who else is told when nobody took the alert on within `after` of its first message."""

    after: PositiveDuration
    channels: Channels


class RouteTable(Table):
    """Which alerts go to which channels; every route that matches adds its channels.

    repeat_every: one duration, or one per severity; without it what is critical repeats each hour. In
    quiet_hours what is not critical waits for their end.
    """

    channels: Channels
    min_severity: Severity = Severity.INFO
    matchers: Matchers = Field(default_factory=dict)
    repeat_every: Repeat = Field(default_factory=lambda: {Severity.CRITICAL: REPEAT_CRITICAL})
    fallback: str | None = None
    steps: tuple[StepTable, ...] = ()
    quiet_hours: HoursText | None = None
    quiet_days: DaysText = ""
    timezone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _days_have_hours(self) -> "RouteTable":
        if self.quiet_days and self.quiet_hours is None:
            raise ValueError('quiet_days need quiet_hours; write quiet_hours = "00:00-00:00" for whole days')
        return self

    def route(self) -> Route:
        return Route(
            self.channels,
            self.min_severity,
            self.matchers,
            self.repeat_every,
            self.fallback,
            tuple(Step(step.after, step.channels) for step in self.steps),
            self._quiet(),
        )

    def _quiet(self) -> Hours | None:
        hours = hours_of(self.quiet_hours or "00:00-00:00", self.timezone, self.quiet_days)
        return None if self.quiet_hours is None else hours


class InhibitionTable(Table):
    """A firing alert that matches `source` hides those that match `target`, where the labels `equal` are
    alike in both."""

    source: SomeMatchers
    target: SomeMatchers
    equal: tuple[LabelName, ...] = ("environment", "source", "endpoint")

    def inhibition(self) -> Inhibition:
        return Inhibition(self.source, self.target, self.equal)


class WindowTable(Table):
    """Planned work that comes back: alerts that match are told to nobody in these hours, by the clocks of the
    time zone."""

    name: Name
    matchers: SomeMatchers
    hours: HoursText
    days: DaysText = ""
    timezone: TimeZone = "UTC"

    def silence(self) -> Silence:
        """The window as a silence that never ends; its id is the window's name."""
        return Silence(
            self.name, self.matchers, _ALWAYS[0], _ALWAYS[1], "hookvitals.toml", self.name, self._hours()
        )

    def _hours(self) -> Hours:
        return hours_of(self.hours, self.timezone, self.days)


class FlappingTable(Table):
    """An alert that fires `count` times within `window` is told of once, as flapping, and held until it has
    been calm for `calm`. count 0 damps nothing."""

    count: Annotated[int, Field(ge=0, le=100)] = DAMPING.count
    window: Span = DAMPING.window
    calm: Duration = DAMPING.calm

    def damping(self) -> Damping:
        return Damping(self.count, self.window, self.calm)


_ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
