import shutil
import subprocess

import pytest

from tests.monitor.collector.fronts import Stand


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_say_about_the_metrics(collector: Stand) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    collector.send(collector.record(), collector.record(outcome="?"))
    text = collector.client.get("/metrics").text
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_series_are_the_same_however_many_names_came_in(collector: Stand) -> None:
    collector.send(collector.record())
    before = {line.split()[0] for line in collector.client.get("/metrics").text.splitlines()}
    collector.send(*(collector.record(event_type=f"t{i}", event_id=f"e{i}") for i in range(1200)))
    after = {line.split()[0] for line in collector.client.get("/metrics").text.splitlines()}

    assert before == after


def test_openmetrics_is_answered_to_who_asks_for_it(collector: Stand) -> None:
    response = collector.client.get("/metrics", headers={"Accept": "application/openmetrics-text"})

    assert response.content_type.startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")
