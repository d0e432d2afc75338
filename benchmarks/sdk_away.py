"""What a receiver's answers cost while its collector is up, down, or swallows connections and never answers.

Run: python -m benchmarks.sdk_away [--rounds N] [--save]. Each case is a process with a receiver of its own,
asked for signed events at a steady pace by a caller in the same thread; a case's rounds alternate with those
of the others, so that what the machine does meanwhile meets all alike. Told: the median over the rounds of
each round's 50th and 99th percentile. A collector that is up runs in a process apart. --save writes
results/sdk_away.md.
"""

import argparse
import contextlib
import logging
import multiprocessing
import platform
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from hookvitals import Receiver, Shipper
from hookvitals.testing import signed_request
from tests.sdk.collector import KEY, collecting

ROUND_S, PER_SECOND = 2.0, 1000
GOAL = 1.05
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/webhooks/billing"
RESULTS = Path(__file__).parent / "results" / "sdk_away.md"
Round = tuple[float, float]
"""50th and 99th percentile in microseconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, collector() as up, black_hole() as hole:
        down = "http://127.0.0.1:9"
        cases = {
            "up": (up, ""),
            "down": (down, ""),
            "black hole": (hole, ""),
            "up, with a spool": (up, f"{directory}/up"),
            "down, with a spool": (down, f"{directory}/down"),
            "black hole, with a spool": (hole, f"{directory}/hole"),
        }
        lines = report(measured(cases, given.rounds), given.rounds)
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(cases: dict[str, tuple[str, str]], rounds: int) -> dict[str, list[Round]]:
    """The rounds of each case; the first of each warms up and is left out."""
    found: dict[str, list[Round]] = {name: [] for name in cases}
    with contextlib.ExitStack() as stack:
        asking = {name: stack.enter_context(process(receive, *case)) for name, case in cases.items()}
        for number in range(rounds + 1):
            for name, link in asking.items():
                link.send(number)
                one: Round = link.recv()
                if number:
                    found[name].append(one)
    return found


def receive(link: Connection, url: str, spool_dir: str) -> None:
    """Runs a round whenever it is told to."""
    logging.disable(logging.CRITICAL)
    shipper = Shipper(url, KEY, spool_dir=spool_dir or None)
    receiver = Receiver(
        "acme", endpoint="billing", system="standard", secrets=[SECRET], shipper=shipper,
        profile={"rate_per_minute": None},
    )  # fmt: skip
    receiver.on("*")(lambda event: None)
    while True:
        number = link.recv()
        took_us = []
        began = time.perf_counter()
        for at in range(int(ROUND_S * PER_SECOND)):
            request = signed_request("standard", SECRET, f"evt_{number}_{at}", "invoice.paid", {"total": at})
            time.sleep(max(0.0, began + at / PER_SECOND - time.perf_counter()))
            asked = time.perf_counter_ns()
            status, _, _ = receiver.handle("POST", URL, *request, "192.0.2.1")
            took_us.append((time.perf_counter_ns() - asked) / 1000)
            assert status == 200
        cuts = statistics.quantiles(took_us, n=100)
        link.send((cuts[49], cuts[98]))


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """The address of one that takes everything."""
    with process(collect) as link:
        yield link.recv()


def collect(link: Connection) -> None:
    with collecting() as (_, url):
        link.send(url)
        link.recv()


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """The address of a socket that listens, and never accepts."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(8)
        yield f"http://127.0.0.1:{hole.getsockname()[1]}"


@contextlib.contextmanager
def process(work: object, *given: str) -> Iterator[Connection]:
    """A line to a process that does this work, and is killed afterwards."""
    ours, theirs = multiprocessing.Pipe()
    made = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, *given), daemon=True)  # type: ignore[arg-type]
    made.start()
    try:
        yield ours
    finally:
        made.kill()
        made.join()


def report(found: dict[str, list[Round]], rounds: int) -> list[str]:
    medians = {
        name: [statistics.median(column) for column in zip(*each, strict=True)]
        for name, each in found.items()
    }
    rows, worst = [], 0.0
    for name, (middle, slow) in medians.items():
        base = medians["up, with a spool" if "spool" in name else "up"][1]
        worst = max(worst, slow / base)
        rows.append(f"| {name} | {middle:.0f} | {slow:.0f} | {slow / base:.2f} |")
    verdict = "met" if worst <= GOAL else "missed"
    return [
        "# A receiver whose collector is away",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; "
        f"`python -m benchmarks.sdk_away --rounds {rounds} --save`: {rounds} rounds a case of "
        f"{ROUND_S:g} s at {PER_SECOND} a second, a handler that does nothing",
        "",
        "| collector | p50, µs | p99, µs | p99 against up |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Goal: p99 at most {GOAL:g} times that of a collector that is up: {verdict}.",
    ]


if __name__ == "__main__":
    main()
