"""store_near_budget: the facts fill their budget, or their disk. Over the budget the oldest records go; with
a full disk nothing more is stored, so that pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.house import House
from alerts.model import Evaluation, Evidence, Observations, Rule, Severity, Target
from alerts.rules.kind import Kind, above, no_data
from alerts.rules.parameter import share
from alerts.wording import number, percent

GIB = 1024**3


def evaluate(rule: Rule, target: Target, seen: Observations, now: datetime) -> Sequence[Evaluation]:
    house = seen.house()
    if not house.budget_bytes and not house.disk_bytes:
        said = "The monitor's store has no budget, and its disk is not this machine's"
        return [no_data(rule, target, Evidence(said))]
    of_budget = house.used_bytes / house.budget_bytes if house.budget_bytes else 0.0
    of_disk = 1 - house.disk_free_bytes / house.disk_bytes if house.disk_bytes else 0.0
    value = max(of_budget, of_disk)
    evidence = Evidence(
        _sentence(house, of_budget, of_disk) + f" (threshold {percent(rule.threshold)})",
        value=value,
        threshold=rule.threshold,
        unit="share",
        window_start_at=now,
        window_end_at=now,
        sample=1,
    )
    full = of_disk > rule.params["critical_share"]
    return [above(rule, target, evidence, severity=Severity.CRITICAL if full else None)]


def _sentence(house: House, of_budget: float, of_disk: float) -> str:
    if of_budget >= of_disk:
        used, budget = _gib(house.used_bytes), _gib(house.budget_bytes)
        return (
            f"The monitor's facts use {percent(of_budget)} of their budget, {used} of {budget}; "
            "beyond it the oldest records are deleted"
        )
    free = _gib(house.disk_free_bytes)
    return f"The monitor's disk is {percent(of_disk)} full, {free} are free; once full nothing is stored"


def _gib(size: int) -> str:
    return f"{number(size / GIB)} GiB"


KIND = Kind(
    name="store_near_budget",
    about="The facts use more than the threshold of their budget, or their disk is as full.",
    unit="share",
    defaults=Rule(
        name="store_near_budget",
        kind="store_near_budget",
        severity=Severity.WARNING,
        threshold=0.9,
        clear_threshold=0.85,
        interval=timedelta(minutes=1),
        params={"critical_share": 0.97},
    ),
    evaluate=evaluate,
    on_monitor=True,
    parameters={"critical_share": share("a disk fuller than this is critical")},
    retold=False,
)
