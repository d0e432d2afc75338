"""What is found behind a failed verification: each known fault by its name, and nothing is ever accepted."""

import base64
import hashlib
import hmac
import random

import pytest

from hookvitals.advice import ADVICE as REFUSALS
from hookvitals.answers import STATUS_OF
from hookvitals.causes import ADVICE, Cause
from hookvitals.forensics import Forensics
from hookvitals.schemes import VerificationError
from tests.sdk.forensics.faults import FAULTS, NOW, PROVIDERS, Fault, Provider, Spoilt, clock_skew, payload

BODIES = 100
CASES = [
    pytest.param(fault, provider, id=f"{fault.__name__}-{provider.name}")
    for fault in FAULTS
    for provider in PROVIDERS
    if provider.timed or fault is not clock_skew
]


def refusal(forensics: Forensics, spoilt: Spoilt) -> VerificationError | None:
    """None: it was accepted."""
    try:
        forensics.scheme.verify(spoilt.headers, spoilt.body, NOW)
    except VerificationError as exc:
        return exc
    return None


@pytest.mark.parametrize(("fault", "provider"), CASES)
def test_a_fault_is_named_and_its_request_refused(fault: Fault, provider: Provider) -> None:
    rng = random.Random(f"{fault.__name__} {provider.name}")
    elsewhere = provider.forensics("refunds", provider.secrets[2])  # lives as long as this test
    accepted, right, said = 0, 0, set()
    for number in range(BODIES):
        spoilt = fault(provider, payload(rng), rng)
        forensics = provider.forensics(secret=spoilt.secret)
        error = refusal(forensics, spoilt)
        if error is None:
            accepted += 1
            continue
        cause = forensics.cause(error, spoilt.headers, spoilt.body, NOW, monotonic=60.0 * number)
        exact = (
            spoilt.cause
            if not spoilt.cause.endswith(": ")
            else f"{spoilt.cause}{str(cause)[len(spoilt.cause) :]}"
        )
        right += cause == exact
        said.add(cause)
        accepted += refusal(forensics, spoilt) is None

    assert accepted == 0
    assert right >= 95, said
    assert elsewhere.place[2] == "refunds"


def test_every_cause_has_its_meaning_and_what_to_do() -> None:
    assert set(ADVICE) == set(Cause)
    assert all(meaning.endswith(".") and advice.endswith(".") for meaning, advice in ADVICE.values())


def test_every_refusal_has_what_to_do() -> None:
    assert set(REFUSALS) >= set(STATUS_OF)


def test_the_faults_of_these_tests_are_all_the_causes_there_are() -> None:
    rng = random.Random(1)
    named = {
        fault(provider, payload(rng), rng).cause.split(":")[0] for fault in FAULTS for provider in PROVIDERS
    }

    assert named | {"other_url"} == {cause.value for cause in Cause}


@pytest.mark.parametrize(
    ("signed", "came", "headers"),
    [
        ("https://hooks.acme.test/in", "http://hooks.acme.test/in", []),
        (
            "https://hooks.acme.test/in?a=1",
            "http://10.0.0.7:8000/in?a=1",
            [("x-forwarded-host", "hooks.acme.test")],
        ),
        ("https://hooks.acme.test/in", "https://hooks.acme.test:443/in", []),
        ("https://hooks.acme.test:443/in", "https://hooks.acme.test/in", []),
        ("https://hooks.acme.test/in/", "https://hooks.acme.test/in", []),
        ("https://hooks.acme.test/in", "http://inner/in/?trace=1", [("host", "hooks.acme.test")]),
    ],
)
def test_a_scheme_that_signs_its_address_says_that_another_was_meant(
    signed: str, came: str, headers: list[tuple[str, str]]
) -> None:
    forensics = Forensics(("production", "square", "in"), "square", {}, ["a secret of Square's own"])
    body = b'{"event_id":"1"}'
    mac = hmac.new(b"a secret of Square's own", signed.encode() + body, hashlib.sha256).digest()
    headers = [*headers, ("x-square-hmacsha256-signature", base64.b64encode(mac).decode())]

    with pytest.raises(VerificationError) as refused:
        forensics.scheme.verify(headers, body, NOW, came)

    assert forensics.cause(refused.value, headers, body, NOW, came, monotonic=0.0) == "other_url"
    assert forensics.cause(refused.value, headers, body, NOW, "https://[", monotonic=0.0) == "unknown"


class Fetch:
    """Counts who asks for a key, and has none."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, name: str) -> bytes:
        self.asked.append(name)
        raise OSError("no network here")


def test_no_guess_asks_anybody_for_a_key() -> None:
    """What a request names is a stranger's choice: a refusal asks once, the search behind it never."""
    fetch = Fetch()
    forensics = Forensics(
        ("production", "paypal", "in"), "paypal", {"fetch": fetch}, ["WH-1"], previous=["WH-0"]
    )
    headers = [
        ("paypal-transmission-id", "1"),
        ("paypal-transmission-time", "2027-01-15T08:00:00Z"),
        ("paypal-transmission-sig", base64.b64encode(bytes(256)).decode()),
        ("paypal-cert-url", "https://api.paypal.com/v1/notifications/certs/CERT-1"),
        ("paypal-auth-algo", "SHA256withRSA"),
    ]
    with pytest.raises(VerificationError) as refused:
        forensics.scheme.verify(headers, b"{}", NOW)
    asked = list(fetch.asked)

    assert forensics.cause(refused.value, headers, b"{}", NOW, monotonic=0.0) == "unknown"
    assert len(asked) == 1
    assert fetch.asked == asked
