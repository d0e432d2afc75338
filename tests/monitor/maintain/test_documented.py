"""The commands that docs/operations.md shows for backups do what it says of them."""

import re
import shlex
from pathlib import Path

import pytest

from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.cli.running import run
from tests.monitor.replay.world import PLACE, new_world

PAGE = Path("docs/operations.md").read_text()
SECTION = PAGE.partition("## Backup and restore")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"`{1,3}\n?(hookvitals (?:backup|restore|export|expunge) [^`]*?)\n?`{1,3}", SECTION)


def test_section_shows_each_command() -> None:
    shown = [line.split()[1] for block in COMMANDS for line in block.splitlines()]
    assert sorted(shown) == ["backup", "export", "expunge", "restore"]


def test_shown_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the export names a file here
    data, new = tmp_path / "data", tmp_path / "new"
    data.mkdir()
    with new_world(data) as world:
        world.die("evt_1")
        world.take_in()
    for line in (line for block in COMMANDS for line in block.splitlines()):
        words = [word.replace("/var/backups", str(tmp_path)) for word in shlex.split(line)[1:]]
        words = [
            word for word in words if word not in ("--since", "24h")
        ]  # the clock of the world stands still
        if words[0] == "expunge":
            words.append("--yes")
        done = run(*words, data_dir=new if words[0] == "restore" else data)
        assert done.exit_code == 0, done.stderr or done.exception

    assert (tmp_path / "records.csv").read_text().count("evt_1") == 1
    assert SqliteFactReader(data / "facts.db").capture(*PLACE, "evt_1") is None
    assert SqliteFactReader(new / "facts.db").capture(*PLACE, "evt_1") is not None
