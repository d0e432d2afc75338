"""`python -m hookvitals send --count`: a receiver under load, counted and timed."""

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from hookvitals import load
from hookvitals.__main__ import main
from hookvitals.integrations.wsgi import application
from hookvitals.testing import signed_request
from tests.sdk.integrations.serving import served
from tests.sdk.world import SECRET, World

Capture = pytest.CaptureFixture[str]
Start = Callable[..., object]


def signed(number: int) -> load.Signed:
    return signed_request("standard", SECRET, f"evt_{number}", "invoice.paid")


@pytest.fixture
def url(world: World) -> Iterator[str]:
    receiver = world.receiver(now=time.time, profile={"rate_per_minute": None})
    with served(application(receiver)) as port:
        yield f"http://127.0.0.1:{port}/hook"


def test_every_event_is_sent_once_over_all_connections(world: World, url: str) -> None:
    report = load.run(url, signed, 60, connections=6)

    assert report.by_answer() == {"HTTP 200": 60}
    assert report.all_good
    assert sorted(event.id for event in world.handled) == sorted(f"evt_{n}" for n in range(60))


def test_events_leave_at_the_rate_that_was_asked_for(url: str) -> None:
    report = load.run(url, signed, 20, rate=40.0, connections=4)

    assert report.took_s >= 19 / 40


def test_a_stall_is_counted_against_every_event_that_was_due_meanwhile() -> None:
    stall = threading.Event()
    numbers = itertools.count()

    def stalling(environ: dict[str, object], start: Start) -> Iterable[bytes]:
        if next(numbers) == 0:
            stall.wait(0.5)  # the first request holds up the only connection
        start("204 No Content", [])
        return []

    with served(stalling) as port:
        report = load.run(f"http://127.0.0.1:{port}/", signed, 10, rate=100.0, connections=1)

    assert report.by_answer() == {"HTTP 204": 10}
    assert report.quantile_ms(0.5) > 300


def test_each_answer_is_counted_by_its_status() -> None:
    statuses = itertools.cycle(["200 OK", "429 Too Many Requests", "500 Internal Server Error", "200 OK"])
    lock = threading.Lock()

    def answering(environ: dict[str, object], start: Start) -> Iterable[bytes]:
        with lock:
            start(next(statuses), [("Content-Type", "text/plain")])
        return [b"told"]

    with served(answering) as port:
        report = load.run(f"http://127.0.0.1:{port}/", signed, 40, connections=4)

    assert report.by_answer() == {"HTTP 200": 20, "HTTP 429": 10, "HTTP 500": 10}
    assert not report.all_good


def test_nobody_at_the_address_is_an_answer_of_its_own() -> None:
    with served(lambda environ, start: []) as port:
        pass

    report = load.run(f"http://127.0.0.1:{port}/", signed, 3, connections=2)

    assert report.by_answer() == {"no answer: ConnectionRefusedError": 3}


def test_times_are_nearest_ranks() -> None:
    report = load.Report([load.Answer("HTTP 200", ms / 1000) for ms in range(1, 101)], 2.0)

    assert [round(report.quantile_ms(q)) for q in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert report.lines()[0] == "100 events in 2.0 s, 50.0 a second"
    assert report.lines()[-1].startswith("from due to answered: p50 50.0 ms, p95 95.0 ms")


def test_the_command_prints_the_report_and_is_content_with_2xx(
    world: World, url: str, capsys: Capture
) -> None:
    arguments = ["send", "--url", url, "--secret", SECRET, "--id", "drill", "--count", "25"]

    assert main([*arguments, "--concurrency", "3", "--rate", "500"]) == 0

    first, answers, times = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"25 events in \d+\.\d s, \d+\.\d a second", first)
    assert answers.split() == ["25", "HTTP", "200"]
    assert re.search(r"p50 .* p95 .* p99 .* max", times)
    assert {event.id for event in world.handled} == {f"drill_{n}" for n in range(25)}


def test_refusals_under_load_are_an_exit_status_of_1(url: str, capsys: Capture) -> None:
    assert main(["send", "--url", url, "--secret", "whsec_b3RoZXI=", "--count", "3"]) == 1
    assert "3  HTTP 401" in capsys.readouterr().out


def test_a_guide_s_rate_limit_shows_as_429(world: World, capsys: Capture) -> None:
    with served(application(world.receiver(now=time.time))) as port:
        status = main(["send", "--url", f"http://127.0.0.1:{port}/", "--secret", SECRET, "--count", "150"])

    out = capsys.readouterr().out
    assert status == 1
    assert re.search(r"1[0-4]\d  HTTP 200", out)
    assert "HTTP 429" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--count", "0"], "at least one event"),
        (["--count", "5", "--concurrency", "0"], "1 to 256 connections"),
        (["--count", "5", "--concurrency", "257"], "1 to 256 connections"),
        (["--count", "5", "--rate", "0"], "a rate above zero"),
        (["--count", "5", "--rate", "nan"], "a rate above zero"),
        (["--count", "5", "--url", "ftp://x"], "ftp://x"),
        (["--count", "5", "--url", "http://"], "http://"),
        (["--count", "5", "--url", "http://x:port/"], "port"),
        (["--count", "5", "--secret", "not base64!"], "base64"),
    ],
)
def test_a_senseless_load_is_one_line_and_an_exit_status_of_2(
    arguments: list[str], said: str, capsys: Capture
) -> None:
    assert main(["send", "--url", "http://127.0.0.1:9", "--secret", SECRET, *arguments]) == 2

    told = capsys.readouterr().err
    assert told.startswith("nothing was sent: ")
    assert said in told
    assert told.count("\n") == 1
