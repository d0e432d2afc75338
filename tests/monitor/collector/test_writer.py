"""The writer over its real socket, in a thread of the test."""

import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.collector import frames
from monitor.collector.chores import Chores
from monitor.collector.counters import Counters, cleared, totals
from monitor.collector.desk import Desk
from monitor.collector.link import Link
from monitor.collector.settings import CollectorSettings
from monitor.collector.writer import WriterServer, listening
from monitor.errors import StoreFull, TooLarge, Unavailable
from monitor.model import SeriesKey
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.store.facts.making import Made, batch_of

KEY = SeriesKey("production", "orum", "payouts", "t")


@contextmanager
def running(settings: CollectorSettings, pages: int = 0) -> Iterator[WriterServer]:
    """A writer that serves until the block ends. pages: the store's size is bound to so many when given."""
    ready = threading.Event()
    servers: list[WriterServer] = []

    def run() -> None:
        clock = SystemClock()
        store = SqliteFactWriter(settings.facts_path, clock)
        if pages:
            store._db.execute(f"PRAGMA max_page_count={pages}").fetchall()
        counters = Counters(settings.counters_dir)
        with listening(settings.socket_path) as listener:
            servers.append(
                WriterServer(
                    listener, Desk(store, counters, lambda: 0), Chores(store, settings, counters, clock)
                )
            )
            ready.set()
            servers[0].serve()
        store.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield servers[0]
    finally:
        servers[0].stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def settings(tmp_path: Path) -> CollectorSettings:
    told = CollectorSettings(tmp_path, bytes(32), retention_s=10 * 365 * 86_400)
    create(told.facts_path)
    cleared(told.counters_dir)
    return told


def test_every_kind_of_request_comes_back_over_the_socket(settings: CollectorSettings) -> None:
    with running(settings):
        link = Link(settings.socket_path)
        codes = link.intern_series([KEY])
        endpoint = codes[SeriesKey("production", "orum", "payouts")]
        assert link.intern_errors([(endpoint, "E")]).keys() == {(endpoint, "E")}
        batch = batch_of(link_writer(link), [Made(1, key=KEY, event_id="e"), Made(2, key=KEY)], fed=[(1,)])
        assert (link.append(batch).accepted, link.append(batch).duplicates) == (2, 2)
        assert link.append_queues([(endpoint, "q", 1, 2, None)]) == 1
        probe = (endpoint, "http", 1, 1, 200, 5, None, None, None, None)
        assert link.append_probes([probe]) == 1
        assert link.ping()["failing"] == 0
        link.close()
    assert totals(settings.counters_dir)["commits", ""] == 2


def link_writer(link: Link) -> SqliteFactWriter:
    """The link where `batch_of` wants a writer: it only interns names."""

    class _Interning:
        def intern_series(self, keys: list[SeriesKey], now_us: int) -> object:
            return link.intern_series(keys)

        def intern_errors(self, names: list[tuple[int, str]]) -> object:
            return link.intern_errors(names)

    return _Interning()  # type: ignore[return-value]


def test_socket_is_for_this_user_alone(settings: CollectorSettings) -> None:
    with running(settings):
        assert stat.S_IMODE(settings.socket_path.stat().st_mode) == 0o600


def test_long_data_directory_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = CollectorSettings(tmp_path / ("d" * 120), bytes(32))
    assert len(str(deep.socket_path)) < 104
    assert deep.socket_path != CollectorSettings(tmp_path / ("e" * 120), bytes(32)).socket_path


def test_nobody_there_is_said_with_a_time_to_come_back(settings: CollectorSettings) -> None:
    with pytest.raises(Unavailable) as refused:
        Link(settings.socket_path).intern_series([KEY])
    assert refused.value.retry_after_s == 1


def test_link_reaches_the_next_writer_by_itself(settings: CollectorSettings) -> None:
    link = Link(settings.socket_path)
    with running(settings):
        first = link.intern_series([KEY])
    with running(settings):
        assert link.intern_series([KEY]) == first
    link.close()


def test_stalled_front_stalls_nobody(settings: CollectorSettings) -> None:
    with running(settings):
        stalled = socket.socket(socket.AF_UNIX)
        stalled.connect(str(settings.socket_path))
        stalled.sendall(frames.frame((frames.PING, None))[:7])
        link = Link(settings.socket_path, wait_s=5)
        assert link.intern_series([KEY])
        stalled.close()
        link.close()


def test_front_that_takes_no_answers_stalls_nobody(settings: CollectorSettings) -> None:
    with running(settings):
        deaf = socket.socket(socket.AF_UNIX)
        deaf.connect(str(settings.socket_path))
        deaf.settimeout(5)
        names = [("production", "orum", "payouts", f"type-{i:04}" + "x" * 200) for i in range(900)]
        for _ in range(5):
            deaf.sendall(frames.frame((frames.SERIES, names)))
        link = Link(settings.socket_path, wait_s=10)
        assert link.intern_series([KEY])
        incoming, answers = frames.Frames(), 0
        while answers < 5:
            answers += len(list(incoming.feed(deaf.recv(1 << 16))))
        deaf.close()
        link.close()


def test_full_disk_reaches_the_front_and_the_writer_lives_on(settings: CollectorSettings) -> None:
    with running(settings, pages=60):
        link = Link(settings.socket_path)
        records = [Made(i, key=KEY, event_id="x" * 200) for i in range(9_000)]
        with pytest.raises(StoreFull) as refused:
            link.append(batch_of(link_writer(link), records))
        assert refused.value.retry_after_s
        assert link.ping()["failing"] == 1
        assert link.append(batch_of(link_writer(link), records[:10])).accepted == 10
        assert link.ping()["failing"] == 0
        link.close()


def test_name_without_room_is_refused_and_named(settings: CollectorSettings) -> None:
    with running(settings):
        link = Link(settings.socket_path)
        with pytest.raises(TooLarge, match="env-16"):
            link.intern_series([SeriesKey(f"env-{i}") for i in range(17)])
        link.close()


def test_damaged_question_costs_only_its_own_answer(settings: CollectorSettings) -> None:
    with running(settings):
        link = Link(settings.socket_path)
        batch = batch_of(link_writer(link), [Made(1, key=KEY)])
        broken = replace(batch, rows=[(*batch.rows[0][:1], None, *batch.rows[0][2:])])
        answer = link.append(broken)
        assert (answer.accepted, list(answer.unstorable)) == (0, [0])
        with pytest.raises(Unavailable, match="error of its own"):
            link._ask(frames.SERIES, 5)
        assert link.append(batch).accepted == 1
        link.close()


def test_large_messages_arrive_whole_in_small_pieces() -> None:
    message = (1, [b"x" * 1000] * 50, "text", None)
    data = frames.frame(message) + frames.frame((2,))
    incoming = frames.Frames()
    found = [m for at in range(0, len(data), 7) for m in incoming.feed(data[at : at + 7])]
    assert found == [message, (2,)]
