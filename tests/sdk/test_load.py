"""`python -m hookvitals send --count` and `--for`: a receiver under load, counted and timed. Practice 42."""

import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest

from hookvitals import load
from hookvitals.__main__ import main
from hookvitals.integrations.wsgi import application
from hookvitals.mix import mix_of
from hookvitals.testing import signed_request
from tests.ports import free_port
from tests.sdk.integrations.serving import served
from tests.sdk.world import SECRET, World

Capture = pytest.CaptureFixture[str]
Start = Callable[..., object]


def planned(number: int) -> load.Planned:
    return load.Planned(*signed_request("standard", SECRET, f"evt_{number}", "invoice.paid"))


@pytest.fixture
def url(world: World) -> Iterator[str]:
    receiver = world.receiver(now=time.time, profile={"rate_per_minute": None})
    with served(application(receiver)) as port:
        yield f"http://127.0.0.1:{port}/hook"


def test_every_event_is_sent_once_over_all_connections(world: World, url: str) -> None:
    report = load.run(url, planned, 60, connections=6)

    assert report.by_answer() == {"HTTP 200": 60}
    assert report.all_expected
    assert sorted(event.id for event in world.handled) == sorted(f"evt_{n}" for n in range(60))


def test_events_leave_at_the_rate_that_was_asked_for(url: str) -> None:
    report = load.run(url, planned, 20, rate=40.0, connections=4)

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
        report = load.run(f"http://127.0.0.1:{port}/", planned, 10, rate=100.0, connections=1)

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
        report = load.run(f"http://127.0.0.1:{port}/", planned, 40, connections=4)

    assert report.by_answer() == {"HTTP 200": 20, "HTTP 429": 10, "HTTP 500": 10}
    assert not report.all_expected


def test_nobody_at_the_address_is_an_answer_of_its_own() -> None:
    report = load.run(f"http://127.0.0.1:{free_port()}/", planned, 3, connections=2)

    assert report.by_answer() == {"no answer: ConnectionRefusedError": 3}


def test_times_are_nearest_ranks() -> None:
    report = load.Report([load.Answered("HTTP 200", ms / 1000) for ms in range(1, 101)], 2.0)

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


def test_events_fall_due_for_as_long_as_was_asked(url: str) -> None:
    report = load.run(url, planned, for_s=0.5, rate=40.0, connections=4)

    assert report.by_answer() == {"HTTP 200": 20}


def test_a_count_and_a_time_end_with_whichever_comes_first(url: str) -> None:
    assert len(load.run(url, planned, 3, for_s=30.0).answers) == 3
    assert len(load.run(url, planned, 1000, for_s=0.1, rate=50.0).answers) == 5


def test_a_mix_is_counted_by_kind_and_a_due_refusal_is_no_failure(
    world: World, url: str, capsys: Capture
) -> None:
    arguments = [
        "send",
        "--url",
        url,
        "--secret",
        SECRET,
        "--id",
        "mixed",
        "--count",
        "200",
        "--concurrency",
        "1",
    ]
    mix = "valid=70,duplicate=10,unknown_type=5,bad_signature=10,missing_signature=5"

    assert main([*arguments, "--mix", mix]) == 0

    _, *counts, _ = capsys.readouterr().out.splitlines()
    assert sorted(line.split() for line in counts) == [
        ["10", "missing_signature", "HTTP", "401"],
        ["10", "unknown_type", "HTTP", "200"],
        ["140", "valid", "HTTP", "200"],
        ["20", "bad_signature", "HTTP", "401"],
        ["20", "duplicate", "HTTP", "200"],
    ]
    assert world.outcomes().count("duplicate") == 20
    assert len(world.handled) == 150


def test_an_answer_that_a_kind_does_not_call_for_is_marked(capsys: Capture) -> None:
    def believing(environ: dict[str, object], start: Start) -> Iterable[bytes]:
        start("204 No Content", [])
        return []

    with served(believing) as port:
        arguments = ["send", "--url", f"http://127.0.0.1:{port}/", "--secret", SECRET, "--count", "20"]
        assert main([*arguments, "--mix", "valid=9,bad_signature=1"]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["18", "valid", "HTTP", "204"],
        ["2", "bad_signature", "HTTP", "204", "not", "expected"],
    ]


@pytest.mark.parametrize("text", ["valid=1", "valid=1,duplicate=1", "valid=90,bad_signature=5,duplicate=5"])
def test_of_as_many_as_the_weights_add_up_to_each_kind_has_its_weight(text: str) -> None:
    mix = mix_of(text)
    total = sum(weight for _, weight in mix.weights)

    for begin in (0, 7, 12_345):
        kinds = Counter(mix.kind_of(number) for number in range(begin, begin + total))
        assert kinds == dict(mix.weights)


def test_a_duplicate_is_a_copy_of_the_last_valid_event() -> None:
    mix = mix_of("valid=2,duplicate=3")

    for number in range(40):
        if mix.kind_of(number) == "duplicate":
            original = mix.original_of(number)
            assert mix.kind_of(original) == "valid"
            assert all(mix.kind_of(between) == "duplicate" for between in range(original + 1, number))


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
        (["--count", "1000001"], "at most 1000000"),
        (["--for", "0"], "a time above zero"),
        (["--for", "3601"], "3600 s at most"),
        (["--for", "nan"], "a time above zero"),
        (["--rate", "5"], "--count or --for"),
        (["--mix", "valid=1"], "--count or --for"),
        (["--count", "5", "--mix", "valid"], "whole weight"),
        (["--count", "5", "--mix", "valid=1,valid=2"], "stands once"),
        (["--count", "5", "--mix", "forged=1"], "made of valid"),
        (["--count", "5", "--mix", "duplicate=1"], "needs valid"),
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
