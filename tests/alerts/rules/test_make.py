"""Making a rule from a kind's defaults, and the one clear error for a wrong one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.errors import RuleError
from alerts.model import Severity
from alerts.rules import KINDS, make


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("error_rat", {}, 'no rule kind "error_rat".*error_rate'),
        ("error_rate", {"treshold": 0.1}, "unknown field treshold"),
        ("error_rate", {"kind": "x"}, "unknown field kind"),
        ("error_rate", {"threshold": 5}, "share from 0 to 1"),
        ("error_rate", {"threshold": -0.1}, "at least 0"),
        ("error_rate", {"threshold": float("nan")}, "at least 0"),
        ("error_rate", {"threshold": 0.05, "clear_threshold": 0.06}, "clear_threshold"),
        ("error_rate", {"window": timedelta(0)}, "window"),
        ("error_rate", {"interval": timedelta(0)}, "interval"),
        ("error_rate", {"for_": timedelta(seconds=-1)}, "negative"),
        ("dead_letters", {"params": {"quantile": 0.5}}, "unknown parameter quantile.*none"),
        ("error_rate", {"threshold": "5s"}, 'threshold must be a share .* "5 %", not "5s"'),
        ("error_rate", {"threshold": "5"}, "must be a share"),
        ("error_rate", {"threshold": "500 %"}, "share from 0 to 1"),
        ("slow_processing", {"threshold": 5}, "must be milliseconds such as 5000.*; 5 cannot be meant"),
        ("slow_processing", {"threshold": "5 %"}, 'must be milliseconds .*, not "5 %"'),
        ("slow_processing", {"threshold": 900, "clear_threshold": "0.5 %"}, "clear_threshold must be milli"),
        ("failure_count", {"threshold": "5 %"}, "must be a number such as 10"),
        ("certificate_expiry", {"threshold": 2_592_000}, "must be days such as 30"),
        ("monitor_blind", {"threshold": 3_600_000}, "must be seconds such as 60"),
        ("burn_rate", {"threshold": "6 %"}, "must be a factor such as 6"),
        (
            "no_events",
            {"quiet_hours": ("22-7",)},
            "quiet_hours and timezone: expected hours such as 22:00-07:00",
        ),
        (
            "no_events",
            {"quiet_hours": ("22:00-07:00 son",)},
            "quiet_hours and timezone: expected days such as mon-fri",
        ),
        ("no_events", {"timezone": "Mars"}, '"Mars" is not a time zone; write one such as Europe/Berlin'),
        ("slow_processing", {"params": {"quantile": 95}}, "quantile must be a quantile from 0.01 to 0.9999"),
        ("slow_processing", {"params": {"quantil": 0.9}}, "unknown parameter quantil.*quantile"),
        ("queue_depth", {"params": {"max_age_s": -1}}, r"params\.max_age_s"),
        ("queue_depth", {"name": "rule_broken"}, "cannot be named"),
        ("error_rate", {"quiet_hours": ("22:00-07:00",)}, "quiet_hours are for no_events alone"),
        ("error_rate", {"labels": {"source": "x"}}, 'labels cannot hold "source", which every alert has'),
    ],
)
def test_wrong_rule_is_refused_with_what_is_wrong(kind: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        make(kind, **changes)


def test_changes_are_laid_over_the_defaults() -> None:
    rule = make("slow_processing", "slow-billing", severity=Severity.CRITICAL, params={"quantile": 0.99})
    assert (rule.name, rule.severity, rule.params["quantile"], rule.threshold) == (
        "slow-billing",
        Severity.CRITICAL,
        0.99,
        5000,
    )


def test_own_threshold_drops_the_default_clearing_point() -> None:
    assert KINDS["error_rate"].defaults.clear_threshold is not None
    assert make("error_rate", threshold=0.01).clear_threshold is None


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("error_rate", "12.5 %", 0.125),
        ("error_rate", "5%", 0.05),
        ("error_rate", 0.05, 0.05),
        ("slow_processing", "5s", 5000),
        ("slow_processing", "15ms", 15),
        ("slow_processing", 5000, 5000),
        ("certificate_expiry", "4d", 4),
        ("no_events", "2h", 7200),
        ("failure_count", "20 failures", 20),
        ("burn_rate", "2 x", 2),
    ],
)
def test_a_threshold_is_taken_with_its_unit(kind: str, written: float | str, meant: float) -> None:
    assert make(kind, threshold=written).threshold == pytest.approx(meant)
