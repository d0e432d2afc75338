"""`hookvitals sightings` over a real store."""

from datetime import timedelta
from pathlib import Path

from alerts.sightings import Aspect, Sighting
from monitor.clock import SystemClock
from monitor.model import SeriesKey
from tests.control import lead, new_control
from tests.facts import NOON
from tests.monitor.cli.running import run

PLACE = SeriesKey("production", "stripe", "payments")


def test_what_was_seen_is_listed_with_its_times_and_a_sample(tmp_path: Path) -> None:
    control = new_control(tmp_path, SystemClock())
    seen = [
        Sighting(Aspect.SPEC_VERSION, "2026-10-01", NOON - timedelta(days=3), NOON, "evt_1"),
        Sighting(Aspect.ADDRESS, "203.0.113.7", NOON, NOON, "0193"),
    ]
    control.sightings.note([(PLACE, one) for one in seen], lead(control))
    control.close()

    header, newest, oldest = run("sightings", data_dir=tmp_path).stdout.splitlines()
    assert header.split("  ")[0] == "WHERE"
    assert "203.0.113.7" in newest
    assert " ".join(oldest.split()) == (
        "production/stripe/payments spec_version 2026-10-01 2026-11-15 12:00Z 2026-11-18 12:00Z evt_1"
    )
    [_, line] = run("sightings", "--aspect", "spec-version", data_dir=tmp_path).stdout.splitlines()
    assert line.endswith("evt_1")


def test_a_store_without_sightings_says_so(tmp_path: Path) -> None:
    new_control(tmp_path, SystemClock()).close()
    assert run("sightings", data_dir=tmp_path).stdout.startswith("nothing was seen yet")
