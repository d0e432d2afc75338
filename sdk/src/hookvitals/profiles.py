"""What is known of each source system: how it signs, how long it waits, what it expects, where its ids stand.

Values from the providers' public documents; where those disagree with each other, or say nothing, `note` says
so. `register` adds a source or changes one for all receivers, the `profile` of a Receiver for that one alone.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from hookvitals import answers, challenges
from hookvitals.addresses import networks
from hookvitals.challenges import Challenge
from hookvitals.ordering import EQUAL_VERSIONS
from hookvitals.schemes import SCHEMES

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class Profile:
    """One source system.

    Paths are dotted paths into the JSON body; `header:<name>` names a header; `body:sha256`, for sources that
    give their events no id, is the digest of the body. Times are seconds.
    ack_status answers work that was taken; expected_statuses is what the sender counts as success.
    retry_horizon_s is how long the sender tries again; max_age_s, for schemes that sign no time of their own,
    is how old the body's time may be: handled events are remembered at least as long as either.
    resource_path and version_path feed the order guard; without both it is off. equal_versions is what the
    version that was processed last means when it comes again in another event: `duplicate`, or `process`.
    rate_per_minute is what the source may send, rate_burst of it at once (default: a minute's worth);
    replays_per_minute is what the monitor may, replays and canaries. None switches a limit off.
    statuses are the outcomes and refusals that this source is answered otherwise: see `answers.table`.
    challenge answers the provider's own question about the endpoint.
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
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} must be above 0; None switches the limit off")
        for name in ("ack_deadline_s", "tolerance_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)!r}")
        if not self.retry_horizon_s >= 0:
            raise ValueError(f"retry_horizon_s must be 0 or more, not {self.retry_horizon_s!r}")
        if self.equal_versions not in EQUAL_VERSIONS:
            raise ValueError(f"equal_versions is {' or '.join(EQUAL_VERSIONS)}, not {self.equal_versions!r}")
        for texts in self.allowed_addresses.values():
            networks(texts)
        answers.table(self.ack_status, self.statuses)

    def status_of(self) -> Mapping[str, int]:
        """Outcome or refusal → the status this source is answered."""
        return answers.table(self.ack_status, self.statuses)

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
            retry_horizon_s=76 * HOUR_S,
            id_path="header:webhook-id",
            created_at_path="timestamp",
            note="Senders wait 15 to 30 s and may come again for 75 h 35 min; 410 asks them to stop.",
        ),
        Profile(
            "svix",
            scheme="svix",
            ack_deadline_s=15.0,
            id_path="header:svix-id",
            created_at_path="timestamp",
            note="Comes again for 27 h 35 min; three days are remembered, for redeliveries by hand.",
        ),
        Profile(
            "openai",
            scheme="openai",
            ack_deadline_s=5.0,
            id_path="header:webhook-id",
            created_at_path="created_at",
            note="The documents ask for an answer within a few seconds and give no number; 5 s are ours. "
            "Comes again for 72 h.",
        ),
        Profile(
            "stripe",
            scheme="stripe",
            ack_deadline_s=10.0,
            created_at_path="created",
            note="The documents ask for a quick answer and give no number; 10 s are ours. Comes again for "
            "three days, in a sandbox three times within hours. `created` has whole seconds, too coarse to "
            "order by.",
        ),
        Profile(
            "github",
            scheme="github",
            ack_deadline_s=10.0,
            id_path="header:x-github-delivery",
            type_path="header:x-github-event",
            note="Never comes again by itself; a person may redeliver for three days, under the same "
            "delivery id. No time is signed. The webhook's content type must be application/json.",
        ),
        Profile(
            "gitlab",
            scheme="gitlab",
            ack_deadline_s=10.0,
            id_path="header:idempotency-key",
            type_path="header:x-gitlab-event",
            note="Sends its token itself and signs nothing. The id needs GitLab 17.4; before, set id_path to "
            "header:x-gitlab-event-uuid.",
        ),
        Profile(
            "shopify",
            scheme="shopify",
            ack_deadline_s=5.0,
            retry_horizon_s=2 * DAY_S,
            id_path="header:x-shopify-webhook-id",
            type_path="header:x-shopify-topic",
            created_at_path="header:x-shopify-triggered-at",
            note="Comes again 8 times in 4 h; older documents say 19 times in 48 h, which is remembered. No "
            "time is signed: the header that names one is not part of the signature.",
        ),
        Profile(
            "slack",
            scheme="slack",
            ack_deadline_s=3.0,
            retry_horizon_s=DAY_S,
            id_path="event_id",
            type_path="event.type",
            created_at_path="event_time",
            challenge=challenges.slack,
            note="Events API. Comes again three times, the last after 5 min; a day is remembered. "
            "Slash commands and buttons are forms, not JSON, and not for this receiver.",
        ),
        Profile(
            "zoom",
            scheme="zoom",
            ack_deadline_s=3.0,
            retry_horizon_s=DAY_S,
            id_path="body:sha256",
            type_path="event",
            created_at_path="event_ts",
            challenge=challenges.zoom,
            note="Names no event id: the digest of the body stands for it. Comes again three times within "
            "hours; a day is remembered.",
        ),
        Profile(
            "paddle",
            scheme="paddle",
            ack_deadline_s=5.0,
            id_path="event_id",
            type_path="event_type",
            created_at_path="occurred_at",
            note="Paddle Billing. Comes again for three days. Its own library takes times up to 5 s old; "
            "300 s are taken here, as for all.",
        ),
        Profile(
            "square",
            scheme="square",
            ack_deadline_s=10.0,
            retry_horizon_s=DAY_S,
            id_path="event_id",
            created_at_path="created_at",
            note="Signs the notification URL: give `public_url` behind a proxy. No time is signed.",
        ),
        Profile(
            "linear",
            scheme="linear",
            ack_deadline_s=5.0,
            tolerance_s=60.0,
            retry_horizon_s=DAY_S,
            id_path="header:linear-delivery",
            created_at_path="createdAt",
            note="Comes again after a minute, an hour and six hours. 60 s of tolerance are its own advice.",
        ),
        Profile("hmac", scheme="hmac"),
        Profile("generic", scheme="hmac", note="The same as `hmac`."),
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


def register(profile: Profile) -> None:
    """Makes a source known by its name, or changes a known one, for receivers made from now on.

    register(Profile("acme", scheme="hmac", id_path="meta.id", type_path="meta.kind"))
    register(dataclasses.replace(profile_of("stripe"), ack_deadline_s=20.0))
    """
    PROFILES[profile.name] = profile
