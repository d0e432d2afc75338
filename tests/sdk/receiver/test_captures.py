"""What is kept of a request: as the policy says, and never a signature or a credential."""

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookvitals import Event
from hookvitals.capture import ALLOWED_HEADERS, capture, kept_headers
from tests.sdk.world import URL, Answered, World, request

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
        ("all", {"succeeded", "failed", "duplicate"}),
        ("hash", {"succeeded", "failed", "duplicate"}),
    ],
)
def test_the_policy_says_whose_request_is_kept(world: World, policy: str, kept: set[str]) -> None:
    def fail(event: Event) -> None:
        if event.id == "evt_bad":
            raise RuntimeError

    world.behave = fail
    receiver = world.receiver(capture=policy)
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
