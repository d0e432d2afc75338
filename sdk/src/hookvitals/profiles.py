"""What is known of each source system: how it signs, how long it waits, what it expects, where its ids stand.

Values from the providers' public documents; where those disagree with each other, `note` says so. A user
changes any of them with `dataclasses.replace` or the keyword arguments of Receiver.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

DAY_S = 86_400.0


@dataclass(frozen=True)
class Profile:
    """One source system.

    Paths are dotted paths into the JSON body; `header:<name>` names a header. Times are seconds.
    ack_status answers work that was taken; expected_statuses is what the sender counts as success.
    retry_horizon_s is how long the sender tries again; max_age_s, for schemes that sign no time of their own,
    is how old the body's time may be: handled events are remembered at least as long as either.
    resource_path and version_path feed the order guard; without both it is off.
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
    rate_per_minute: Optional[float] = 100.0
    note: str = ""

    def memory_s(self) -> float:
        """How long a handled event must be remembered, in seconds."""
        return max(self.retry_horizon_s, 2 * self.tolerance_s, (self.max_age_s or 0.0) + self.tolerance_s)


PROFILES: Dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "orum",
            scheme="orum",
            ack_deadline_s=30.0,
            retry_horizon_s=DAY_S,
            max_age_s=3 * DAY_S,
            id_path="event_id",
            type_path="event_type",
            created_at_path="created_at",
            resource_path="event_data.id",
            version_path="event_data.updated_at",
            allowed_addresses={
                "sandbox": ("34.232.246.7/32",),
                "production": ("34.231.148.64/32", "3.234.102.51/32", "54.221.230.177/32"),
            },
            note="Up to 15 redeliveries in 24 h, in no order. created_at is signed as its exact text.",
        ),
        Profile(
            "hopnow",
            scheme="hopnow",
            ack_deadline_s=5.0,
            retry_horizon_s=DAY_S,
            max_age_s=3 * DAY_S,
            created_at_path="created",
            resource_path="data.id",
            version_path="data.updated",
            note="The guide asks for an answer within 5 s, the reference within 30 s; the shorter is taken. "
            "Bare hex in the guide, sha256=<hex> in the reference: both are read.",
        ),
        Profile(
            "scalekit",
            scheme="scalekit",
            ack_deadline_s=10.0,
            ack_status=201,
            created_at_path="occurred_at",
            resource_path="data.id",
            note="Up to 3 retries in one page and 6 attempts over 22 min in another. "
            "Its SDK signs as Standard Webhooks, its guide as t=,v1=: the header's shape decides.",
        ),
        Profile(
            "standard",
            scheme="standard",
            ack_deadline_s=15.0,
            id_path="header:webhook-id",
            created_at_path="timestamp",
            note="Senders wait 15 to 30 s; 410 asks them to stop.",
        ),
        Profile(
            "svix", scheme="svix", ack_deadline_s=15.0, id_path="header:svix-id", created_at_path="timestamp"
        ),
        Profile("hmac", scheme="hmac"),
        Profile(
            "timestamped",
            scheme="timestamped",
            created_at_path="created",
            note="Stripe's form: t=<seconds>,v1=<hex> in one header.",
        ),
    )
}


def profile_of(name: str) -> Profile:
    """The profile of a source system. Raises ValueError for an unknown name, listing the known ones."""
    if name not in PROFILES:
        raise ValueError(f"unknown source system {name!r}; known are {', '.join(sorted(PROFILES))}")
    return PROFILES[name]
