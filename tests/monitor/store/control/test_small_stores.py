"""Jobs, configurations, catalog, reports, idempotent answers and silences: each kept and given back."""

from datetime import timedelta

import pytest

from alerts.model import Silence
from monitor.errors import LeaseLost, Unprocessable
from monitor.store.control import Control
from monitor.store.control.answers import Answer
from monitor.store.control.catalog import Endpoint, ManagedBy, ProbeSettings, Source
from monitor.store.control.reports import Report
from tests.control import lead
from tests.monitor.clocks import START

LATER = START + timedelta(minutes=5)
KEY = ("production", "stripe", "payments")


def test_a_job_that_fails_keeps_the_time_of_its_last_success(control: Control, epoch: int) -> None:
    control.jobs.succeeded("rules", START, 0.25, epoch)
    control.jobs.failed("rules", LATER, "KeyError: 'x'", epoch)

    (job,) = control.jobs.all()
    assert (job.succeeded_at, job.failed_at, job.error) == (START, LATER, "KeyError: 'x'")

    control.jobs.succeeded("rules", LATER, 0.25, epoch)
    assert control.jobs.all()[0].error == ""


def test_a_worker_that_no_longer_leads_notes_no_success(control: Control, epoch: int) -> None:
    lead(control, "another")

    with pytest.raises(LeaseLost):
        control.jobs.succeeded("rules", START, 0.1, epoch)


def test_the_same_configuration_twice_is_one_version(control: Control) -> None:
    with control.write() as tx:
        assert control.configs.add(tx, {"a": 1, "b": 2}, "hookvitals.toml", "ada", START) == (1, True)
        assert control.configs.add(tx, {"b": 2, "a": 1}, "hookvitals.toml", "ada", LATER) == (1, False)
        assert control.configs.add(tx, {"a": 2}, "hookvitals.toml", "ada", LATER) == (2, True)

    assert control.configs.latest() == (2, {"a": 2})
    assert [version.number for version in control.configs.history()] == [2, 1]


def test_what_was_seen_is_registered_once_and_never_takes_over(control: Control) -> None:
    declared = Endpoint(
        *KEY,
        ManagedBy.API,
        START,
        url="https://example.com/hook",
        probe=ProbeSettings(statuses=(401,)),
        replay_secret=b"sealed",
        ack_deadline=timedelta(seconds=5),
    )
    with control.write() as tx:
        control.catalog.register_within(tx, KEY, START)
        control.catalog.put_endpoint(tx, declared, START)

    assert control.catalog.register([KEY, ("production", "orum", "transfers")], LATER) == 1
    assert control.catalog.register([KEY], LATER) == 0

    assert control.catalog.endpoint(*KEY) == declared
    assert [source.name for source in control.catalog.sources()] == ["orum", "stripe"]


def test_declaring_a_seen_source_keeps_when_it_was_first_seen(control: Control) -> None:
    control.catalog.register([KEY], START)
    declared = Source(
        "stripe", ManagedBy.FILE, LATER, "standard", timedelta(seconds=30), (200,), redeliver=True
    )

    with control.write() as tx:
        control.catalog.put_source(tx, declared, LATER)
        control.catalog.put_endpoint(tx, Endpoint(*KEY, ManagedBy.FILE, LATER), LATER)

    (source,) = control.catalog.sources()
    endpoint = control.catalog.endpoint(*KEY)
    assert endpoint is not None
    assert (source.first_seen_at, source.redeliver, source.managed_by) == (START, True, ManagedBy.FILE)
    assert endpoint.first_seen_at == START


def test_a_sealed_secret_shows_in_no_repr(control: Control) -> None:
    assert "sealed-bytes" not in repr(Endpoint(*KEY, ManagedBy.API, START, replay_secret=b"sealed-bytes"))


def test_a_report_is_kept_once_a_period_and_sent_once(control: Control, epoch: int) -> None:
    first = Report("r1", "sla", "2026-W47", "UTC", "production", START, {"events": 10})
    again = Report("r2", "sla", "2026-W47", "UTC", "production", LATER, {"events": 11})

    assert control.reports.keep(first, epoch)
    assert not control.reports.keep(again, epoch)
    assert control.reports.sent("r1", LATER, epoch)
    assert not control.reports.sent("r1", LATER, epoch)

    found = control.reports.find("sla", "2026-W47", "UTC", "production")
    assert found is not None
    assert (found.figures, found.sent_at) == ({"events": 10}, LATER)


def test_a_repeated_request_gets_the_first_answer(control: Control) -> None:
    control.answers.keep("key a", "idem-1", b"POST /keys {}", Answer(201, "{}"), START)
    control.answers.keep("key a", "idem-1", b"POST /keys {}", Answer(500, "no"), START)

    assert control.answers.recall("key a", "idem-1", b"POST /keys {}") == Answer(201, "{}")
    assert control.answers.recall("key b", "idem-1", b"POST /keys {}") is None
    with pytest.raises(Unprocessable):
        control.answers.recall("key a", "idem-1", b"POST /keys {other}")


def test_answers_of_yesterday_are_forgotten(control: Control) -> None:
    control.answers.keep("a", "old", b"x", Answer(201, "{}"), START)

    control.answers.keep("a", "new", b"x", Answer(201, "{}"), START + timedelta(hours=25))

    assert control.answers.recall("a", "old", b"x") is None


def test_a_silence_ends_early_once_and_stays_on_record(control: Control) -> None:
    silence = Silence("s1", {"source": "stripe"}, START, START + timedelta(hours=1), "ada", "deploy")
    with control.write() as tx:
        control.silences.add(tx, silence, START)
    assert control.silences.current(LATER) == [silence]

    with control.write() as tx:
        assert control.silences.expire(tx, "s1", LATER, "ada")
        assert not control.silences.expire(tx, "s1", LATER, "ada")

    assert control.silences.current(LATER) == []
    assert [one.ends_at for one in control.silences.history()] == [LATER]
