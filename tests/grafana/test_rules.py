"""promtool accepts the rules, and their own tests pass."""

import shutil
import subprocess

import pytest

from tests.grafana.expressions import PROMETHEUS

pytestmark = pytest.mark.prometheus


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "rules.yml"),
        ("test", "rules", "rules_test.yml"),
        ("check", "config", "--syntax-only", "scrape.yml"),
    ],
    ids=" ".join,
)
def test_promtool_says_yes(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")

    done = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    def alerts(name: str) -> set[str]:
        lines = (PROMETHEUS / name).read_text().splitlines()
        found = [line.strip().removeprefix("- ") for line in lines]
        return {line.partition(":")[2].strip() for line in found if line.startswith(("alert:", "alertname:"))}

    assert alerts("rules.yml") == alerts("rules_test.yml") != set()
