from datetime import timedelta
from typing import Any

import pytest

from monitor.model import ProbeKind
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand


def reader(collector: Stand) -> SqliteFactReader:
    return SqliteFactReader(collector.front.settings.facts_path)


def queue(collector: Stand, **given: Any) -> dict[str, Any]:
    stated = {
        "source": "orum",
        "endpoint": "payouts",
        "queue": "inbox",
        "depth": 12,
        "oldest_age_s": 1.5,
        "sampled_at": collector.now_us,
    }
    return stated | given


def probe(collector: Stand, **given: Any) -> dict[str, Any]:
    stated = {
        "source": "orum",
        "endpoint": "payouts",
        "kind": "tls",
        "ok": False,
        "checked_at": collector.now_us,
        "error": "certificate has expired",
        "cert_not_after": "2026-11-01T00:00:00Z",
    }
    return stated | given


def test_queue_samples_are_stored_once_and_read_back(collector: Stand) -> None:
    sample = queue(collector)
    assert collector.post([sample], "queues").get_json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert collector.post(sample, "queues").get_json()["duplicates"] == 1

    (found,) = reader(collector).queue_samples(0, collector.now_us + 1)
    assert (found.queue, found.depth, found.oldest_age_s, found.sampled_at) == (
        "inbox",
        12,
        1.5,
        collector.clock.now(),
    )


def test_probe_results_are_stored_once_and_read_back(collector: Stand) -> None:
    result = probe(collector)
    assert collector.post([result, result], "probes").get_json()["accepted"] == 1

    (found,) = reader(collector).probe_results(ProbeKind.TLS, 0, collector.now_us + 1)
    assert (found.ok, found.error) == (False, "certificate has expired")
    assert found.cert_not_after is not None
    assert collector.clock.now() - found.cert_not_after == timedelta(days=15)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sampled_at": "2026-11-16T01:00:00Z"}, "in_future"),
        ({"depth": -1}, "invalid"),
        ({"queue": ""}, "invalid"),
        ({"environment": "e" * 33}, "invalid"),
    ],
)
def test_bad_sample_is_refused_alone(collector: Stand, change: dict[str, Any], code: str) -> None:
    answer = collector.post([queue(collector), queue(collector, **change)], "queues").get_json()

    assert answer["accepted"] == 1
    assert [(entry["index"], entry["code"]) for entry in answer["rejected"]] == [(1, code)]


def test_samples_need_a_key_too(collector: Stand) -> None:
    for route in ("queues", "probes"):
        assert collector.post([], route, token=None).status_code == 401
