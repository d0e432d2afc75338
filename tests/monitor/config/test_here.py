"""The configuration of this very process."""

from pathlib import Path

import pytest

from monitor.config.here import child_environment, load_here
from monitor.errors import ConfigError


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOOKVITALS_CONFIG", raising=False)
    return tmp_path


def test_no_file_means_defaults() -> None:
    assert load_here().file is None


def test_file_of_the_working_directory_is_found(empty_directory: Path) -> None:
    (empty_directory / "hookvitals.toml").write_text("[process]\ncollector_port = 9\n")
    assert load_here().settings.collector_port == 9


def test_named_file_wins_over_the_variable_and_that_over_the_directory(
    empty_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, port in (("hookvitals", 1), ("variable", 2), ("named", 3)):
        (empty_directory / f"{name}.toml").write_text(f"[process]\ncollector_port = {port}\n")
    monkeypatch.setenv("HOOKVITALS_CONFIG", "variable.toml")
    assert load_here().settings.collector_port == 2
    assert load_here(Path("named.toml")).settings.collector_port == 3


def test_named_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOKVITALS_CONFIG", "none.toml")
    with pytest.raises(ConfigError, match=r"none\.toml: there is no such file"):
        load_here()


def test_child_reads_the_same_file_wherever_it_runs(empty_directory: Path) -> None:
    assert child_environment(Path("x.toml"))["HOOKVITALS_CONFIG"] == str(empty_directory / "x.toml")
    assert "HOOKVITALS_CONFIG" not in child_environment(None)
