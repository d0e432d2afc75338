import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.operations.masking import MASK, masked_body, masked_headers

CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "userPassword",
        "client_secret",
        "access_token",
        "API-Key",
        "cardNumber",
        "card_cvv",
        "iban",
        "accountNumber",
        "ssn",
        "authorization",
    ],
)
def test_values_of_telling_keys_are_hidden_at_any_depth(key: str) -> None:
    body = json.dumps({"data": [{"deep": {key: "visible-if-broken"}}]}).encode()

    shown = masked_body(body)

    assert "visible-if-broken" not in shown.text
    assert shown.count == 1


@pytest.mark.parametrize("key", ["id", "amount", "panel", "shipping", "description", "primary", "created_at"])
def test_ordinary_values_are_shown(key: str) -> None:
    assert "as-it-is" in masked_body(json.dumps({key: "as-it-is"}).encode()).text


@pytest.mark.parametrize(
    "text",
    [
        f"paid with {CARD}",
        CARD.replace(" ", "-"),
        CARD.replace(" ", ""),
        f'{{"note": "{CARD}"}}',
        '{"n": 4242424242424242}',
    ],
)
def test_card_numbers_are_hidden_wherever_they_stand(text: str) -> None:
    shown = masked_body(text.encode()).text

    assert "4242" not in shown
    assert MASK in shown


def test_long_numbers_that_are_no_cards_are_shown() -> None:
    assert "1795003200000000" in masked_body(b'{"at_us": 1795003200000000}').text


def test_forms_and_bearer_tokens_are_masked_too() -> None:
    shown = masked_body(b"id=1&client_secret=s3cr3t-value&note=Bearer abcdefghijkl").text

    assert "s3cr3t-value" not in shown
    assert "abcdefghijkl" not in shown
    assert "id=1" in shown


def test_headers_that_prove_an_identity_are_hidden() -> None:
    shown, count = masked_headers({"X-Api-Key": "k1", "X-Request-Id": "r1", "X-Signature": "s1"})

    assert shown == {"X-Api-Key": MASK, "X-Request-Id": "r1", "X-Signature": MASK}
    assert count == 2


def test_bytes_that_are_no_text_are_told_by_their_length() -> None:
    assert masked_body(b"\xff\xfe\x00").text == "(3 bytes that are no text)"


def test_a_body_nested_too_deeply_is_shown_as_text() -> None:
    assert masked_body(b"[" * 100_000).text.startswith("[[[")


@given(st.binary(max_size=300))
def test_no_body_is_too_strange_to_show(body: bytes) -> None:
    assert isinstance(masked_body(body).text, str)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
)
def test_masked_json_is_json_still(value: object) -> None:
    json.loads(masked_body(json.dumps(value).encode()).text)


def test_a_large_hostile_text_is_masked_in_no_time() -> None:
    hostile = b"eyJ" + b"a" * 200_000 + b"4 " * 100_000 + b"a." * 100_000

    assert masked_body(hostile).text
