"""Forensics costs little, whoever asks for it, and changes no answer: bounded in number, work and words."""

import gc
import gzip
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookvitals.causes import Cause
from hookvitals.forensics import PER_MINUTE, WORK_BYTES
from hookvitals.schemes import HeaderItems, Scheme, VerificationError, Verified
from tests.sdk.forensics.faults import NOW, PROVIDERS, payload
from tests.sdk.world import SECRET, URL, Answered, World, deliver, request

STANDARD, HOPNOW = PROVIDERS[0], PROVIDERS[5]
ERROR = VerificationError("bad_signature", "no configured secret made this signature")


class Counting:
    """A scheme that adds up what it was given to verify."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self.bodies: list[int] = []

    def verify(
        self, headers: HeaderItems, body: bytes, now: float, url: str = "", method: str = "POST"
    ) -> Verified:
        self.bodies.append(len(body))
        return self._scheme.verify(headers, body, now, url, method)

    def completed(self, body: bytes, now: float) -> bytes:
        return self._scheme.completed(body, now)

    def sign(
        self, body: bytes, now: float, message_id: str = "", *, url: str = "", method: str = "POST"
    ) -> list[tuple[str, str]]:
        return self._scheme.sign(body, now, message_id, url=url, method=method)


def counted(body: bytes) -> tuple[str | None, list[int]]:
    """(cause, the bytes of each guess) for a body that nobody signed."""
    forensics = HOPNOW.forensics()
    counting = Counting(forensics.scheme)
    forensics.scheme = counting
    headers = HOPNOW.signed(b"something else")
    return forensics.cause(ERROR, headers, body, NOW, monotonic=0.0), counting.bodies


def test_so_many_a_minute_are_looked_into_and_no_more() -> None:
    forensics = STANDARD.forensics()
    body = b'{"a": 1}'
    headers = STANDARD.signed(body, STANDARD.secrets[1])

    causes = [forensics.cause(ERROR, headers, body, NOW, monotonic=5.0) for _ in range(PER_MINUTE + 5)]

    assert causes == ["previous_secret"] * PER_MINUTE + [None] * 5
    assert forensics.cause(ERROR, headers, body, NOW, monotonic=65.0) == "previous_secret"


def test_what_is_verified_is_bounded_whatever_the_size_of_the_body() -> None:
    for size in (100, 20_000, 60_000, 1_000_000, WORK_BYTES + 1):
        body = json.dumps({"pad": "é" * (size // 2), "b": 1, "a": "/"}, ensure_ascii=False).encode()

        cause, guesses = counted(body)

        assert cause == "unknown"
        assert sum(guesses) <= WORK_BYTES
        assert len(guesses) <= 48


def test_a_large_body_is_not_parsed_and_its_other_faults_are_found() -> None:
    large = json.dumps({"pad": ["x" * 10] * 7000}).encode()
    forensics = HOPNOW.forensics()

    def cause(sent: bytes, came: bytes) -> str | None:
        return forensics.cause(ERROR, HOPNOW.signed(sent), came, NOW, monotonic=0.0)

    assert len(large) > 64 * 1024
    assert cause(large + b"\n", large) == "body_trailing_newline"
    assert cause(json.dumps(json.loads(large), indent=1).encode(), large) == "unknown"


@pytest.mark.parametrize("size", [1_000, 20_000, 60_000])
def test_between_python_and_javascript_a_body_is_recognised_at_any_size_that_is_parsed(size: int) -> None:
    rng = random.Random(size)
    data: dict[str, object] = {}
    while len(json.dumps(data)) < size:
        data[f"k{len(data)}"] = payload(rng)
    python = json.dumps(data).encode()
    javascript = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()

    for sent, came in ((python, javascript), (javascript, python)):
        cause = HOPNOW.forensics().cause(ERROR, HOPNOW.signed(sent), came, NOW, monotonic=0.0)
        assert cause == "body_reserialised"


def test_a_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(bytes(20 * 1024 * 1024), compresslevel=1)

    cause, guesses = counted(bomb)

    assert cause == "unknown"
    assert max(guesses) <= 2 * len(bomb)  # as Latin-1 put into UTF-8


def test_a_number_keeps_the_way_it_was_written() -> None:
    sent = b'{"price":1.10,"rate":1E5,"n":10.00}'
    came = b'{"price": 1.10, "rate": 1E5, "n": 10.00}'

    cause = HOPNOW.forensics().cause(ERROR, HOPNOW.signed(sent), came, NOW, monotonic=0.0)

    assert cause == "body_reserialised"


def test_a_body_nested_beyond_reason_is_unknown_and_no_error() -> None:
    body = b'{"a":' * 5000 + b"1" + b"}" * 5000

    assert HOPNOW.forensics().cause(ERROR, HOPNOW.signed(b"x"), body, NOW, monotonic=0.0) == "unknown"


_NAMES = [
    "x-webhook-signature",
    "content-length",
    "content-encoding",
    "webhook-signature",
    "svix-id",
    "signature",
]
_VALUES = [
    "sha256=" + "a" * 64,
    "t=1800000000,v1=" + "0" * 64,
    "v1,AAAA",
    "gzip",
    "9" * 40,
    "²",
    "1800000000000",
]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(_NAMES), st.one_of(st.sampled_from(_VALUES), st.text(max_size=80)))),
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: text.encode("utf-16"))),
)
def test_whatever_was_sent_the_answer_is_a_known_cause(headers: list[tuple[str, str]], body: bytes) -> None:
    for provider in PROVIDERS:
        forensics = provider.forensics()
        try:
            forensics.scheme.verify(headers, body, NOW)
        except VerificationError as error:
            cause = forensics.cause(error, headers, body, NOW, monotonic=0.0)

            assert cause is not None
            assert Cause(cause.split(":")[0]) in (
                Cause.UNKNOWN, Cause.OTHER_SCHEME, Cause.BODY_TRUNCATED, Cause.BODY_DECOMPRESSED,
            )  # fmt: skip


def test_a_receiver_that_is_gone_is_no_suspect() -> None:
    gone = HOPNOW.forensics("refunds", HOPNOW.secrets[2])
    del gone
    gc.collect()
    body = b"{}"
    headers = HOPNOW.signed(body, HOPNOW.secrets[2])

    assert HOPNOW.forensics().cause(ERROR, headers, body, NOW, monotonic=0.0) == "unknown"


def test_a_secret_that_cannot_be_one_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(ValueError, match="previous_secrets: a Standard Webhooks secret is base64"):
        STANDARD.forensics(previous=["whsec_not base64!"])
    with pytest.raises(ValueError, match="other_environment: sandbox: an empty secret"):
        STANDARD.forensics(elsewhere={"sandbox": [""]})


# --- as part of a receiver ---

OLD = STANDARD.secrets[1]


def test_the_record_says_why_and_neither_answer_nor_record_shows_a_secret(world: World) -> None:
    """practice 5: a refusal is recorded with its reason."""
    receiver = world.receiver(previous_secrets=[OLD], capture="all")

    answer = deliver(receiver, secret=OLD)

    assert (answer.status, answer.problem["code"]) == (401, "bad_signature")
    assert b"previous" not in answer.body
    (record,) = world.records()
    assert (record["outcome"], record["cause"]) == ("rejected", "previous_secret")
    assert world.handled == []
    for told in (json.dumps(record), repr(receiver.settings)):
        assert OLD not in told
        assert OLD.removeprefix("whsec_") not in told


def test_a_stale_signature_says_by_how_much_and_a_forged_one_does_not(world: World) -> None:
    receiver = world.receiver()

    deliver(receiver, at=NOW - 4000)
    headers, body = request(at=NOW - 4000)
    receiver.handle("POST", URL, headers, body + b" ")

    assert [record["cause"] for record in world.records()] == ["clock_skew: 4000 s behind", "unknown"]


def test_what_is_accepted_is_never_looked_into(world: World) -> None:
    receiver = world.receiver(previous_secrets=[OLD])
    for number in range(PER_MINUTE * 2):
        assert deliver(receiver, f"evt_{number}").status == 200

    for _ in range(PER_MINUTE + 1):
        deliver(receiver, secret=OLD)

    rejected = [record for record in world.records() if record["outcome"] == "rejected"]
    assert [record.get("cause") for record in rejected] == ["previous_secret"] * PER_MINUTE + [None]


def test_the_time_it_takes_is_not_that_of_verifying(world: World) -> None:
    """verify_ms is compared between good and bad requests; a search would spoil it."""
    receiver = world.receiver()
    body = json.dumps(payload(random.Random(1)) | {"pad": ["é/"] * 6000}).encode()
    headers, _ = request()

    statuses = {Answered(receiver.handle("POST", URL, headers, body)).status for _ in range(PER_MINUTE)}

    records = world.records()
    assert statuses == {401}
    assert [record["cause"] for record in records] == ["unknown"] * PER_MINUTE
    shares = [record["verify_ms"] / record["ack_ms"] for record in records]
    assert min(shares) < 1 / 2  # a stall of the machine falls on one of them, or on two


def test_another_endpoint_of_this_process_is_named(world: World) -> None:
    refunds = world.receiver(endpoint="refunds", secrets=[OLD])
    staging = world.receiver(environment="staging", secrets=[STANDARD.secrets[2]])
    orders = world.receiver(endpoint="orders", secrets=[SECRET])

    deliver(orders, secret=OLD)
    deliver(orders, secret=STANDARD.secrets[2])

    assert [record["cause"] for record in world.records()] == [
        "other_endpoint: acme/refunds",
        "other_environment: staging",
    ]
    assert refunds is not staging
