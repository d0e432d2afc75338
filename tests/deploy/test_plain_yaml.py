"""The YAML reader of these tests: right about what it knows, loud about what it does not."""

import pytest

from tests.deploy.plain_yaml import parse


def test_maps_lists_and_scalars_are_read() -> None:
    text = 'a:\n  b: 1 # note\n  # comment\n  c:\n    - "x: y"\n    - z\n  d: ["e", "f"]\ng:\n'
    assert parse(text) == {"a": {"b": "1", "c": ["x: y", "z"], "d": ["e", "f"]}, "g": None}


@pytest.mark.parametrize("text", ["a: {b: 1}\n", "a: |\n  text\n", "a: &x 1\n", "a: 1\na: 2\n", "word\n"])
def test_what_it_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        parse(text)
