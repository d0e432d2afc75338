"""The dashboard fits any Grafana it is imported into, and asks for metrics that there are."""

import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from monitor.metrics import ControlCounts, FactMetrics, control_metrics
from monitor.model import SeriesKey
from tests.facts import NOON, mixed, sqlite_facts
from tests.grafana.expressions import (
    GRAFANA,
    PROMETHEUS,
    dashboard,
    dashboard_expressions,
    metric_names,
    panels,
)
from tests.monitor.clocks import FakeClock


def test_every_panel_asks_the_datasource_of_the_variable() -> None:
    assert dashboard()["templating"]["list"][0]["type"] == "datasource"
    for panel in panels():
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}


def test_it_is_of_the_classic_schema_and_carries_no_id_of_another_grafana() -> None:
    found = dashboard()

    assert (found["id"], found["uid"], found["editable"]) == (None, "hookvitals", True)
    assert "schemaVersion" in found
    assert "apiVersion" not in found


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    found = dashboard()["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    cells: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        own = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not own & cells, panel["title"]
        cells |= own


def test_every_panel_says_what_it_shows() -> None:
    titles = [panel["title"] for panel in panels()]

    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_every_variable_used_is_one_of_the_dashboard_or_of_grafana() -> None:
    own = {variable["name"] for variable in dashboard()["templating"]["list"]}

    used = set(re.findall(r"\$\{?(\w+)", (GRAFANA / "dashboards" / "hookvitals.json").read_text()))

    assert used == own | {"__rate_interval", "__range", "__all"}


def test_every_metric_asked_for_is_one_that_we_tell(tmp_path: Path) -> None:
    told = told_names(tmp_path)
    rules = (PROMETHEUS / "rules.yml").read_text()

    for asked in (*(expression for _, expression in dashboard_expressions()), rules):
        assert metric_names(asked) - told == set()


def test_every_metric_told_is_in_the_readme(tmp_path: Path) -> None:
    readme = (GRAFANA / "README.md").read_text()

    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in told_names(tmp_path)}

    assert families
    assert {name for name in families if f"`{name}`" not in readme} == set()


def told_names(tmp_path: Path) -> set[str]:
    """Names of all samples that a filled store and control give."""
    payments = SeriesKey("production", "stripe", "payments")
    names = {
        sample.name
        for family in control_metrics(ControlCounts({payments: 1}, {"critical": 1}, 1))
        for sample in family.samples
    }
    with sqlite_facts(tmp_path) as (fill, reader):
        fill.add(mixed(200, over=timedelta(hours=1)))
        fill.writer.heartbeat("collector", 1)
        families = list(FactMetrics(reader, FakeClock(NOON)).collect())
    names |= {sample.name for family in families for sample in family.samples}
    return names | {family.name for family in families if not family.samples}


def test_rows_hold_the_panels_below_them_in_order() -> None:
    tops = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in dashboard()["panels"]]

    assert all(above < below for above, below in pairwise(tops))
