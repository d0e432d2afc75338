"""The same search serves every scheme of the table, for it only changes a request and verifies again."""

import pytest

from hookvitals import SCHEMES
from hookvitals.forensics import Forensics
from hookvitals.schemes import VerificationError, make
from tests.sdk.forensics.faults import NOW
from tests.sdk.schemes.oracles import OrumLike

NEW, OLD = "0f" * 32, "1e" * 32  # hex, base64 and text at once
BODY = b'{"id":"evt_1","type":"invoice.paid","webhookTimestamp":1800000000000,"amount":12.5}'
CAME_AS = {
    "previous_secret": BODY,
    "body_bom": b"\xef\xbb\xbf" + BODY,
    "body_trailing_newline": BODY + b"\n",
    "body_reserialised": BODY.replace(b",", b", ").replace(b":", b": "),
}
NO_SHARED_SECRET = {"orum", "sendgrid", "discord", "paypal", "sns", "plaid", "truelayer"}
SIGNED_ELSEWHERE = {"adyen", "gitlab", "mailgun"}  # in the body, where no guess of ours looks; and not at all


@pytest.mark.parametrize("name", sorted(set(SCHEMES) - NO_SHARED_SECRET - SIGNED_ELSEWHERE))
@pytest.mark.parametrize("fault", CAME_AS)
def test_a_fault_is_named_under_every_scheme_with_a_shared_secret(fault: str, name: str) -> None:
    secret = OLD if fault == "previous_secret" else NEW
    headers = [(header.lower(), value) for header, value in make(name, [secret]).sign(BODY, NOW)]
    forensics = Forensics(("production", name, "orders"), name, {}, [NEW], previous=[OLD])

    with pytest.raises(VerificationError) as refused:
        forensics.scheme.verify(headers, CAME_AS[fault], NOW)

    assert forensics.cause(refused.value, headers, CAME_AS[fault], NOW, monotonic=0.0) == fault


@pytest.mark.parametrize("fault", [*CAME_AS, "unknown"])
def test_a_fault_is_named_under_a_public_key(fault: str) -> None:
    orum, former, stranger = OrumLike(), OrumLike(), OrumLike()
    signer = {"previous_secret": former, "unknown": stranger}.get(fault, orum)
    body = b'{"event_id":"1","created_at":"2027-01-15T08:00:00.000Z","amount":12.5}'
    headers = [("signature", signer.signature(body, "2027-01-15T08:00:00.000Z"))]
    came = {
        "body_bom": b"\xef\xbb\xbf" + body,
        "body_trailing_newline": body + b"\n",
        "body_reserialised": body.replace(b",", b", ").replace(b'":', b'": '),
    }.get(fault, body)
    forensics = Forensics(("production", "orum", "in"), "orum", {}, [orum.pem], previous=[former.pem])

    with pytest.raises(VerificationError) as refused:
        forensics.scheme.verify(headers, came, NOW)

    assert forensics.cause(refused.value, headers, came, NOW, monotonic=0.0) == fault


@pytest.mark.parametrize("name", sorted(NO_SHARED_SECRET - {"sns"}))
def test_a_header_of_a_scheme_that_cannot_be_tried_is_recognised(name: str) -> None:
    headers = [(SCHEMES[name].header.lower(), "AAAA")]
    forensics = Forensics(("production", "acme", "orders"), "standard", {}, [NEW])

    with pytest.raises(VerificationError) as refused:
        forensics.scheme.verify(headers, BODY, NOW)

    assert forensics.cause(refused.value, headers, BODY, NOW, monotonic=0.0) == f"other_scheme: {name}"
