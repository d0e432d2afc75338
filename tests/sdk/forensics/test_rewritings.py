"""The bodies that are tried are those that programs would have written, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookvitals.causes import Cause
from hookvitals.rewritings import bodies

Options = dict[str, Any]
COMPACT: Options = {"separators": (",", ":")}
WAYS: list[Options] = [
    {**separated, "ensure_ascii": ascii_only, "sort_keys": sort}
    for separated in (COMPACT, {})
    for ascii_only in (False, True)
    for sort in (False, True)
] + [{"indent": indent, "ensure_ascii": ascii_only} for indent in (2, 4) for ascii_only in (False, True)]

texts = st.text(max_size=8) | st.sampled_from(
    ["a\\b", 'q"q', "\\x41", "{,:}", "é\\u00e9", "🦊", "\x7f", "\t/"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def tried(body: bytes) -> set[bytes]:
    return {found for cause, found in bodies([], body) if cause is Cause.BODY_RESERIALISED}


@settings(max_examples=300, deadline=None)
@given(data=values, came=st.sampled_from(WAYS))
@example(data={"a": [{}, [], [[]], {"b": {}}], "\\": "\\\\é"}, came=COMPACT)
def test_of_a_small_body_every_way_to_write_it_is_tried(data: Any, came: Options) -> None:
    body = json.dumps(data, **came).encode()

    found = tried(body)

    for way in WAYS:
        written = json.dumps(json.loads(body), **way).encode()
        others = {one for _, one in bodies([], body)}
        assert written in found | others | {body}, way


def test_php_escapes_slashes() -> None:
    data = {"url": "https://example.com/é", "n": 1}
    written = json.dumps(data, separators=(",", ":")).replace("/", "\\/").encode()

    assert written in tried(json.dumps(data).encode())
    assert json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode() in tried(written)


@pytest.mark.parametrize("number", ["1.10", "1E5", "10.00", "-0", "0.1000000000000000055"])
def test_a_number_stays_as_it_was_written(number: str) -> None:
    compact, spaced = f'{{"a":{number},"b":"é"}}', f'{{"a": {number}, "b": "é"}}'
    lines = f'{{\n  "a": {number},\n  "b": "é"\n}}'

    assert {spaced.encode(), lines.encode()} <= tried(compact.encode())
    assert {compact.encode(), lines.encode()} <= tried(spaced.encode())
    assert {compact.encode(), spaced.encode()} <= tried(lines.encode())


@pytest.mark.parametrize("size", [1_000, 8_000, 20_000, 60_000])
def test_any_body_that_is_parsed_is_tried_in_two_ways_and_only_a_small_one_in_all(size: int) -> None:
    data = {f"k{number}": "ö" * 10 for number in range(size // 75)}
    python, javascript = json.dumps(data), json.dumps(data, **COMPACT, ensure_ascii=False)

    assert javascript.encode() in tried(python.encode())
    assert python.encode() in tried(javascript.encode())
    found = tried(python.encode())
    assert (json.dumps(data, ensure_ascii=False).encode() in found) == (size <= 8_000)
    assert (json.dumps(data, indent=2).encode() in found) == (size <= 1_000)
