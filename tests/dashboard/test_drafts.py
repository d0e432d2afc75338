import pytest

from dashboard.pages.silences import matchers_of, matchers_text
from monitor.errors import Unprocessable


def test_the_lines_of_the_form_are_read_back_as_they_were_written() -> None:
    matchers = {"rule": "error_*", "source": "stripe", "event_type": "a=b"}
    assert matchers_of(f"\n{matchers_text(matchers)}\n  \n") == matchers
    assert matchers_of(" source = orum ") == {"source": "orum"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("everything", '"everything" is no matcher'), ("source=a\nsource=b", "source is matched twice")],
)
def test_a_line_that_cannot_be_meant_is_named(text: str, said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        matchers_of(text)
