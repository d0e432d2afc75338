"""Records a second through the whole collector, beside raw inserts of the same records into the same disk.

Run: python benchmarks/ingest.py [--records N] [--rounds N] [--save]. Each round starts a collector of its own
(2 front workers, one writer, fsync before each answer), sends pre-encoded batches of 500 over 8 connections
and runs the control before and after it: stdlib executemany of the full row and event key, 5000 a
transaction, the same pragmas and indexes. --save writes results/ingest.md.
"""

import argparse
import hashlib
import multiprocessing
import os
import platform
import random
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from zlib import crc32

import msgspec

from monitor.collector.keys import Key
from monitor.collector.serve import serve
from monitor.collector.settings import CollectorSettings
from monitor.model import SeriesKey
from monitor.store.facts.sqlite.reader import SqliteFactReader
from monitor.store.facts.sqlite.writer import create

BATCH = 500
CONNECTIONS = 8
ENDPOINTS, TYPES = 10, 5
FAILING = 0.05
CONTROL_BATCH = 5_000
GOAL = 0.60
WORKERS_S = 2.0
"""Until surely every front worker runs: a connection stays with the one that took it."""
RESULTS = Path(__file__).parent / "results" / "ingest.md"
PRODUCTION = SeriesKey("production")

COLUMNS = (
    "record_id BLOB PRIMARY KEY, event_id TEXT, source TEXT, environment TEXT, endpoint TEXT,"
    " event_type TEXT, received_at_us INTEGER, outcome TEXT, attempt INTEGER, ack_ms REAL,"
    " latency_ms REAL, verify_ms REAL, queue_ms REAL, process_ms REAL, http_status INTEGER,"
    " secret_id TEXT, receiver TEXT, remote_ip TEXT, error_class TEXT, error_message TEXT,"
    " event_key INTEGER"
)
PRAGMAS = (
    "page_size=16384",
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=4000",
    "cache_size=-131072",
)


@dataclass(frozen=True, slots=True)
class Round:
    """Records a second of the collector and of the control, and how long answers took (milliseconds)."""

    collector: float
    control: float
    p50_ms: float
    p99_ms: float

    @property
    def ratio(self) -> float:
        return self.collector / self.control


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    rounds = []
    for number in range(given.rounds):
        rounds.append(one_round(given.records, number))
        print(row(number, rounds[-1]), flush=True)
    lines = report(rounds, given.records)
    print("\n".join(lines))
    if given.save:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n")


def one_round(count: int, number: int) -> Round:
    """Control, collector, control, each on an empty store. Exits if a record is lost or miscounted."""
    records = made(count, number)
    requests = [request_of(records[at : at + BATCH]) for at in range(0, count, BATCH)]
    rows = [row_of(record, at) for at, record in enumerate(records)]
    del records
    before = raw_inserts(rows)
    with tempfile.TemporaryDirectory() as folder:
        rate, taken_ms = through_collector(Path(folder), requests, count)
    control = (before + raw_inserts(rows)) / 2
    return Round(rate, control, statistics.median(taken_ms), statistics.quantiles(taken_ms, n=100)[98])


def made(count: int, seed: int) -> list[dict[str, object]]:
    """Records of 20 fields over the three minutes before now, 50 routes, one in twenty failing."""
    chance = random.Random(seed)
    now_ms = time.time_ns() // 1_000_000
    found = []
    for number in range(count):
        ms = now_ms - 180_000 + number * 180_000 // count
        process_ms = round(chance.lognormvariate(3, 1), 3)
        failing = chance.random() < FAILING
        record = {
            "record_id": str(UUID(int=ms << 80 | 7 << 76 | 2 << 62 | chance.getrandbits(61))),
            "event_id": f"evt_{chance.getrandbits(64):016x}",
            "source": f"source-{number % ENDPOINTS // 2}",
            "environment": "production",
            "endpoint": f"endpoint-{number % ENDPOINTS}",
            "event_type": f"type-{number // ENDPOINTS % TYPES}.updated",
            "received_at": ms * 1000 - 5_000,
            "outcome": "failed" if failing else "succeeded",
            "attempt": 1,
            "ack_ms": round(process_ms + 1.5, 3),
            "latency_ms": round(process_ms + 1.0, 3),
            "verify_ms": 0.112,
            "queue_ms": 0.251,
            "process_ms": process_ms,
            "http_status": 500 if failing else 200,
            "secret_id": "k-4f2a",
            "receiver": "payments-7d9f4",
            "remote_ip": "203.0.113.9",
        }
        if failing:
            record |= {
                "error_class": f"Error{number % 7}",
                "error_message": "upstream did not answer in time",
            }
        found.append(record)
    return found


def request_of(records: Sequence[dict[str, object]]) -> bytes:
    body = msgspec.json.encode(records)
    head = (
        "POST /api/v1/records HTTP/1.1\r\nHost: collector\r\nAuthorization: Bearer hv_bench_secret\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def row_of(record: dict[str, object], place: int) -> tuple[object, ...]:
    """The record as the control stores it: every field in its column, and the event key."""
    event_id = str(record["event_id"])
    values = {**record, "record_id": UUID(str(record["record_id"])).bytes}
    names = [column.split()[0] for column in COLUMNS.split(", ")][:-1]
    sent = {"received_at_us": record["received_at"]}
    key = (place >> 13) << 32 | crc32(event_id.encode())
    return (*((values | sent).get(name) for name in names), key)


def raw_inserts(rows: Sequence[tuple[object, ...]]) -> float:
    """Rows a second of stdlib executemany with durable commits, into a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return _raw_inserts(Path(folder) / "control.db", rows)


def _raw_inserts(path: Path, rows: Sequence[tuple[object, ...]]) -> float:
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        db.execute(f"PRAGMA {pragma}").fetchall()
    db.execute(f"CREATE TABLE record ({COLUMNS}) WITHOUT ROWID")
    db.execute("CREATE INDEX record_event ON record (event_key)")
    db.execute("CREATE INDEX record_trouble ON record (outcome, record_id) WHERE outcome <> 'succeeded'")
    insert = f"INSERT OR IGNORE INTO record VALUES ({','.join('?' * len(rows[0]))})"
    began = time.perf_counter()
    for at in range(0, len(rows), CONTROL_BATCH):
        db.execute("BEGIN IMMEDIATE")
        db.executemany(insert, rows[at : at + CONTROL_BATCH])
        db.execute("COMMIT")
    taken_s = time.perf_counter() - began
    db.close()
    return len(rows) / taken_s


def through_collector(directory: Path, requests: Sequence[bytes], count: int) -> tuple[float, list[float]]:
    """Records a second from the first byte sent to the last answer, and each answer's milliseconds."""
    create(directory / "facts.db")
    port = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=collector, args=(directory, port))
    process.start()
    address = ("127.0.0.1", port.get(timeout=30))
    wait_ready(address)
    time.sleep(WORKERS_S)
    left = list(reversed(requests))
    taken_ms: list[float] = []
    problems: list[bytes] = []
    threads = [
        threading.Thread(target=send, args=(address, left, taken_ms, problems)) for _ in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken_s = time.perf_counter() - began
    process.terminate()
    process.join(30)
    if problems:
        raise SystemExit(f"the collector refused a batch: {problems[0][:500]!r}")
    reader = SqliteFactReader(directory / "facts.db")
    counted = reader.ever([PRODUCTION])[PRODUCTION].records()
    reader.close()
    if counted != count:
        raise SystemExit(f"{count} records were sent and {counted} counted")
    return count / taken_s, taken_ms


def collector(directory: Path, port: "multiprocessing.Queue[int]") -> None:
    """A collector in a process of its own, which is what serves in production."""
    serve(
        CollectorSettings(directory, bytes(32), port=0), keys, on_listening=lambda _, number: port.put(number)
    )


def keys() -> Sequence[Key]:
    return [Key("bench", hashlib.sha256(b"secret").hexdigest(), frozenset({"ingest"}))]


def wait_ready(address: tuple[str, int]) -> None:
    """Returns once the collector says so. Gives up after 30 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: collector\r\nConnection: close\r\n\r\n")
                if b" 200 " in connection.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit("the collector did not become ready")


def send(address: tuple[str, int], left: list[bytes], taken_ms: list[float], problems: list[bytes]) -> None:
    """Sends what is left over one connection, one request after the other's answer."""
    with socket.create_connection(address, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                request = left.pop()
            except IndexError:
                return
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65_536)
            while b'"rejected":[]}' not in answer:
                more = connection.recv(65_536)
                answer += more
                if not more or len(answer) > 100_000 or not answer.startswith(b"HTTP/1.1 200"):
                    problems.append(answer)
                    return
            taken_ms.append((time.perf_counter() - began) * 1000)


def row(number: int, found: Round) -> str:
    return (
        f"| {number + 1} | {found.collector / 1000:.0f}k | {found.control / 1000:.0f}k | {found.ratio:.2f}"
        f" | {found.p50_ms:.0f} | {found.p99_ms:.0f} |"
    )


def report(rounds: Sequence[Round], count: int) -> list[str]:
    """The figures as a page of Markdown."""
    ratio = statistics.median(found.ratio for found in rounds)
    collector_rate = statistics.median(found.collector for found in rounds)
    control_rate = statistics.median(found.control for found in rounds)
    verdict = "met" if ratio >= GOAL else "missed"
    return [
        "# Ingest, end to end",
        "",
        f"{count:,} records a round, {BATCH} a request, {CONNECTIONS} connections, 2 front workers, one"
        " writer; validation, names, exact deduplication, rollup deltas and fsync before each answer; client"
        " on the same machine. Control: stdlib `executemany` of the full 20-column row and event key,"
        f" {CONTROL_BATCH} a transaction, mean of a run before and a run after each round.",
        "",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} CPUs,"
        f" {platform.machine()}. Written by `python benchmarks/ingest.py --save`.",
        "",
        f"**Ratio to the control: {ratio:.2f}** (median of {len(rounds)}; goal {GOAL:.2f}: {verdict}),"
        f" {collector_rate / 1000:.0f}k records/s beside {control_rate / 1000:.0f}k.",
        "",
        "| round | collector | control | ratio | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|",
        *(row(number, found) for number, found in enumerate(rounds)),
    ]


if __name__ == "__main__":
    main()
