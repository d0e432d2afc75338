"""What is kept of a request: as the policy says, and never a signature or a credential."""

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookvitals import Event, RetryPolicy
from hookvitals.capture import ALLOWED_HEADERS, capture, in_sample, kept_headers
from hookvitals.redact import hidden_body, redaction
from tests.sdk.world import URL, Answered, World, deliver, request

SENSITIVE = [
    ("Authorization", "Bearer s3cr3t"),
    ("Proxy-Authorization", "Basic s3cr3t"),
    ("Cookie", "session=s3cr3t"),
    ("Set-Cookie", "session=s3cr3t"),
    ("X-Api-Key", "s3cr3t"),
    ("X-Auth-Token", "s3cr3t"),
    ("X-Client-Secret", "s3cr3t"),
    ("X-Other-Signature", "s3cr3t"),
    ("X-Unlisted", "s3cr3t"),
]


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("off", set()),
        ("dead_letters", set()),
        ("failures", {"failed"}),
        ("sampled", set()),
        ("all", {"succeeded", "failed", "duplicate"}),
        ("hash", {"succeeded", "failed", "duplicate"}),
    ],
)
def test_the_policy_says_whose_request_is_kept(world: World, policy: str, kept: set[str]) -> None:
    def fail(event: Event) -> None:
        if event.id == "evt_bad":
            raise RuntimeError

    world.behave = fail
    receiver = world.receiver(capture=policy, capture_rate=0.0)
    for event_id in ("evt_1", "evt_1", "evt_bad"):
        receiver.handle("POST", URL, *request(event_id))
    headers, body = request("evt_2")
    assert Answered(receiver.handle("POST", URL, headers, body + b" ")).status == 401

    assert {record["outcome"] for record in world.records() if "capture" in record} == kept


def test_the_bytes_are_kept_as_they_came_and_no_credential_with_them(world: World) -> None:
    receiver = world.receiver(capture="all", capture_headers=[name for name, _ in SENSITIVE[:-1]])
    headers, body = request(data={"name": "Zoë"})

    receiver.handle("POST", URL, [*headers, *SENSITIVE], body)

    (record,) = world.records()
    kept = record["capture"]
    assert base64.b64decode(kept["body"]) == body
    assert kept["content_type"] == "application/json"
    assert kept["headers"]["webhook-id"] == "evt_1"
    assert "s3cr3t" not in json.dumps(record)
    assert not [name for name in kept["headers"] if "signature" in name]


def test_a_hash_says_what_it_was_and_shows_nothing(world: World) -> None:
    receiver = world.receiver(capture="hash")
    headers, body = request()

    receiver.handle("POST", URL, headers, body)

    kept = world.records()[0]["capture"]
    assert (kept["sha256"], kept["length"]) == (hashlib.sha256(body).hexdigest(), len(body))
    assert "body" not in kept


def test_a_header_as_long_as_a_server_allows_still_fits_its_record(world: World) -> None:
    receiver = world.receiver(capture="all", capture_headers=["X-Long"])
    headers, body = request()
    long = [("X-Long", "x" * 60_000), ("User-Agent", "y" * 60_000), ("traceparent", "z" * 9000)]
    headers[0] = ("Content-Type", "application/json; a=" + "b" * 9000)

    receiver.handle("POST", URL, [*headers, *long], body)

    (record,) = world.records()  # the collector of this test refuses what does not fit
    assert len(json.dumps(record)) < 10_000


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(sorted(ALLOWED_HEADERS)),
                st.from_regex(r"(x-)?(signature|authorization|cookie|.{0,3}token)", fullmatch=True),
            ),
            st.text(max_size=2000),
        )
    ),
    st.lists(st.sampled_from(["Authorization", "cookie", "X-Signature", "x-mine"])),
)
def test_whatever_is_asked_for_no_credential_is_kept(headers: list[tuple[str, str]], also: list[str]) -> None:
    kept = kept_headers([(name.lower(), value) for name, value in headers], also)

    assert set(kept) <= ALLOWED_HEADERS
    assert all(len(value) <= 1024 for value in kept.values())


def test_a_body_beyond_a_mebibyte_is_kept_as_its_hash() -> None:
    assert "body" not in capture("all", {}, b"x" * ((1 << 20) + 1))
    assert "sha256" in capture("all", {}, b"x" * ((1 << 20) + 1))


# --- a dead letter in the making ---


def captured(world: World) -> list[str]:
    """Outcome and attempt of the records that carry a capture."""
    return [f"{one['outcome']} {one['attempt']}" for one in world.records() if "capture" in one]


def fail(event: Event) -> None:
    raise RuntimeError("no")


def test_an_inline_failure_is_kept_once_the_sender_may_give_up(world: World) -> None:
    """From the try that would be our own last: the sender keeps the only other copy of the event."""
    world.behave = fail
    receiver = world.receiver(retry=RetryPolicy(attempts=3))

    for _ in range(4):
        assert deliver(receiver).status == 500

    assert captured(world) == ["failed 3", "failed 4"]


def test_of_a_sender_that_tries_but_once_every_failure_is_kept(world: World) -> None:
    world.behave = fail

    deliver(world.receiver(profile={"retry_horizon_s": 0.0}))

    assert captured(world) == ["failed 1"]


def test_an_inbox_keeps_what_it_gave_up_and_nothing_before(world: World) -> None:
    world.behave = fail
    receiver = world.inbox()

    deliver(receiver)
    world.until(lambda: world.outcomes()[-1] == "dead_lettered")

    assert captured(world) == ["dead_lettered 3"]


# --- a sample ---


def test_a_sample_is_the_same_for_every_copy_and_every_process(world: World) -> None:
    assert [in_sample(f"evt_{number}", 0.5) for number in range(8)] == [
        int(hashlib.sha256(f"evt_{number}".encode()).hexdigest()[0], 16) < 8 for number in range(8)
    ]
    assert all(in_sample("evt_1", 1.0) for _ in range(3))
    assert not in_sample("evt_1", 0.0)


def test_a_sample_is_as_large_as_it_says() -> None:
    number = sum(in_sample(f"evt_{number}", 0.01) for number in range(20_000))

    assert 150 <= number <= 250


def test_sampled_keeps_its_share_and_every_dead_letter(world: World) -> None:
    receiver = world.receiver(capture="sampled", capture_rate=0.5)
    for number in range(20):
        deliver(receiver, f"evt_{number}")
    world.behave = fail
    doomed = world.receiver(
        endpoint="doomed", capture="sampled", capture_rate=0.0, retry=RetryPolicy(attempts=1)
    )
    deliver(doomed, "evt_bad")

    kept = {record["event_id"] for record in world.records() if "capture" in record}

    assert kept == {f"evt_{number}" for number in range(20) if in_sample(f"evt_{number}", 0.5)} | {"evt_bad"}


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_a_share_beyond_all_is_refused(world: World, rate: float) -> None:
    with pytest.raises(ValueError, match="capture_rate"):
        world.receiver(capture="sampled", capture_rate=rate)


# --- what a capture may not show ---

CUSTOMER = {
    "customer": {"email": "zoe@example.com", "name": "Zoë"},
    "items": [{"card": "4111"}, {"card": "5500"}],
}


def test_what_the_paths_name_is_hidden_and_the_capture_says_so(world: World) -> None:
    """practice 37; and of the guides' faults: the whole payload in an alert."""
    receiver = world.receiver(capture="all", redact=["customer.email", "items.*.card"])
    headers, body = request(data=CUSTOMER)

    receiver.handle("POST", URL, headers, body)

    (record,) = world.records()
    shown = json.loads(base64.b64decode(record["capture"]["body"]))
    assert record["capture"]["redacted"] is True
    assert shown["customer"] == {"email": "***", "name": "Zoë"}
    assert shown["items"] == [{"card": "***"}, {"card": "***"}]
    assert world.handled[0].data["customer"]["email"] == "zoe@example.com"
    assert world.handled[0].body == body


def test_where_nothing_was_hidden_the_bytes_stay_and_can_be_replayed(world: World) -> None:
    receiver = world.receiver(
        capture="all", redact=["customer.phone", "items.7.card", "customer.email.domain"]
    )
    headers, body = request(data=CUSTOMER)

    receiver.handle("POST", URL, headers, body)

    kept = world.records()[0]["capture"]
    assert base64.b64decode(kept["body"]) == body
    assert "redacted" not in kept


def test_a_function_may_hide_whatever_it_wants(world: World) -> None:
    receiver = world.receiver(capture="all", redact=lambda data: {"type": data["type"]})

    deliver(receiver, data=CUSTOMER)

    kept = world.records()[0]["capture"]
    assert json.loads(base64.b64decode(kept["body"])) == {"type": "invoice.paid"}
    assert kept["redacted"] is True


def test_a_function_that_breaks_shows_nothing_and_changes_no_answer(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(data: object) -> object:
        raise KeyError("zoe@example.com")

    receiver = world.receiver(capture="all", redact=broken)

    assert deliver(receiver, data=CUSTOMER).status == 200

    (record,) = world.records()
    assert record["capture"]["redacted"] is True
    assert "body" not in record["capture"]
    assert "zoe" not in json.dumps(record) + caplog.text


@pytest.mark.parametrize("path", ["$.items[*].card", "items.*.card", "$.items[0].card", "items.0.card"])
def test_the_common_ways_to_write_a_path_are_understood(path: str) -> None:
    redact = redaction([path])
    assert redact is not None

    shown = hidden_body(redact, json.dumps(CUSTOMER).encode())

    assert shown is not None
    assert json.loads(shown)["items"][0] == {"card": "***"}


@pytest.mark.parametrize("wrong", ["customer.email", [""], ["a..b"], ["$..card"], ["items[?(@.x)]"], [3]])
def test_what_is_no_path_is_refused_at_once(world: World, wrong: object) -> None:
    with pytest.raises(ValueError, match="redact"):
        world.receiver(redact=wrong)


def test_a_hash_is_over_the_bytes_whatever_is_hidden(world: World) -> None:
    receiver = world.receiver(capture="hash", redact=["customer"])
    headers, body = request(data=CUSTOMER)

    receiver.handle("POST", URL, headers, body)

    kept = world.records()[0]["capture"]
    assert kept["sha256"] == hashlib.sha256(body).hexdigest()
    assert "body" not in kept
