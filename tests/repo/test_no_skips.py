"""The switch that turns skipped tests into failures, on a throwaway test file in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
INNER = """
import pytest

def test_skips():
    pytest.skip("no browser here")

@pytest.mark.xfail(reason="known")
def test_known_to_fail():
    assert False
"""
MODULE_SKIP = """
import pytest

pytest.skip("no server here", allow_module_level=True)
"""


def run(folder: Path, body: str, switch: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_inner.py").write_text(body)
    environment = {**os.environ, "TESTS_MAY_NOT_SKIP": switch}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:dash",
        "-c",
        os.devnull,
    ]
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("body", [INNER, MODULE_SKIP], ids=["test", "module"])
def test_a_skip_fails_the_run_when_components_must_be_there(tmp_path: Path, body: str) -> None:
    result = run(tmp_path, body, "1")

    assert result.returncode != 0
    assert "skipped although its components are installed" in result.stdout


def test_a_skip_is_a_skip_on_a_machine_without_the_components(tmp_path: Path) -> None:
    result = run(tmp_path, INNER, "0")

    assert result.returncode == 0, result.stdout
    assert "1 skipped, 1 xfailed" in result.stdout
