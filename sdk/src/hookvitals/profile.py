"""One source system: how it signs, how long it waits, what it expects, where its ids stand, what it asks.

Values alone, checked; what is known of each provider stands in `profiles`.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence, Tuple

from hookvitals import answers
from hookvitals.addresses import networks
from hookvitals.bodies import JSON, KINDS, steps_of
from hookvitals.challenges import Challenge, Handshake
from hookvitals.declarations import MOST_TYPES, TYPE_CHARS
from hookvitals.ordering import EQUAL_VERSIONS
from hookvitals.schemes import SCHEMES

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
CENTURY_S = 36_500 * DAY_S


@dataclass(frozen=True)
class Profile:
    """One source system.

    body is `json` or `form`; a form's fields are texts, or lists of texts where a field comes more than once.
    events_path leads to the list of events in a body that holds several, `.` where the body itself is the
    list: each becomes an event of its own, and the other paths begin at it.
    Paths are dotted paths into the body; `header:<name>` names a header; `body:sha256`, for sources that give
    their events no id, is the digest of the event as it came; `+` between two joins what they lead to. Times
    are seconds.
    ack_status answers work that was taken; expected_statuses is what the sender counts as success.
    retry_horizon_s is how long the sender tries again; max_age_s, for schemes that sign no time of their own,
    is how old the body's time may be: handled events are remembered at least as long as either.
    resource_path and version_path feed the order guard; without both it is off. equal_versions is what the
    version that was processed last means when it comes again in another event: `duplicate`, or `process`.
    rate_per_minute is what the source may send, rate_burst of it at once (default: a minute's worth);
    replays_per_minute is what the monitor may, replays and canaries. None switches a limit off.
    statuses are the outcomes and refusals that this source is answered otherwise: see `answers.table`.
    ack_body is the text of a 2xx, for sources that want to read one.
    challenge answers the provider's own question about the endpoint, handshake one that comes unsigned, and
    subscribe_url finds the address that confirms a subscription: see `challenges`.
    expected_types are the types that are to come, each by its whole name.
    Raises ValueError for a value that cannot work.
    """

    name: str
    scheme: str
    scheme_settings: Mapping[str, Any] = field(default_factory=dict)
    ack_deadline_s: float = 30.0
    tolerance_s: float = 300.0
    retry_horizon_s: float = 3 * DAY_S
    max_age_s: Optional[float] = None
    ack_status: int = 200
    expected_statuses: Tuple[int, ...] = (200, 201, 202, 204)
    id_path: str = "id"
    type_path: str = "type"
    created_at_path: Optional[str] = None
    resource_path: Optional[str] = None
    version_path: Optional[str] = None
    allowed_addresses: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    equal_versions: str = "duplicate"
    rate_per_minute: Optional[float] = 100.0
    rate_burst: Optional[float] = None
    replays_per_minute: Optional[float] = 600.0
    statuses: Mapping[str, int] = field(default_factory=dict)
    challenge: Optional[Challenge] = None
    handshake: Optional[Handshake] = None
    subscribe_url: Optional[Callable[[Any], Optional[str]]] = None
    body: str = "json"
    events_path: Optional[str] = None
    ack_body: str = ""
    expected_types: Sequence[str] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(
                f"unknown signature scheme {self.scheme!r}; known are {', '.join(sorted(SCHEMES))}"
            )
        if not isinstance(self.ack_status, int) or not 200 <= self.ack_status <= 299:
            raise ValueError(f"ack_status must be a number from 200 to 299, not {self.ack_status!r}")
        for name in ("rate_per_minute", "rate_burst", "replays_per_minute"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < float("inf"):
                raise ValueError(f"{name} must be above 0; None switches the limit off")
        for name in ("ack_deadline_s", "tolerance_s", "max_age_s"):
            value = getattr(self, name)
            if not (name == "max_age_s" and value is None) and not 0 < value <= CENTURY_S:
                raise ValueError(f"{name} must be above 0, a century at most, not {value!r}")
        if not 0 <= self.retry_horizon_s <= CENTURY_S:
            raise ValueError(
                f"retry_horizon_s must be 0 or more, a century at most, not {self.retry_horizon_s!r}"
            )
        if self.equal_versions not in EQUAL_VERSIONS:
            raise ValueError(f"equal_versions is {' or '.join(EQUAL_VERSIONS)}, not {self.equal_versions!r}")
        self._check_body()
        self._check_expected()
        for texts in self.allowed_addresses.values():
            networks(texts)
        answers.table(self.ack_status, self.statuses)

    def _check_body(self) -> None:
        if self.body not in KINDS:
            raise ValueError(f"body is {' or '.join(KINDS)}, not {self.body!r}")
        if self.events_path is not None and (self.body != JSON or not all(steps_of(self.events_path))):
            raise ValueError(f"events_path is . or a dotted path into JSON, not {self.events_path!r}")

    def _check_expected(self) -> None:
        if isinstance(self.expected_types, str) or len(self.expected_types) > MOST_TYPES:
            raise ValueError(f"expected_types is a list of at most {MOST_TYPES} types")
        for name in self.expected_types:
            if not isinstance(name, str) or not 0 < len(name) <= TYPE_CHARS or "*" in name:
                raise ValueError(f"expected_types has {name!r}, which is no type's whole name")

    def status_of(self) -> Mapping[str, int]:
        """Outcome or refusal → the status this source is answered."""
        return answers.table(self.ack_status, self.statuses)

    def memory_s(self) -> float:
        """How long a handled event must be remembered, in seconds."""
        return max(self.retry_horizon_s, 2 * self.tolerance_s, (self.max_age_s or 0.0) + self.tolerance_s)
