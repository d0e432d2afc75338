"""Mailgun: three values in the body, JSON or a form; the rest is not signed. Made by the openssl command."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from hookvitals import Receiver
from hookvitals.schemes import VerificationError, Verified, make
from hookvitals.testing import MemoryShipper, received, signed_request
from tests.sdk.schemes.oracles import HAS_OPENSSL, NOW, openssl_hmac

pytestmark = HAS_OPENSSL
KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
STAMP = "1800000000"
TOKEN = "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"


def told(stamp: Any = STAMP, token: Any = TOKEN, **more: Any) -> dict[str, Any]:
    made = openssl_hmac(KEY, f"{stamp}{token}".encode())
    return {"timestamp": stamp, "token": token, "signature": made, **more}


def verify(body: bytes, key: str = KEY, *, form: bool = False) -> Verified:
    return make("mailgun", [key], form=form).verify([], body, NOW)


def refused(body: bytes, key: str = KEY, *, form: bool = False) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(body, key, form=form)
    return caught.value.reason


def as_json(values: Any, **more: Any) -> bytes:
    return json.dumps({"signature": values, "event-data": {"event": "delivered"}, **more}).encode()


def as_form(values: dict[str, Any]) -> bytes:
    return urlencode({"recipient": "a@b.example", **values, "subject": "token=1&x"}).encode()


@pytest.mark.parametrize(
    ("body", "form"), [(as_json(told()), False), (b" \n" + as_json(told()), False), (as_form(told()), True)]
)
def test_time_and_token_are_signed_in_json_and_in_a_form(body: bytes, form: bool) -> None:
    assert verify(body, form=form).signed_at == NOW
    assert refused(body, "key-another", form=form) == "bad_signature"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_body_that_is_json_and_a_form_at_once_shows_the_handler_the_token_that_was_signed(
    codec: str,
) -> None:
    """Whoever has seen a webhook would else send its three values and any number of fresh tokens."""
    values = urlencode(told()).encode()
    hidden = b"&" + values + b"&" * (1 + len(values) % 2)  # in UTF-16 two of its bytes are one character
    head, tail = '{"signature": {"token": "fresh"}, "more": "', '"}'
    body = head.encode(codec) + hidden + tail.encode(codec.removesuffix("-sig"))

    assert json.loads(body)["signature"]["token"] == "fresh"
    assert refused(body) == "missing_signature"


def test_a_time_may_be_a_number() -> None:
    verify(as_json(told(1800000000)))


def test_the_signature_of_a_parent_account_beside_it_is_not_ours() -> None:
    verify(as_json(told(**{"parent-signature": "0" * 64})))


@pytest.mark.parametrize("name", ["timestamp", "token", "signature"])
def test_each_value_is_needed_once(name: str) -> None:
    left = {other: value for other, value in told().items() if other != name}
    reason = "missing_signature" if name == "signature" else "malformed_signature"

    assert refused(as_json(left)) == reason
    assert refused(as_form(left), form=True) == reason
    assert refused(as_form(told()) + f"&{name}=1".encode(), form=True) == "malformed_signature"


NO_TEXT: list[Any] = [True, 1.5, ["1"], {"a": 1}, "\u0661", "a b", "\n"]


@pytest.mark.parametrize("value", [*NO_TEXT, "1" * 129])
def test_a_token_that_is_none_is_malformed_even_when_it_was_signed(value: Any) -> None:
    assert refused(as_json(told(token=value))) == "malformed_signature"


@pytest.mark.parametrize("value", [*NO_TEXT, -1, 10**50, "1e9"])
def test_a_time_that_is_none_is_malformed_even_when_it_was_signed(value: Any) -> None:
    assert refused(as_json(told(value))) == "malformed_signature"


@pytest.mark.parametrize("value", [*NO_TEXT, -1, 10**50, "00", "00" * 33])
def test_a_signature_that_is_none_is_malformed(value: Any) -> None:
    assert refused(as_json({**told(), "signature": value})) == "malformed_signature"


def test_a_number_with_more_digits_than_python_reads_is_malformed() -> None:
    body = as_json(told("HERE")).replace(b'"HERE"', b"1" + b"0" * 5000)

    assert refused(body) == "malformed_signature"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed_signature"),
        (b"[]", "malformed_signature"),
        (as_form(told()), "malformed_signature"),
        (b"{}", "missing_signature"),
        (b'{"signature": null}', "missing_signature"),
        (b'{"signature": "abc"}', "malformed_signature"),
        (b'{"signature": [1]}', "malformed_signature"),
        (b"{", "malformed_signature"),
        (b'{"a":' * 100_000, "malformed_signature"),
        (b"\xff\xfe", "malformed_signature"),
    ],
    ids=range(10),
)
def test_json_without_them_is_refused(body: bytes, reason: str) -> None:
    assert refused(body) == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "missing_signature"),
        (as_json(told()), "missing_signature"),
        (b"\xff\xfe", "malformed_signature"),
        (b"&".join([b"a=1"] * 1001), "malformed_signature"),
        (b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\n1\r\n--x--", "missing_signature"),
    ],
    ids=range(5),
)
def test_a_form_without_them_is_refused(body: bytes, reason: str) -> None:
    assert refused(body, form=True) == reason


def test_a_form_is_signed_for_trials_too() -> None:
    scheme = make("mailgun", [KEY], form=True)

    body = scheme.completed(b"recipient=a%40b.example&token=evt_1", NOW)

    assert scheme.verify([], body, NOW).signed_at == NOW
    assert b"recipient=a%40b.example&token=evt_1&" in body
    with pytest.raises(ValueError, match="form"):
        scheme.completed(b"\xff", NOW)


def test_digits_that_move_from_the_token_into_the_time_make_it_another_time() -> None:
    """Both are signed side by side, without anything between them."""
    values = told(STAMP, "12" + TOKEN)
    moved = {**values, "timestamp": STAMP + "12", "token": TOKEN}

    assert refused(as_json(moved)) == "timestamp_in_future"


def test_the_rest_of_the_body_is_not_signed() -> None:
    """Hence the token: it counts once."""
    verify(as_json(told(), **{"event-data": {"event": "forged"}}))


def test_a_token_counts_once_whatever_body_comes_with_it() -> None:
    """Practice 13: deduplication is what holds a replay of the three values off."""
    shipper = MemoryShipper()
    receiver = Receiver(
        "mailgun", endpoint="mail", secrets=[KEY], shipper=shipper, now=lambda: NOW, monotonic=lambda: NOW
    )
    receiver.on("*")(lambda event: None)

    for event in ("delivered", "forged"):
        body = as_json(told(), **{"event-data": {"event": event}})
        receiver.handle("POST", "https://example.com/hook", [], body)

    assert received(shipper).outcomes(TOKEN) == ["succeeded", "duplicate"]


def test_what_is_signed_for_trials_keeps_the_token_that_names_the_event() -> None:
    _, body = signed_request("mailgun", KEY, "evt_1", "opened", now=NOW)

    assert json.loads(body)["signature"]["token"] == "evt_1"
    assert json.loads(body)["signature"]["signature"] == openssl_hmac(KEY, f"{STAMP}evt_1".encode())
    assert verify(body)
