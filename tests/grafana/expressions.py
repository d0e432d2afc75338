"""Every PromQL expression of the dashboard, and the names in one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).parents[2] / "grafana"
DASHBOARD = GRAFANA / "dashboards" / "hookvitals.json"
PROMETHEUS = GRAFANA / "prometheus"

VARIABLES = {
    "$__rate_interval": "30s",
    "$__range": "5m",
    "$environment": ".*",
    "$source": ".*",
    "$endpoint": ".*",
}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """All panels that show data."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> Iterator[tuple[str, str]]:
    """(panel and letter, expression with Grafana's variables filled in)."""
    for panel in panels():
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", filled(target["expr"])


def filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def metric_names(expression: str) -> set[str]:
    """Names of ours in an expression."""
    return set(re.findall(r"\b(?:hookvitals_\w+|webhooks?_\w+)\b", expression))
