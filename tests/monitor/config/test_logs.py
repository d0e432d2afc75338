"""Log lines: one an event, whatever the text holds."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from monitor.config.logs import set_up_logs
from monitor.config.settings import Settings


@pytest.fixture(autouse=True)
def restored_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(settings: Settings, *arguments: object) -> str:
    stream = io.StringIO()
    set_up_logs(settings, "worker", stream)
    logging.getLogger("hookvitals.test").warning("%s", *arguments)
    logging.getLogger("hookvitals.test").debug("not shown")
    return stream.getvalue()


def test_text_line_names_time_level_and_process() -> None:
    line = logged(Settings(), "hello")
    assert line.endswith("Z WARNING worker: hello\n")


@pytest.mark.parametrize("nasty", ["a\nb", "a\x1b[31mb", "a\u2028b", "a\u202eb"])
def test_stranger_cannot_forge_a_line_or_colour_the_terminal(nasty: str) -> None:
    for form in ("text", "json"):
        line = logged(Settings.model_validate({"log_format": form}), nasty)
        assert line.count("\n") == 1
        assert nasty not in line


def test_json_line_is_one_object() -> None:
    line = json.loads(logged(Settings(log_format="json"), "hello"))
    assert (line["level"], line["process"], line["message"]) == ("warning", "worker", "hello")
