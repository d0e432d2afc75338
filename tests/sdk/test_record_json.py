"""A record as JSON: whatever text a handler or a sender put into it, the collector can take it."""

import json
from typing import Any

import pytest

from hookvitals.record_json import encoded


def read_again(**fields: Any) -> dict[str, Any]:
    base = {"source": "acme", "endpoint": "orders"}
    found: dict[str, Any] = json.loads(encoded((1_800_000_000_000_000_000, base, "failed", 1, fields, None)))
    return found


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("x\udfff", "x\ufffd"),
        ("a\\u0000", "a\\u0000"),
        ("😀é", "😀é"),
    ],
)
def test_text_that_no_store_can_keep_is_shown_as_a_replacement(text: str, sent: str) -> None:
    found = read_again(error_message=text, labels={text: text, "many": [text]})

    assert found["error_message"] == sent
    assert found["labels"] == {sent: sent, "many": [sent]}


def test_emoji_beside_a_nul_stays_whole() -> None:
    assert read_again(error_message="😀\0")["error_message"] == "😀\ufffd"
