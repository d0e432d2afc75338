"""Durations, URLs, ranges and secret references: what a person may write."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from monitor.config.values import HttpUrl, SecretRef, duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1.5h", 5400), ("7d", 604800), ("250ms", 0.25), (5, 5), ("10 m", 600)],
)
def test_duration_is_read_from_a_number_and_its_unit(text: object, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5s", "5 weeks", "5", True, None, -1])
def test_other_text_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["15m", "90s", "7d", "250ms", "0s", "36h"])
def test_duration_is_written_as_short_as_it_was_read(text: str) -> None:
    assert duration_text(parse_duration(text)) == text


@pytest.mark.parametrize(
    "url", ["hooks.example.com", "ftp://x/", "https:///x", "https://u:p@x/", "http://[x/"]
)
def test_what_cannot_be_dialled_is_no_url(url: str) -> None:
    with pytest.raises(ValidationError, match="expected a URL"):
        TypeAdapter(HttpUrl).validate_python(url)


@pytest.mark.parametrize("value", ["hunter2", {}, {"env": "A", "file": "b"}, {"vault": "x"}])
def test_secret_that_is_no_reference_is_refused_with_the_form(value: object) -> None:
    with pytest.raises(ValidationError, match=r'expected a reference to a secret: \{ env = "NAME" \}'):
        TypeAdapter(SecretRef).validate_python(value)
