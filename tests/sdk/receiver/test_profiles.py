"""What is known of each source, and where a source is added or changed (practices 1 and 2)."""

import base64
import dataclasses
from collections.abc import Iterator

import pytest

from hookvitals import PROFILES, Profile, profile_of, register
from hookvitals.schemes import SCHEMES
from hookvitals.secret import PROVIDER_ALONE
from hookvitals.testing import new_secret, signed_request
from tests.sdk.schemes.oracles import HAS_OPENSSL, b64, openssl_mac
from tests.sdk.world import NOW, SECRET, URL, Answered, World

HOUR_S, DAY_S = 3_600.0, 86_400.0
ITEM = "NotificationRequestItem"
DOCUMENTED = {
    # system: deadline, comes again for at most, answered, id, type
    "orum": (30.0, DAY_S, 200, "event_id", "event_type"),
    "hopnow": (5.0, DAY_S, 200, "id", "type"),
    "scalekit": (10.0, 3 * DAY_S, 201, "id", "type"),
    "standard": (15.0, 76 * 3600.0, 200, "header:webhook-id", "type"),
    "svix": (15.0, 3 * DAY_S, 200, "header:svix-id", "type"),
    "openai": (5.0, 3 * DAY_S, 200, "header:webhook-id", "type"),
    "stripe": (10.0, 3 * DAY_S, 200, "id", "type"),
    "github": (10.0, 3 * DAY_S, 200, "header:x-github-delivery", "header:x-github-event"),
    "gitlab": (10.0, 3 * DAY_S, 200, "header:idempotency-key", "header:x-gitlab-event"),
    "shopify": (5.0, 2 * DAY_S, 200, "header:x-shopify-webhook-id", "header:x-shopify-topic"),
    "slack": (3.0, DAY_S, 200, "event_id", "event.type"),
    "zoom": (3.0, DAY_S, 200, "body:sha256", "event"),
    "paddle": (5.0, 3 * DAY_S, 200, "event_id", "event_type"),
    "square": (10.0, DAY_S, 200, "event_id", "type"),
    "linear": (5.0, DAY_S, 200, "header:linear-delivery", "type"),
    "paypal": (20.0, 3 * DAY_S, 200, "id", "event_type"),
    "sns": (15.0, HOUR_S, 200, "MessageId", "Type"),
    "zendesk": (10.0, DAY_S, 200, "id", "type"),
    "plaid": (10.0, DAY_S, 200, "body:sha256", "webhook_type+webhook_code"),
    "twilio": (15.0, HOUR_S, 200, "header:i-twilio-idempotency-token", "SmsStatus"),
    "sendgrid": (10.0, DAY_S, 200, "sg_event_id", "event"),
    "hubspot": (5.0, DAY_S, 200, "eventId+subscriptionId", "subscriptionType"),
    "hubspot_v1": (5.0, DAY_S, 200, "eventId+subscriptionId", "subscriptionType"),
    "hubspot_v2": (30.0, 3 * DAY_S, 200, "body:sha256", "objectType"),
    "adyen": (
        10.0,
        30 * DAY_S,
        200,
        f"{ITEM}.pspReference+{ITEM}.eventCode+{ITEM}.success",
        f"{ITEM}.eventCode",
    ),
    "adyen_platform": (10.0, 30 * DAY_S, 200, "body:sha256", "type"),
    "intercom": (5.0, HOUR_S, 200, "id", "topic"),
    "typeform": (30.0, DAY_S, 200, "event_id", "event_type"),
    "vercel": (10.0, DAY_S, 200, "id", "type"),
    "meta": (5.0, 7 * DAY_S, 200, "body:sha256", "object"),
    "discord": (3.0, HOUR_S, 204, "body:sha256", "event.type"),
    "line": (2.0, DAY_S, 200, "webhookEventId", "type"),
    "outpost": (5.0, 3 * DAY_S, 200, "header:x-outpost-event-id", "header:x-outpost-topic"),
    "mailgun": (10.0, 9 * HOUR_S, 200, "signature.token", "event-data.event"),
    "truelayer": (10.0, 3 * DAY_S, 200, "event_id", "type"),
    "hmac": (30.0, 3 * DAY_S, 200, "id", "type"),
    "generic": (30.0, 3 * DAY_S, 200, "id", "type"),
    "timestamped": (30.0, 3 * DAY_S, 200, "id", "type"),
}
NOT_EVERY_2XX = {"zoom": (200, 204), "paddle": (200,), "linear": (200,), "meta": (200,), "mailgun": (200,)}


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """Leaves the table as it was."""
    kept = dict(PROFILES)
    yield
    PROFILES.clear()
    PROFILES.update(kept)


@pytest.mark.parametrize("system", DOCUMENTED)
def test_a_source_is_known_by_what_its_documents_say(system: str) -> None:
    profile = profile_of(system)

    assert (
        profile.ack_deadline_s,
        profile.retry_horizon_s,
        profile.ack_status,
        profile.id_path,
        profile.type_path,
    ) == DOCUMENTED[system]
    assert profile.ack_status in profile.expected_statuses
    assert profile.memory_s() >= profile.retry_horizon_s


@pytest.mark.parametrize("system", ["paypal", "sns"])
def test_a_try_under_the_time_of_the_first_is_no_replay_as_long_as_there_are_tries(system: str) -> None:
    profile = profile_of(system)

    assert profile.tolerance_s == SCHEMES[system].tolerance_s == profile.retry_horizon_s + 300.0
    assert profile.memory_s() >= 2 * profile.tolerance_s


def test_every_source_is_in_this_table() -> None:
    assert set(PROFILES) == set(DOCUMENTED)


def test_sources_that_do_not_take_every_2xx_for_received_say_which() -> None:
    usual = Profile("acme", scheme="hmac").expected_statuses

    assert {
        name: each.expected_statuses for name, each in PROFILES.items() if each.expected_statuses != usual
    } == NOT_EVERY_2XX


@pytest.mark.parametrize("system", ["hopnow", "scalekit", "stripe", "shopify", "paddle", "linear", "openai"])
def test_where_documents_differ_or_are_silent_a_note_says_so(system: str) -> None:
    assert len(profile_of(system).note) > 40


def test_addresses_are_listed_for_those_who_publish_them_in_the_documents_we_read() -> None:
    listed = {name for name, profile in PROFILES.items() if profile.allowed_addresses}

    assert listed == {"orum"}
    assert profile_of("orum").allowed_addresses == {  # practice 8
        "sandbox": ("34.232.246.7/32",),
        "production": ("34.231.148.64/32", "3.234.102.51/32", "54.221.230.177/32"),
    }


@pytest.mark.parametrize("system", sorted(set(DOCUMENTED) - set(PROVIDER_ALONE)))
def test_what_it_sends_is_received_and_known_again(world: World, system: str) -> None:
    secret = new_secret(system)
    receiver = world.receiver(system, system=None, secrets=[secret.verifying], allow_from=[])
    headers, body = signed_request(system, secret.signing, "evt_1", "invoice.paid", now=NOW, url=URL)

    statuses = [Answered(receiver.handle("POST", URL, headers, body, "192.0.2.1")).status for _ in range(2)]

    assert statuses == [profile_of(system).ack_status] * 2
    assert [event.type for event in world.handled] == ["invoice.paid"]
    assert world.outcomes() == ["succeeded", "duplicate"]


@HAS_OPENSSL
def test_gitlab_s_signing_token_is_read_as_standard_webhooks(world: World) -> None:
    receiver = world.receiver("gitlab", system=None, profile={"scheme": "standard"})
    body, stamp = b'{"object_kind": "push"}', f"{NOW:.0f}"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    headers = [
        ("X-Gitlab-Event", "Push Hook"),
        ("Idempotency-Key", "f5e5f430"),
        ("webhook-id", "f5e5f430"),
        ("webhook-timestamp", stamp),
        ("webhook-signature", f"v1,{b64(openssl_mac(key, f'f5e5f430.{stamp}.'.encode() + body))}"),
    ]

    statuses = [Answered(receiver.handle("POST", URL, headers, text)).status for text in (body, body + b" ")]

    assert statuses == [200, 401]
    assert [(event.id, event.type) for event in world.handled] == [("f5e5f430", "Push Hook")]


def test_a_source_of_ones_own_is_registered_once_and_received(world: World) -> None:
    register(Profile("acme", scheme="hmac", id_path="meta.id", type_path="meta.kind", ack_status=202))
    receiver = world.receiver("acme", system=None)
    body = b'{"meta": {"id": "a_1", "kind": "made"}}'

    answer = Answered(receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body))

    assert answer.status == 202
    assert [(event.id, event.type) for event in world.handled] == [("a_1", "made")]


def test_a_known_source_is_changed_for_the_receivers_made_from_then_on(world: World) -> None:
    before = world.receiver("hopnow", system=None, endpoint="a")
    register(dataclasses.replace(profile_of("hopnow"), ack_deadline_s=30.0))
    after = world.receiver("hopnow", system=None, endpoint="b")

    assert before.settings.profile.ack_deadline_s == 5.0
    assert after.settings.profile.ack_deadline_s == 30.0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scheme": "hmack"}, "known are"),
        ({"ack_status": 302}, "ack_status"),
        ({"ack_deadline_s": 0}, "ack_deadline_s"),
        ({"tolerance_s": float("nan")}, "tolerance_s"),
        ({"retry_horizon_s": -1}, "retry_horizon_s"),
        ({"rate_burst": 0}, "rate_burst"),
        ({"replays_per_minute": -5}, "replays_per_minute"),
        ({"equal_versions": "stale"}, "equal_versions"),
        ({"body": "xml"}, "body is json or form"),
        ({"events_path": ""}, "events_path"),
        ({"events_path": "a..b"}, "events_path"),
        ({"events_path": "events", "body": "form"}, "events_path"),
        ({"allowed_addresses": {"production": ["10.0.0.0/99"]}}, "10.0.0.0/99"),
        ({"allowed_addresses": {"production": "10.0.0.0/8"}}, "list"),
        ({"statuses": {"bad_signature": 200}}, "statuses"),
    ],
)
def test_a_profile_that_cannot_work_is_refused_at_once(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(Profile("acme", scheme="hmac"), **wrong)  # type: ignore[arg-type]
