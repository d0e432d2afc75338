"""Practice 10: an endpoint at a path that nobody guesses, told to nobody who does not know it."""

import logging
import re

import pytest

from hookvitals.__main__ import main
from tests.sdk.world import World, request

Capture = pytest.CaptureFixture[str]
PATH = re.compile(r"/webhooks/[0-9a-f]{32}")
UNGUESSED = "/webhooks/5f0c9a7e61d24b3c8f1e2d3c4b5a6978"


def test_a_path_of_128_random_bits_is_printed_alone(capsys: Capture) -> None:
    paths = set()
    for _ in range(50):
        assert main(["secret", "new", "--path"]) == 0
        told = capsys.readouterr()
        (path,) = told.out.splitlines()
        assert PATH.fullmatch(path)
        assert path not in told.err
        paths.add(path)

    assert len(paths) == 50
    assert len({path[-32:][at] for path in paths for at in range(32)}) == 16, "every digit is used"


@pytest.mark.parametrize(("prefix", "begins"), [("/in", "/in/"), ("/in/", "/in/"), ("/", "/")])
def test_it_may_stand_below_another_prefix(prefix: str, begins: str, capsys: Capture) -> None:
    assert main(["secret", "new", "--path", prefix]) == 0

    assert re.fullmatch(re.escape(begins) + "[0-9a-f]{32}\n", capsys.readouterr().out)


@pytest.mark.parametrize("prefix", ["webhooks", "/a b", "/a?b", "https://h/a"])
def test_a_prefix_that_is_no_plain_path_is_refused(prefix: str, capsys: Capture) -> None:
    assert main(["secret", "new", "--path", prefix]) == 2

    assert "a path begins with /" in capsys.readouterr().err


def test_no_record_no_answer_and_no_log_line_shows_the_path(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = world.receiver(capture="all")
    headers, body = request()
    url = f"https://hooks.example.com{UNGUESSED}?k=v"

    answers = [
        receiver.handle("POST", url, headers, body, "192.0.2.1"),
        receiver.handle("GET", url, [], b"", "192.0.2.1"),
        receiver.handle("POST", url, headers, b"{}", "192.0.2.1"),
        receiver.handle("POST", url, headers, body[:9], "192.0.2.1", cut_off=True),
    ]

    assert [status for status, _, _ in answers] == [200, 405, 401, 400]
    assert len(world.records()) == 4
    for shown in (answers, world.records(), caplog.text):
        assert UNGUESSED not in str(shown)
