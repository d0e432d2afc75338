"""What the monitor's own rules are shown of the monitor."""

from datetime import timedelta
from pathlib import Path

from alerts.channels.channel import Receipt
from alerts.house import Backlog
from alerts.model import Notification, Why
from alerts.notifier import Delivered
from monitor.clock import to_us
from monitor.queries.house import disk_of, evaluated_at, house
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.alerts.samples import alert
from tests.control import lead, new_control
from tests.facts import NOON, Filled
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import batch_of

MINUTE = timedelta(minutes=1)


def told(key: str, channel: str, minutes: int) -> Notification:
    return Notification(key, channel, Why.FIRING, alert(), NOON - minutes * MINUTE)


def test_what_waits_in_the_outbox_is_counted_by_channel_with_its_oldest(
    tmp_path: Path, reader: SqliteFactReader
) -> None:
    control = new_control(tmp_path, FakeClock(NOON))
    epoch = lead(control)
    waiting = [told("a", "chat", 9), told("b", "chat", 30), told("c", "mail", 5), told("d", "pager", 1)]
    control.notifications.add(waiting, epoch)
    control.notifications.postpone(["c"], NOON + MINUTE, epoch)  # for its turn: not late
    control.notifications.settle({"d": Delivered(Receipt())}, NOON, [], epoch)

    assert house(reader, control, NOON).backlogs == [Backlog("chat", 2, NOON - 30 * MINUTE)]
    control.close()


def test_a_round_is_completed_when_its_job_says_so(tmp_path: Path, reader: SqliteFactReader) -> None:
    control = new_control(tmp_path, FakeClock(NOON))
    epoch = lead(control)
    assert evaluated_at(control) is None
    control.jobs.succeeded("rules", NOON - MINUTE, 0.1, epoch)
    control.jobs.failed("rules", NOON, "Unavailable: the facts are away", epoch)
    control.jobs.succeeded("feed", NOON, 0.1, epoch)
    assert house(reader, control, NOON).evaluated_at == NOON - MINUTE
    control.close()


def test_an_instance_comes_with_its_clock_its_drops_and_its_gap(
    tmp_path: Path, fill: Filled, reader: SqliteFactReader
) -> None:
    control = new_control(tmp_path, FakeClock(NOON))

    def hear(at_minute: int, produced: int, dropped: dict[str, int]) -> None:
        counts = ClientCounts(
            "app", "1", "web-1", 5, to_us(NOON - at_minute * MINUTE), 45_000_000, produced, 2, dropped, {}
        )
        fill.writer.append([batch_of(fill.writer, [], client=counts)])

    hear(30, 10, {"memory_full": 3})
    hear(20, 10, {"memory_full": 4})
    hear(1, 12, {"memory_full": 4})

    [found] = house(reader, control, NOON).instances
    assert (found.name, found.seen_at, found.skew) == ("web-1", NOON - MINUTE, -timedelta(seconds=45))
    assert (found.dropped, found.dropped_at) == ({"memory_full": 4}, NOON - 20 * MINUTE)
    assert found.missing == 12 - 0 - 2 - 4
    control.close()


def test_the_disk_is_that_of_the_facts_and_the_budget_is_the_settings(
    tmp_path: Path, reader: SqliteFactReader
) -> None:
    control = new_control(tmp_path, FakeClock(NOON))
    found = house(reader, control, NOON, 10**9, disk_of(tmp_path))
    assert (found.used_bytes, found.budget_bytes) == (reader.used_bytes(), 10**9)
    assert 0 < found.disk_free_bytes < found.disk_bytes
    control.close()
