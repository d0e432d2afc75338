"""A channel's own first line."""

from __future__ import annotations

import pytest

from alerts.channels.title import FIELDS, TitleTemplate
from alerts.model import State, Why
from tests.alerts.samples import alert, message


def test_words_in_braces_are_filled_in() -> None:
    template = TitleTemplate("[{severity}] {rule} @ {place} ({environment}, {state})")
    assert template.filled(message()) == "[error] error_rate @ stripe/payments (production, firing)"
    over = message(alert(state=State.RESOLVED), Why.RESOLVED)
    assert template.filled(over) == "[error] error_rate @ stripe/payments (production, resolved)"


@pytest.mark.parametrize("field", FIELDS)
def test_every_word_there_is_can_be_filled_in(field: str) -> None:
    assert TitleTemplate("{" + field + "}").filled(message())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{severty} at {place}", r"did you mean \{severity\}\?"),
        ("{}", "there are title, severity"),
        ("{0}", "there are title, severity"),
        ("{alert.labels}", "which there is not"),
        ("{place.__class__}", "which there is not"),
        ("{place!r}", "in its braces alone"),
        ("{place:>9999999999}", "in its braces alone"),
        ("{place", "a brace too many or too few"),
        ("place}", "a brace too many or too few"),
        ("  ", "the title is empty"),
    ],
)
def test_template_that_cannot_be_filled_in_is_refused_when_it_is_read(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TitleTemplate(text)


def test_text_from_outside_is_no_template() -> None:
    assert TitleTemplate("{rule}").filled(message(alert(rule="{severity}"))) == "{severity}"
