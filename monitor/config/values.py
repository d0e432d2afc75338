"""The kinds of value a setting may have beyond text and numbers: durations, ranges, URLs, secret references.

Each reads what a person writes and keeps what a program uses. A secret reference is never followed here.
"""

import re
from datetime import date, datetime, timedelta
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    model_validator,
)

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
LONGEST = timedelta(days=36_500)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def parse_duration(value: object) -> timedelta:
    """The timedelta of `"90s"`, `"15m"`, `"2h"`, `"7d"`, `"250ms"` or of a number of seconds."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        count, unit = value, UNITS["s"]
    elif isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        count, unit = float(found[1]), UNITS[found[2]]
    else:
        raise ValueError('expected a duration such as "90s", "15m", "2h" or "7d"')
    if not count <= LONGEST / unit:
        raise ValueError("expected a duration of 100 years at most")
    return count * unit


def duration_text(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back: `15m`, not `900s`."""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(value, UNITS[unit])
        if not rest and (count or unit == "s"):
            return f"{count}{unit}"
    return f"{value / UNITS['ms']:g}ms"


Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(duration_text)]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as exc:
        raise ValueError(f"expected a regular expression such as ok|ready ({exc})") from None
    return value


def _host(value: str) -> str:
    try:
        parts = urlsplit(f"//{value}")
        usable = bool(parts.hostname) and parts.netloc == value and "@" not in value and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not value.isprintable() or " " in value:
        raise ValueError('expected a host such as "api.example.com" or "api.example.com:8443"')
    return value


HostText = Annotated[str, AfterValidator(_host)]
PatternText = Annotated[str, AfterValidator(_pattern)]


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("expected a duration longer than nothing")
    return value


PositiveDuration = Annotated[Duration, AfterValidator(_positive)]


def _between(least: str, most: str) -> AfterValidator:
    def refused(value: timedelta) -> timedelta:
        if not parse_duration(least) <= value <= parse_duration(most):
            raise ValueError(f"expected a duration from {least} to {most}")
        return value

    return AfterValidator(refused)


Patience = Annotated[Duration, _between("100ms", "10m")]
"""How long one answer is waited for."""
Deadline = Annotated[Duration, _between("100ms", "1d")]
"""How soon a provider wants its answer."""
Span = Annotated[Duration, _between("1s", "400d")]
"""How often something is done again, or how far it reaches."""
Repetition = Annotated[Duration, _between("1m", "400d")]
"""How often somebody is told again."""


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("expected an address range such as 10.0.0.0/8 or fd00::/8") from None


NetworkText = Annotated[str, AfterValidator(_network)]


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("expected a URL such as https://hooks.example.com/stripe")
    if "@" in parts.netloc:
        raise ValueError("expected a URL without a user name or password in it")
    return value


def _broker_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("redis", "rediss", "http", "https") or not host:
        raise ValueError("expected a URL such as redis://host:6379/0 or http://host:15672")
    if "@" in parts.netloc:
        raise ValueError("expected a URL without a user name or password: they have keys of their own")
    if parts.scheme.startswith("redis") and not (parts.path.strip("/") or "0").isdecimal():
        raise ValueError("expected the number of a database at the end, as redis://host:6379/0")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
BrokerUrl = Annotated[str, AfterValidator(_broker_url)]


def _day(value: object) -> date:
    """A date of TOML, or its text; a moment is not taken for its day, nor a number for a moment."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if isinstance(day, datetime) or not isinstance(day, date) or not 2000 <= day.year < 2100:
        raise ValueError("expected a day such as 2026-12-01")
    return day


Day = Annotated[date, BeforeValidator(_day)]


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone; write one such as Europe/Berlin") from None
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]


POSTGRESQL = ("postgresql://", "postgres://")
_PASSWORDS = (re.compile(r"(://[^/?#@:]*:).*(?=@)"), re.compile(r"([?&](?:ssl)?password=)[^&]*"))


class StoreUrl(SecretStr):
    """The URL of a store; wherever it is shown, its password is not."""

    def _display(self) -> str:
        shown = self.get_secret_value()
        for password in _PASSWORDS:
            shown = password.sub(r"\1***", shown)
        return shown


def _postgresql_url(value: StoreUrl) -> StoreUrl:
    if value.get_secret_value() and not value.get_secret_value().startswith(POSTGRESQL):
        raise ValueError("expected a URL that begins with postgresql://")
    return value


def _control_url(value: StoreUrl) -> StoreUrl:
    return value if value.get_secret_value().startswith("sqlite:///") else _postgresql_url(value)


PostgresqlUrl = Annotated[StoreUrl, AfterValidator(_postgresql_url), PlainSerializer(str, when_used="json")]
ControlUrl = Annotated[StoreUrl, AfterValidator(_control_url), PlainSerializer(str, when_used="json")]
"""The URL of a store, or empty."""


class SecretRef(BaseModel):
    """Where a secret is: the name of an environment variable, or a file that holds nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = None
    file: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_a_reference(cls, value: object) -> object:
        if isinstance(value, SecretRef):
            return value
        keys = set(value) if isinstance(value, dict) else set()
        if keys not in ({"env"}, {"file"}):
            raise ValueError('expected a reference to a secret: { env = "NAME" } or { file = "/path" }')
        return value

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env else f"file {self.file}"
