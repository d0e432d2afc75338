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
        ("error_rate", {"params": {"quantile": 0.5}}, "unknown parameter quantile.*none"),
        ("slow_processing", {"params": {"quantile": 95}}, "quantile must lie between 0 and 1"),
        ("slow_processing", {"params": {"quantil": 0.9}}, "unknown parameter quantil.*quantile"),
        ("queue_depth", {"params": {"max_age_s": -1}}, r"params\.max_age_s"),
        ("queue_depth", {"name": "rule_broken"}, "cannot be named"),
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
