"""The command line as a whole."""

import subprocess
import sys
from collections.abc import Iterator

import click

from monitor.cli.main import main
from tests.monitor.cli.running import error_of, run


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")


def test_every_command_says_in_a_sentence_what_it_does() -> None:
    silent = [path for path, command in commands(main) if not (command.help or "").strip().endswith(".")]
    assert silent == []


def test_every_command_that_was_promised_is_there() -> None:
    promised = """up collector worker dashboard demo doctor attest version config check|apply|show
        db upgrade key create|list|revoke user create|list|password|disable endpoint list|put
        records tail|show stats alerts list|ack silence create|list channel test dead-letters list|show
        replay plan|start|status|pause|resume|cancel report sla facts verify audit verify"""
    words = promised.split()
    wanted = set()
    for noun, verbs in zip(words, [*words[1:], ""], strict=True):
        is_group = isinstance(main.commands.get(noun), click.Group)
        if noun in main.commands:
            wanted |= {f"{noun} {verb}" for verb in verbs.split("|")} if is_group else {noun}
    assert wanted - {path for path, _ in commands(main)} == set()
    assert len(wanted) > 30


def test_command_line_never_loads_dash() -> None:
    code = "import sys, monitor.cli.main; sys.exit('dash' in sys.modules or 'plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_version_names_what_matters_in_a_report() -> None:
    said = run("version").stdout
    assert said.startswith("hookvitals ")
    assert "SQLite 3." in said


def test_misspelt_command_is_one_line() -> None:
    assert "No such command" in error_of(run("recrods"))
