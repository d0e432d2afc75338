"""What 1,000 probes a minute cost the worker, beside the same requests over raw sockets.

Run: python -m benchmarks.probes [--endpoints N] [--rounds N] [--save]. One round is a minute of the worker's
job over its own clock: the plan read from the control store at each tick of 5 s, every endpoint asked once,
the results posted. What is told is the processor time of this process, its threads included, as a share of
that minute. The endpoints answer from a process apart, over plain HTTP and over TLS; with TLS the public
certificates are loaded as for real endpoints. --save writes results/probes.md.
"""

import argparse
import multiprocessing
import platform
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from alerts.egress import Egress
from alerts.http import Client
from monitor.config import Document
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.http import probe_http
from monitor.probes.target import ProbeTarget
from monitor.store.control import Control, upgrade
from monitor.store.control.catalog import Endpoint, ManagedBy
from monitor.wiring.probes import CollectorReport, Looker, plan_of
from monitor.worker.probing import Plan, Probing
from tests.monitor.clocks import FakeClock
from tests.monitor.probes.authority import issue

MINUTE_S, TICK = 60, timedelta(seconds=5)
GOAL = 0.15
ALLOWED = ("127.0.0.0/8",)
ANSWER = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
Row = tuple[str, float, float]
RESULTS = Path(__file__).parent / "results" / "probes.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for secure in (False, True):
            with answering(directory, secure) as port:
                rows.append(measured(directory, port, secure, given.endpoints, given.rounds))
    lines = report(rows, given.endpoints, given.rounds)
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(directory: Path, port: int, secure: bool, endpoints: int, rounds: int) -> Row:
    """(what, seconds of processor time a minute of probes took, the same of raw requests): medians."""
    clock, answered = FakeClock(), 0
    control = control_of(directory, port, secure, endpoints)
    document = Document.model_validate({"egress": {"allow": ALLOWED}})
    posted = CollectorReport(f"http://127.0.0.1:{port}", "hv_a_b")

    def look(target: ProbeTarget, kind: ProbeKind, timeout_s: float) -> ProbeResult:
        if secure:
            client = Client(Egress(ALLOWED), ca_file=str(directory / "trusted.pem"))
            return probe_http(target, client, clock, timeout_s)
        return Looker(ALLOWED, clock)(target, kind, timeout_s)

    def take(results: Sequence[ProbeResult]) -> None:
        nonlocal answered
        assert all(result.ok for result in results), next(one.error for one in results if not one.ok)
        answered += len(results)
        if not secure:  # the collector is dialled without TLS
            posted(results)

    def plan() -> Plan:
        found = plan_of(document, control.catalog.endpoints())
        return replace(found, targets=[replace(one, kinds=(ProbeKind.HTTP,)) for one in found.targets])

    job = Probing(plan, look, take, clock)

    def minute() -> None:
        for _ in range(MINUTE_S // 5):
            job.run(1)
            clock.move(TICK)

    minute()  # in the first one the looks are being spread
    ours, raw = [], []
    for _ in range(rounds):
        answered = 0
        ours.append(spent_s(minute))
        assert answered == endpoints, answered
        raw.append(spent_s(lambda: [ask(port, secure, directory) for _ in range(endpoints)]))
    control.close()
    return "HTTPS" if secure else "HTTP", statistics.median(ours), statistics.median(raw)


def spent_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def control_of(directory: Path, port: int, secure: bool, endpoints: int) -> Control:
    """A control store with so many endpoints."""
    url = f"sqlite:///{directory / f'control-{port}.db'}"
    upgrade(url)
    control, at = Control.open(url, FakeClock()), datetime(2026, 11, 21, tzinfo=UTC)
    scheme = "https" if secure else "http"
    with control.write() as tx:
        for n in range(endpoints):
            hook = f"{scheme}://127.0.0.1:{port}/hooks/{n}"
            one = Endpoint("production", "stripe", f"e{n}", ManagedBy.API, at, url=hook, insecure=True)
            control.catalog.put_endpoint(tx, one, at)
    return control


@lru_cache
def trusting(directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=directory / "trusted.pem")


def ask(port: int, secure: bool, directory: Path) -> bytes:
    """The same request with the standard library alone."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        if secure:
            context = trusting(directory)
            connection: socket.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        else:
            connection = plain
        with connection:
            connection.sendall(b"GET /hooks HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n")
            return connection.recv(4096)


@contextmanager
def answering(directory: Path, secure: bool) -> Iterator[int]:
    """The port of endpoints, and of a collector, that answer from a process apart."""
    if secure:
        shown = issue("127.0.0.1")
        (directory / "shown.pem").write_bytes(shown.pem + shown.key_pem)
        public = Path(DEFAULT_CA_BUNDLE_PATH).read_bytes()
        (directory / "trusted.pem").write_bytes(public + b"\n" + shown.pem)
    ours, theirs = multiprocessing.Pipe()
    shows = str(directory / "shown.pem") if secure else ""
    made = multiprocessing.get_context("spawn").Process(target=answer, args=(theirs, shows), daemon=True)
    made.start()
    try:
        yield int(ours.recv())
    finally:
        made.kill()
        made.join()


def answer(link: Connection, shows: str) -> None:
    """Answers every connection once, for ever."""
    context = None
    if shows:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shows)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        link.send(listening.getsockname()[1])
        while True:
            plain, _ = listening.accept()
            try:
                connection = context.wrap_socket(plain, server_side=True) if context else plain
                with connection:
                    connection.settimeout(5)
                    head = connection.recv(65536)
                    while head.startswith(b"POST") and not head.rstrip().endswith(b"]"):
                        head += connection.recv(65536)
                    connection.sendall(TAKEN if head.startswith(b"POST") else ANSWER)
            except OSError:
                continue


def report(rows: Sequence[Row], endpoints: int, rounds: int) -> list[str]:
    per_minute = 1000 / endpoints / MINUTE_S
    shares = [(what, ours * per_minute, raw * per_minute) for what, ours, raw in rows]
    verdict = "met" if all(share <= GOAL for _, share, _ in shares) else "missed"
    return [
        "# A thousand probes a minute",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; "
        f"`python -m benchmarks.probes --endpoints {endpoints} --rounds {rounds} --save`; medians",
        "",
        "| endpoints | processor time of the worker, share of a core | raw sockets | ratio |",
        "|---|---|---|---|",
        *(f"| {what} | {ours:.1%} | {raw:.1%} | {ours / raw:.1f} |" for what, ours, raw in shares),
        "",
        f"Goal: at most {GOAL:.0%} of one core: {verdict}.",
    ]


if __name__ == "__main__":
    main()
