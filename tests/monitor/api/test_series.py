"""The points of /series and the samples of /queues are the store's, counted again one by one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from monitor.clock import to_us
from monitor.histogram import RELATIVE_ERROR
from monitor.model import ATTEMPTS, Outcome, Record, SeriesKey
from tests.facts import NOON, Filled, mixed
from tests.monitor.api.conftest import bearer
from tests.monitor.api.test_stats import rank
from tests.monitor.clocks import FakeClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READ = bearer("read")
FAILURES = (Outcome.FAILED, Outcome.DEAD_LETTERED)


def get(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}", headers=READ)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def of(key: SeriesKey, records: Sequence[Record]) -> list[Record]:
    parts = ("source", "endpoint", "event_type")
    return [r for r in records if all(getattr(key, p) in (None, getattr(r, p)) for p in parts)]


@pytest.mark.parametrize(
    ("window", "points", "step_s"),
    [
        ("2h", 120, 60),
        ("2d", 48, 3600),
        ("30d", 100, 28_800 + 14_400),
        ("90d", 1000, 10_800),
        ("91d", 1000, 86_400),
    ],
)
@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("", SeriesKey("production")),
        ("&source=stripe", SeriesKey("production", "stripe")),
        ("&source=stripe&endpoint=payments", SeriesKey("production", "stripe", "payments")),
        (
            "&source=stripe&endpoint=payments&event_type=invoice.paid",
            SeriesKey("production", "stripe", "payments", "invoice.paid"),
        ),
    ],
)
def test_every_point_of_every_grain_is_what_its_records_say(
    client: FlaskClient, filled: Filled, window: str, points: int, step_s: int, path: str, key: SeriesKey
) -> None:
    length = timedelta(**{{"h": "hours", "d": "days"}[window[-1]]: int(window[:-1])})
    records = mixed(400, start=NOON - length, over=length)
    filled.add(records[:200])
    filled.writer.fold()
    filled.add(records[200:])
    own = of(key, records)

    answer = get(client, f"/series?window={window}&points={points}{path}")

    assert answer["step_s"] == step_s
    assert answer["rounded_to"] is None
    for point in answer["points"]:
        at = datetime.fromisoformat(point["at"])
        here = [r for r in own if at <= r.recorded_at < at + timedelta(seconds=step_s)]
        ordinary = [r for r in here if r.replay_id is None and not r.canary]
        assert point["records"] == len(here)
        assert sum(point["outcomes"].values()) == len(ordinary)
        assert point["failures"] == sum(r.outcome in FAILURES for r in ordinary)
        assert point["deliveries"] == sum(r.http_status is not None for r in ordinary)
        taken = [r.process_ms for r in ordinary if r.outcome in ATTEMPTS and r.process_ms is not None]
        assert point["process_ms"]["count"] == len(taken)
        if taken:
            assert point["process_ms"]["p95_ms"] == pytest.approx(rank(taken, 0.95), rel=RELATIVE_ERROR)
    assert sum(point["records"] for point in answer["points"]) == len(own)


def test_a_point_gives_the_distribution_of_answers_too(client: FlaskClient, filled: Filled) -> None:
    records = mixed(200, start=NOON - HOUR, over=HOUR)
    filled.add(records)
    acks = [r.ack_ms for r in records if r.ack_ms is not None and not r.canary and r.replay_id is None]

    answer = get(client, "/series?window=2h&points=1")

    counts = [point["ack_ms"]["count"] for point in answer["points"]]
    assert sum(counts) == len(acks)
    assert {point["ack_ms"]["p50_ms"] for point in answer["points"] if point["ack_ms"]["count"]} == {30.0}


def test_an_empty_step_has_no_share_and_no_percentile(client: FlaskClient) -> None:
    point = get(client, "/series?points=3")["points"][0]

    assert point["attempt_error_rate"] == {"part": 0, "whole": 0, "share": None}
    assert point["process_ms"]["p95_ms"] is None


def test_a_series_says_what_it_covers_and_why_its_steps_are_coarse(
    client: FlaskClient, filled: Filled
) -> None:
    filled.add(mixed(100, start=NOON - 4 * HOUR, over=4 * HOUR))
    filled.writer.fold()
    while filled.writer.raise_floor(to_us(NOON - HOUR), 500):
        pass
    filled.writer.prune()

    answer = get(client, "/series?since=2026-11-18T08:20:00Z&until=2026-11-18T10:10:00Z&points=110")

    assert (answer["since"], answer["until"]) == ("2026-11-18T08:00:00Z", "2026-11-18T11:00:00Z")
    assert (answer["rounded_to"], answer["step_s"], len(answer["points"])) == ("hour", 3600, 3)


def sample_queues(filled: Filled, depths: dict[int, int], queue: str = "inbox") -> None:
    """Samples of one queue of stripe/payments: minutes before noon → depth."""
    key = SeriesKey("production", "stripe", "payments")
    endpoint = filled.writer.intern_series([key], to_us(NOON))[key]
    filled.writer.append_queues(
        [
            (endpoint, queue, to_us(NOON - timedelta(minutes=m)), depth, 1_500_000 if depth else None)
            for m, depth in depths.items()
        ]
    )


def test_queues_show_their_samples_and_the_latest(client: FlaskClient, filled: Filled) -> None:
    sample_queues(filled, {50: 3, 3: 7, 1: 9})
    sample_queues(filled, {2: 0}, "retries")

    answer = get(client, "/queues?window=30m")

    inbox, retries = answer["queues"]
    assert (inbox["queue"], inbox["latest"]["depth"], inbox["latest"]["oldest_age_s"]) == ("inbox", 9, 1.5)
    assert [sample["depth"] for sample in inbox["samples"]] == [7, 9]
    assert (retries["latest"]["depth"], retries["latest"]["oldest_age_s"]) == (0, None)
    assert answer["thinned"] is False


def test_a_long_range_of_samples_is_thinned_to_the_deepest_and_says_so(
    client: FlaskClient, filled: Filled
) -> None:
    depths = {m: (m * 7919) % 1000 for m in range(1, 600)}
    sample_queues(filled, depths)

    answer = get(client, "/queues?window=10h&samples=11")

    (queue,) = answer["queues"]
    shown = {datetime.fromisoformat(s["sampled_at"]): s["depth"] for s in queue["samples"]}
    assert answer["thinned"] is True
    assert list(shown) == sorted(shown)
    assert len(shown) == 11
    assert {NOON - timedelta(minutes=m): depth for m, depth in depths.items()}.items() >= shown.items()
    assert max(shown.values()) == max(depths.values())
    assert queue["latest"]["depth"] == depths[1]


def test_the_latest_sample_of_each_queue_is_given_alone(
    client: FlaskClient, filled: Filled, clock: FakeClock
) -> None:
    sample_queues(filled, {50: 3, 1: 9})
    sample_queues(filled, {59: 4}, "retries")
    clock.move(timedelta(minutes=2))

    assert [(q["queue"], q["depth"]) for q in get(client, "/queues/latest")["queues"]] == [("inbox", 9)]
    assert len(get(client, "/queues/latest?window=2h")["queues"]) == 2
    assert get(client, "/queues/latest?window=2h&source=orum")["queues"] == []
    assert get(client, "/queues/latest?window=2h&environment=dev")["queues"] == []
