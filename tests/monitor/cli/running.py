"""Runs commands as a shell would, in this process."""

from pathlib import Path

from click.testing import CliRunner, Result

from monitor.cli.main import main


def run(*words: str, data_dir: Path | None = None, config: Path | None = None) -> Result:
    """The finished command. data_dir: where its stores are. config: the file it reads."""
    environ = {"HOOKVITALS_DATA_DIR": str(data_dir)} if data_dir else {}
    options = ["--config", str(config)] if config else []
    return CliRunner().invoke(main, [*options, *words], env=environ, prog_name="hookvitals")


def error_of(result: Result) -> str:
    """The one line a failed command ends with."""
    assert result.exit_code != 0, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    return result.stderr.strip().splitlines()[-1]
