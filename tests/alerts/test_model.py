"""The words of alerting: order, identity, and the way to JSON and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from alerts.model import (
    Ack,
    Alert,
    ErrorCount,
    Evidence,
    Rule,
    Severity,
    State,
    Target,
    Window,
    fingerprint_of,
)

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_severities_rank_from_info_to_critical() -> None:
    assert [s.rank for s in (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)] == [
        0,
        1,
        2,
        3,
    ]


def test_fingerprint_ignores_the_order_of_labels() -> None:
    one = fingerprint_of("error_rate", {"source": "stripe", "endpoint": "payments"})
    other = fingerprint_of("error_rate", {"endpoint": "payments", "source": "stripe"})
    assert one == other


def test_fingerprint_tells_rules_and_label_values_apart() -> None:
    labels = {"source": "stripe", "endpoint": "payments"}
    prints = {
        fingerprint_of("error_rate", labels),
        fingerprint_of("queue_depth", labels),
        fingerprint_of("error_rate", {**labels, "endpoint": "refunds"}),
        fingerprint_of("error_rate", {"source": 'stripe","endpoint":"payments'}),
    }
    assert len(prints) == 4


def test_target_has_no_label_for_what_it_does_not_narrow() -> None:
    assert Target("production", "stripe", "payments").labels() == {
        "environment": "production",
        "source": "stripe",
        "endpoint": "payments",
    }


def test_window_counts_dead_letters_among_failures_and_attempts() -> None:
    window = Window(Target("production"), NOW, NOW, succeeded=7, failed=2, dead_lettered=1)
    assert (window.failures, window.attempts) == (3, 10)


def test_alert_survives_the_way_to_json_and_back() -> None:
    alert = Alert(
        fingerprint="f" * 32,
        rule="error_rate",
        kind="error_rate",
        severity=Severity.CRITICAL,
        labels={"source": "stripe"},
        state=State.FIRING,
        since=NOW,
        last_evaluated_at=NOW,
        evidence=Evidence(
            "12 % failed", 0.12, 0.05, "share", NOW, NOW, 100, (ErrorCount("Timeout", 9),), ("id",)
        ),
        firing_since=NOW,
        ack=Ack("ann", NOW, "looking"),
    )
    text = msgspec.json.encode(msgspec.to_builtins(alert))
    assert msgspec.convert(msgspec.json.decode(text), Alert) == alert


def test_rule_survives_the_way_to_json_and_back() -> None:
    rule = Rule("r", "error_rate", window=timedelta(minutes=2), params={"quantile": 0.95})
    assert msgspec.json.decode(msgspec.json.encode(rule), type=Rule) == rule
