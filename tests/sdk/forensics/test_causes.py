"""What is found behind a failed verification: each known fault by its name, and nothing is ever accepted."""

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
    assert set(REFUSALS) == set(STATUS_OF)


def test_the_faults_of_these_tests_are_all_the_causes_there_are() -> None:
    rng = random.Random(1)
    named = {
        fault(provider, payload(rng), rng).cause.split(":")[0] for fault in FAULTS for provider in PROVIDERS
    }

    assert named == {cause.value for cause in Cause}
