"""What a view looks at: environment, time range and filters, as its URL holds them. Pure.

What a person can choose stands in the query string, so that each view can be linked, reloaded and shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from monitor.model import DEFAULT_ENVIRONMENT

RANGES: Mapping[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT_RANGE = "1h"
RANGE_WORDS = {
    "15m": "15 minutes",
    "1h": "hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
}
FILTERS = ("source", "endpoint", "type", "outcome", "error", "event", "state", "letter", "week", "alert", "q")
_TEXT_MAX = 256  # what no stored name exceeds


@dataclass(frozen=True, slots=True)
class Scope:
    """environment, range (a key of RANGES), and the filters that are set."""

    environment: str = DEFAULT_ENVIRONMENT
    range: str = DEFAULT_RANGE
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def length(self) -> timedelta:
        return RANGES[self.range]

    def since(self, now: datetime) -> datetime:
        return now - self.length

    def get(self, name: str) -> str | None:
        return self.filters.get(name)

    def with_filters(self, **changes: str | None) -> "Scope":
        """The same scope with filters set, or cleared by None or an empty text."""
        merged = {**self.filters, **changes}
        return replace(self, filters={name: text for name, text in merged.items() if text})

    def bare(self) -> "Scope":
        """Environment and range alone: what goes along from page to page."""
        return replace(self, filters={})


def scope_of(query: Mapping[str, object]) -> Scope:
    """The scope of a parsed query string. Unknown names and ranges fall back, over-long text is cut."""
    text = {name: str(value)[:_TEXT_MAX] for name, value in query.items() if value not in (None, "")}
    chosen = text.get("range", DEFAULT_RANGE)
    return Scope(
        environment=text.get("environment", DEFAULT_ENVIRONMENT),
        range=chosen if chosen in RANGES else DEFAULT_RANGE,
        filters={name: text[name] for name in FILTERS if name in text},
    )


def query_of(scope: Scope) -> str:
    """The query string, with its `?`; defaults are left out."""
    parts: dict[str, str] = {}
    if scope.environment != DEFAULT_ENVIRONMENT:
        parts["environment"] = scope.environment
    if scope.range != DEFAULT_RANGE:
        parts["range"] = scope.range
    parts.update(scope.filters)
    return f"?{urlencode(parts, quote_via=quote)}" if parts else ""


def to_store(scope: Scope) -> dict[str, object]:
    """The scope as a page's dcc.Store carries it."""
    return {"environment": scope.environment, "range": scope.range, **scope.filters}


def segment(text: str) -> str:
    """A name as one path segment: event ids may hold slashes."""
    return quote(text, safe="")
