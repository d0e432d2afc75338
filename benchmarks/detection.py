"""How long it takes from the first failing record to the message at a channel, with whole processes.

Run: python -m benchmarks.detection [--endpoints N] [--save]. `hookvitals up` as an operator starts it, with a
rule for each endpoint, judged each ten seconds; half of the endpoints have `for` of none, half of twenty
seconds. Each begins to fail at a moment of its own and keeps on, two records a second; what is measured ends
when the webhook channel's receiver has the message. The limit in the same run is the rule's interval and its
`for`: beyond it lie the fold, the outbox and the post. --save writes results/detection.md.
"""

import argparse
import http.server
import json
import os
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import requests

from benchmarks.bench import machine
from tests.e2e.processes import Monitor, monitor

INTERVAL_S, HELD_S = 10.0, 20.0
SPREAD_S, PATIENCE_S = 20.0, 90.0
RECORDS_EACH_S = 2.0
SECRET = "whsec_" + "QUFB" * 8
RESULTS = Path(__file__).parent / "results" / "detection.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=40)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    held_s = {f"endpoint-{at}": HELD_S if at % 2 else 0.0 for at in range(given.endpoints)}
    with (
        tempfile.TemporaryDirectory() as name,
        receiving() as (arrived_s, url),
        machine.watching() as watched,
    ):
        (Path(name) / "hookvitals.toml").write_text(config(held_s, url))
        with monitor(Path(name), {"CALLS_SECRET": SECRET}) as running:
            began_s = troubled(running, list(held_s), arrived_s)
    missing = set(held_s) - set(arrived_s)
    if missing:
        raise SystemExit(f"no message of {', '.join(sorted(missing))} within {PATIENCE_S:.0f} s")
    taken_s = {endpoint: arrived_s[endpoint] - began_s[endpoint] for endpoint in held_s}
    lines = report(taken_s, held_s, watched.others)
    print("\n".join(lines))
    if given.save:
        RESULTS.write_text("\n".join(lines) + "\n")


def config(held_s: Mapping[str, float], url: str) -> str:
    """hookvitals.toml: a rule an endpoint, one channel, and no shipped rule that would tell of it too."""
    rules = "".join(
        f'\n[[rules]]\nkind = "failure_count"\nname = "{endpoint}"\nendpoint = "{endpoint}"\nthreshold = 1\n'
        f'window = "1m"\ninterval = "{INTERVAL_S:.0f}s"\nfor = "{held:.0f}s"\n'
        for endpoint, held in held_s.items()
    )
    return (
        f'[[channels]]\nkind = "webhook"\nname = "calls"\nurl = "{url}"\n'
        'secret = { env = "CALLS_SECRET" }\n'
        f'\n[egress]\nallow = ["127.0.0.0/8"]\n{rules}'
    )


@contextmanager
def receiving() -> Iterator[tuple[dict[str, float], str]]:
    """(when each endpoint's alert came first, by the monotonic clock; the address)."""
    arrived_s: dict[str, float] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            arrived_s.setdefault(body["data"]["rule"], time.monotonic())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the figures are what is printed."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield arrived_s, f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def troubled(running: Monitor, endpoints: Sequence[str], arrived_s: Mapping[str, float]) -> dict[str, float]:
    """When the first failing record of each was taken. Each fails on until its alert has come."""
    chance = random.Random(1)
    start_s = time.monotonic()
    due_s = {endpoint: start_s + chance.uniform(0, SPREAD_S) for endpoint in endpoints}
    began_s: dict[str, float] = {}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running.key}"
        while due_s and time.monotonic() < start_s + SPREAD_S + PATIENCE_S:
            endpoint, moment_s = min(due_s.items(), key=lambda pair: pair[1])
            time.sleep(max(0.0, moment_s - time.monotonic()))
            answer = session.post(f"{running.collector}/api/v1/records", json=[failure(endpoint)], timeout=10)
            answer.raise_for_status()
            began_s.setdefault(endpoint, time.monotonic())
            due_s[endpoint] = time.monotonic() + 1 / RECORDS_EACH_S
            due_s = {one: at_s for one, at_s in due_s.items() if one not in arrived_s}
    return began_s


def failure(endpoint: str) -> dict[str, object]:
    """A record that failed now."""
    ms = time.time_ns() // 1_000_000
    number = UUID(int=ms << 80 | 7 << 76 | 2 << 62 | random.getrandbits(61))
    return {
        "record_id": str(number),
        "event_id": f"evt_{number.hex}",
        "source": "standard",
        "environment": "production",
        "endpoint": endpoint,
        "event_type": "invoice.paid",
        "received_at": ms * 1000,
        "outcome": "failed",
        "attempt": 1,
        "http_status": 500,
        "error_class": "LedgerDown",
        "error_message": "the ledger did not answer",
    }


def report(taken_s: Mapping[str, float], held_s: Mapping[str, float], others: float) -> list[str]:
    """The figures as a page of Markdown."""
    rows = []
    for held in (0.0, HELD_S):
        found = sorted(taken for endpoint, taken in taken_s.items() if held_s[endpoint] == held)
        limit_s = INTERVAL_S + held
        rows.append(
            f"| {held:.0f} s | {limit_s:.0f} s | {statistics.median(found):.1f} s | {found[-1]:.1f} s"
            f" | {found[-1] / limit_s:.2f} |"
        )
    return [
        "# From the first failing record to the message",
        "",
        f"{len(taken_s)} endpoints that begin to fail one after the other, a rule for each, judged each"
        f" {INTERVAL_S:.0f} s; collector and worker in processes of their own on this machine, of which other"
        f" programs took {others:.0%} meanwhile. Python {platform.python_version()},"
        f" {os.cpu_count()} CPUs, {platform.machine()}. Written by `python -m benchmarks.detection --save`.",
        "",
        "| `for` | interval + `for` | median | longest | longest / limit |",
        "|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    main()
