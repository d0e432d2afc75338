"""What stored records show of their senders is noted once, with its first and last time."""

from collections.abc import Container, Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from alerts.sightings import Aspect, Sighting
from monitor.errors import LeaseLost
from monitor.model import Outcome, SeriesKey
from monitor.queries.sightings import AT_ONCE, seen_since, sighted, typed
from monitor.store.control import Control
from monitor.store.control.sightings import MOST
from monitor.worker.noticing import MOST_REMEMBERED, Key, Noticing
from tests.control import lead, new_control
from tests.facts import NOON, RecordFactory, sqlite_facts
from tests.monitor.clocks import FakeClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PLACE = SeriesKey("production", "stripe", "payments")


def values(control: Control) -> dict[str, tuple[str, object, object]]:
    seen = control.sightings.all()[PLACE]
    return {one.value: (one.aspect.value, one.first_at, one.last_at) for one in seen}


def test_types_addresses_and_secrets_of_what_verified_are_noted(tmp_path: Path) -> None:
    clock, make = FakeClock(NOON), RecordFactory()
    control = new_control(tmp_path, clock)
    epoch = lead(control)
    with sqlite_facts(tmp_path) as (fill, reader):
        job = Noticing(lambda since, _: sighted(reader, since), control.sightings, clock.now)
        first, last = NOON - 30 * MINUTE, NOON - MINUTE
        old = make.delivery(at=first, remote_ip="203.0.113.7", secret_id="a1b2")
        fill.add([old, make.delivery(at=last, remote_ip="203.0.113.7")])
        fill.add(
            [
                make.delivery(Outcome.REJECTED, last, remote_ip="198.51.100.9", secret_id="evil"),
                make.delivery(at=last, remote_ip="198.51.100.8", canary=True),
                make.delivery(at=last, remote_ip="198.51.100.7", replay_id="rep_1"),
            ]
        )

        assert job.run(epoch) == "3 seen for the first time"
        assert values(control) == {
            "invoice.paid": ("event type", first, last),
            "203.0.113.7": ("address", first, last),
            "a1b2": ("secret", first, first),
        }
        [address] = [one for one in control.sightings.all()[PLACE] if one.aspect is Aspect.ADDRESS]
        assert address.sample == str(old.record_id)

        clock.move(MINUTE)
        fill.add([make.delivery(at=NOON, remote_ip="203.0.113.8")])
        assert job.run(epoch) == "1 seen for the first time"
        assert values(control)["203.0.113.7"][2] == last
    control.close()


def test_a_quiet_endpoint_is_seen_behind_a_busy_one(tmp_path: Path) -> None:
    make = RecordFactory()
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add([make.delivery(at=NOON - 5 * MINUTE, endpoint="quiet", secret_id="seldom")])
        fill.add([make.delivery(at=NOON - MINUTE, endpoint="busy") for _ in range(AT_ONCE + 50)])

        found = sighted(reader, NOON - 10 * MINUTE)

    assert (SeriesKey("production", "stripe", "quiet"), Aspect.SECRET, "seldom") in found


def test_a_new_type_is_noted_however_late_its_records_came(tmp_path: Path) -> None:
    clock, make = FakeClock(NOON), RecordFactory()
    control = new_control(tmp_path, clock)
    epoch = lead(control)
    with sqlite_facts(tmp_path) as (fill, reader):
        job = Noticing(partial(seen_since, reader), control.sightings, clock.now)
        fill.add([make.delivery(at=NOON)])
        job.run(epoch)
        clock.move(HOUR)
        job.run(epoch)
        fill.now = NOON + HOUR
        fill.add([make.delivery(at=NOON - 30 * HOUR, event_type="payout.paid")])  # spooled until now
        fill.add([make.delivery(Outcome.REJECTED, NOON + HOUR), make.delivery(at=NOON + HOUR, canary=True)])

        clock.move(MINUTE)
        assert job.run(epoch) == "1 seen for the first time"
        assert values(control)["payout.paid"] == ("event type", NOON + HOUR, NOON + HOUR)
        clock.move(HOUR)
        assert job.run(epoch) == ""
    control.close()


def test_a_type_that_no_sample_of_records_shows_is_read_off_the_rollups(tmp_path: Path) -> None:
    make = RecordFactory()
    with sqlite_facts(tmp_path) as (fill, reader):
        rare = make(at=NOON - timedelta(seconds=90), event_type="rare")
        fill.now = NOON - DAY
        fill.add([make(at=NOON - HOUR, event_type="gone"), rare, make(at=NOON - MINUTE)])

        found = typed(reader, NOON - 3 * MINUTE, {(PLACE, Aspect.TYPE, "invoice.paid")})

    assert {key[2]: (one.first_at, one.last_at, one.sample) for key, one in found.items()} == {
        "gone": (NOON - DAY, NOON - HOUR, ""),
        "rare": (NOON - DAY, NOON - 2 * MINUTE, str(rare.record_id)),
    }


def test_a_type_that_was_stored_long_ago_is_not_new_to_a_control_that_begins(tmp_path: Path) -> None:
    make = RecordFactory()
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.now = NOON - 90 * DAY
        fill.add([make(at=NOON - 90 * DAY)])
        fill.now = NOON - HOUR
        fill.add([make(at=NOON - HOUR), make(at=NOON - HOUR, event_type="fresh")])

        found = seen_since(reader, NOON - DAY)

    of_types = {key[2]: (one.first_at, one.last_at) for key, one in found.items() if key[1] is Aspect.TYPE}
    assert of_types == {
        "invoice.paid": (NOON - 90 * DAY, NOON - HOUR),
        "fresh": (NOON - HOUR, NOON - HOUR),
    }


def seen(value: str, first: int, last: int) -> tuple[SeriesKey, Sighting]:
    at = (NOON - first * MINUTE, NOON - last * MINUTE)
    return PLACE, Sighting(Aspect.ADDRESS, value, *at, f"record-{first}")


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return new_control(tmp_path, FakeClock(NOON))


def test_what_is_known_is_widened_and_never_narrowed(control: Control) -> None:
    epoch = lead(control)
    assert control.sightings.note([seen("a", 10, 5)], epoch) == 1
    assert control.sightings.note([seen("a", 8, 7), seen("a", 20, 15)], epoch) == 0
    [one] = control.sightings.all()[PLACE]
    assert (one.first_at, one.last_at, one.sample) == (NOON - 20 * MINUTE, NOON - 5 * MINUTE, "record-20")


def test_values_are_bounded_and_what_is_long_gone_is_forgotten(control: Control) -> None:
    epoch = lead(control)
    assert control.sightings.note([seen(f"10.0.0.{i}", i + 1, i) for i in range(MOST + 5)], epoch) == MOST
    assert control.sightings.purge(NOON - 10 * MINUTE, epoch) == MOST - 11
    assert len(control.sightings.all()[PLACE]) == 11


def test_of_types_none_is_left_out(control: Control) -> None:
    at = NOON - MINUTE
    types = [(PLACE, Sighting(Aspect.TYPE, f"type.{i}", at, at, "")) for i in range(MOST + 5)]
    assert control.sightings.note(types, lead(control)) == MOST + 5


def test_an_example_is_kept_once_there_is_one(control: Control) -> None:
    epoch, at = lead(control), NOON - MINUTE
    control.sightings.note([(PLACE, Sighting(Aspect.TYPE, "rare", at, at, ""))], epoch)
    control.sightings.note([(PLACE, Sighting(Aspect.TYPE, "rare", NOON, NOON, "record-1"))], epoch)
    [one] = control.sightings.all()[PLACE]
    assert (one.first_at, one.sample) == (at, "record-1")


def test_a_worker_that_leads_no_more_notes_nothing(control: Control) -> None:
    with pytest.raises(LeaseLost):
        control.sightings.note([seen("a", 10, 5)], lead(control) + 1)


def test_a_sender_with_a_new_address_each_time_fills_no_memory() -> None:
    noted: list[int] = []

    class Notes:
        def note(self, some: Iterable[tuple[SeriesKey, Sighting]], epoch: int) -> int:
            noted.append(len(list(some)))
            return 0

    numbers = iter(range(10**9))

    def look(since: datetime, known: Container[Key]) -> dict[Key, Sighting]:
        found = [seen(f"address-{next(numbers)}", 1, 0)[1] for _ in range(MOST_REMEMBERED)]
        return {(PLACE, one.aspect, one.value): one for one in found}

    job = Noticing(look, Notes(), lambda: NOON)
    for _ in range(4):
        job.run(1)

    assert sum(noted) == 4 * MOST_REMEMBERED
    assert max(noted) < MOST_REMEMBERED  # others write in between
    assert len(job._noted) <= 2 * MOST_REMEMBERED


def test_known_types_are_looked_up_each_hour_and_new_ones_at_every_look() -> None:
    clock, kept = FakeClock(NOON), Sighting(Aspect.TYPE, "invoice.paid", NOON, NOON, "")
    key = (PLACE, Aspect.TYPE, kept.value)
    asked = []

    class Notes:
        def note(self, seen: object, epoch: int) -> int:
            return 0

    def look(since: datetime, known: Container[Key]) -> dict[Key, Sighting]:
        asked.append(key in known)
        return {key: kept}

    job = Noticing(look, Notes(), clock.now)
    for _ in range(5):
        job.run(1)
        clock.move(HOUR / 3)

    assert asked == [False, True, True, False, True]
