"""The tables of hookvitals.toml, one class each: what may stand in them, in which form, and the defaults.

A table knows its own keys alone; what tables must agree on stands in `agreement.py`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WrapValidator, model_validator

from alerts.model import NoData, Rule, Severity
from alerts.rules import make
from hookvitals.profiles import PROFILES
from monitor.config.values import (
    BrokerUrl,
    Day,
    Deadline,
    Duration,
    HostText,
    HttpUrl,
    NetworkText,
    Patience,
    PatternText,
    PositiveDuration,
    SecretRef,
    Span,
    TimeZone,
)
from monitor.model import DEFAULT_ENVIRONMENT

Name = Annotated[str, Field(min_length=1, max_length=64)]
Status = Annotated[int, Field(ge=100, le=599)]
Port = Annotated[int, Field(ge=1, le=65535)]

DEADLINE = timedelta(seconds=30)
"""How soon a provider wants its answer that is not among the SDK's profiles."""


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SecretTable(Table):
    """A signing secret that is to go. id: the short keyed hash by which records name it."""

    id: Name
    remove_after: Day


class SourceTable(Table):
    """A provider. retry_horizon: how long it redelivers what was not acknowledged. api_host: its own API, as
    api.example.com or with a port, whose certificate is looked at too. secrets: those that are to go."""

    name: Name
    deadline: Deadline | None = None
    expected_statuses: tuple[Status, ...] = (200, 201, 202, 204)
    retry_horizon: Span = timedelta(hours=24)
    redeliver: bool = False
    api_host: HostText | None = None
    secrets: tuple[SecretTable, ...] = ()

    @property
    def deadline_or_default(self) -> timedelta:
        """As stated; else the provider's own, by its name; else 30 s."""
        known = PROFILES.get(self.name)
        return self.deadline or (timedelta(seconds=known.ack_deadline_s) if known else DEADLINE)


class EndpointTable(Table):
    """A receiving URL. probe_url: asked in place of `url`, for a health page behind the same server.

    A probe counts any answer below 500 as up, or exactly probe_statuses when they are given; the answer must
    also contain probe_contains, match the pattern probe_matches, and hold the values of probe_json (by dotted
    path) and probe_headers. probe_exposure: once in a while `url` gets a POST without a signature and a GET,
    which the receiver itself must refuse; the receiver records the refusals. probe_canary: signed canaries,
    which need a replay_secret, are sent and must leave their record.
    """

    source: Name
    name: Annotated[str, Field(min_length=1, max_length=128)]
    url: HttpUrl
    environment: Annotated[str, Field(min_length=1, max_length=32)] = DEFAULT_ENVIRONMENT
    insecure: bool = False
    probe: bool = True
    probe_url: HttpUrl | None = None
    probe_method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    probe_statuses: tuple[Status, ...] = ()
    probe_contains: str = ""
    probe_matches: PatternText = ""
    probe_json: dict[str, str | int | float | bool] = Field(default_factory=dict)
    probe_headers: dict[str, str] = Field(default_factory=dict)
    probe_exposure: bool = False
    probe_canary: bool = False
    replay_secret: SecretRef | None = None


def _number_or_text(value: object, number: Callable[[object], float]) -> object:
    """A text is kept: the rule refuses it, and says which values its parameter takes."""
    return value if isinstance(value, str) else number(value)


class RuleTable(Table):
    """A rule: a kind's default with the stated changes. Under a default's name it takes its place.

    threshold: a number in the kind's unit, or a text with its own: "5 %", "5s". quiet_hours, of no_events:
    as "22:00-07:00" or "00:00-00:00 sat,sun", by the clocks of timezone.
    """

    kind: str
    name: Name | None = None
    severity: Severity | None = None
    environment: str | None = None
    source: str | None = None
    endpoint: str | None = None
    event_type: str | None = None
    threshold: float | str | None = None
    clear_threshold: float | str | None = None
    window: PositiveDuration | None = None
    for_: Annotated[Duration | None, Field(alias="for")] = None
    keep_firing_for: Duration | None = None
    interval: PositiveDuration | None = None
    min_sample: int | None = None
    no_data: NoData | None = None
    runbook: str | None = None
    labels: dict[str, str] | None = None
    params: dict[str, Annotated[float, WrapValidator(_number_or_text)]] | None = None
    quiet_hours: tuple[str, ...] | None = None
    timezone: str | None = None
    enabled: bool | None = None

    def rule(self) -> Rule:
        """The rule this makes. Raises alerts.errors.RuleError."""
        stated = {key: value for key in self.model_fields_set if (value := getattr(self, key)) is not None}
        kind = stated.pop("kind")
        return make(kind, stated.pop("name", None), **stated)


def _share(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError("expected a share between 0 and 1 such as 0.999, which is 99.9 %")
    return value


class SloTable(Table):
    """A promise for the weekly report. objective: the share of events that must succeed, 0..1."""

    name: Name
    source: str = "*"
    endpoint: str = "*"
    objective: Annotated[float, AfterValidator(_share)] = 0.999


class EgressTable(Table):
    """allow: private ranges that probes, replays and channels may dial besides the public internet."""

    allow: tuple[NetworkText, ...] = ()


class EvaluationTable(Table):
    """interval: how often each rule is judged that states none itself; unset leaves each kind's own.

    Rules that watch the monitor itself keep theirs.
    """

    interval: Span | None = None


class ProbesTable(Table):
    """How often endpoints are looked at from outside. canary_within: how soon a canary's record must be
    there. ca_file: certificates of authorities of your own, in PEM, trusted besides the public ones."""

    interval: Span = timedelta(seconds=60)
    tls_interval: Span = timedelta(hours=1)
    exposure_interval: Span = timedelta(hours=1)
    canary_interval: Span = timedelta(minutes=5)
    canary_within: Deadline = timedelta(seconds=60)
    queue_interval: Span = timedelta(seconds=30)
    ca_file: str | None = None
    timeout: Patience = timedelta(seconds=10)


class QueueTable(Table):
    """A queue whose depth is asked of its broker: of RabbitMQ by the URL of its management API, of all others
    by redis:// or rediss://. queue: its name or key at the broker; name: what samples call it, if other.

    group: the consumers of a stream, whose unread and unacknowledged entries count. Celery is asked where its
    broker is; vhost is RabbitMQ's.
    """

    source: Name
    endpoint: Annotated[str, Field(min_length=1, max_length=128)]
    environment: Annotated[str, Field(min_length=1, max_length=32)] = DEFAULT_ENVIRONMENT
    kind: Literal["redis_list", "redis_stream", "celery", "rq", "rabbitmq"]
    url: BrokerUrl
    queue: Annotated[str, Field(min_length=1, max_length=255)]
    name: Annotated[str | None, Field(min_length=1, max_length=128)] = None
    vhost: str = "/"
    group: str | None = None
    user: str | None = None
    password: SecretRef | None = None

    @model_validator(mode="after")
    def _broker_is_of_the_kind(self) -> "QueueTable":
        speaks_http = self.url.startswith("http")
        if speaks_http != (self.kind == "rabbitmq") and not (speaks_http and self.kind == "celery"):
            wanted = "http:// or https://, its management API" if self.kind == "rabbitmq" else "redis://"
            raise ValueError(f"the url of a {self.kind} queue begins with {wanted}")
        return self


class ReplayTable(Table):
    """How replays are sent. per_second: events a second to one endpoint."""

    per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    timeout: Patience = timedelta(seconds=30)


class ReportTable(Table):
    """The weekly report. channel: the email channel that gets it each Monday; unset sends none."""

    timezone: str = "UTC"
    channel: str | None = None
    recipients: tuple[str, ...] = ()
    hour: Annotated[int, Field(ge=0, le=23)] = 6


class DrillTable(Table):
    """A message to every channel once a week that says it is a drill, so that a channel that has gone dead is
    found before it is needed. hour: local, of that day."""

    enabled: bool = False
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "wednesday"
    hour: Annotated[int, Field(ge=0, le=23)] = 10
    timezone: TimeZone = "UTC"


class HeartbeatTable(Table):
    """url: asked after a completed evaluation, once a minute at most, so that somebody watches the watcher.

    It is a secret, for whoever knows it can feign a living monitor.
    """

    url: SecretRef | None = None


class IssuesTable(Table):
    """Failures folded into issues. quiet_after: one that has not been seen for so long is over by itself."""

    quiet_after: PositiveDuration = timedelta(days=14)


class MaintenanceTable(Table):
    """How long control keeps what is finished."""

    alerts: PositiveDuration = timedelta(days=400)
    issues: PositiveDuration = timedelta(days=400)
    notifications: PositiveDuration = timedelta(days=90)
