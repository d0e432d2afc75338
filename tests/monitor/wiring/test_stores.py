"""One setting decides where the stores are; SQLite needs nothing of PostgreSQL's."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.config import Settings
from monitor.errors import Unavailable
from monitor.store.control import upgrade
from monitor.wiring.stores import (
    control_url,
    facts_opener,
    facts_url,
    open_control,
    open_facts,
    upgrade_facts,
)
from tests.monitor.clocks import START

PRIMARY, ELSEWHERE = "postgresql://db.example/hookvitals", "postgresql://other.example/hookvitals"

UPGRADED_ON_SQLITE = """
import sys
from monitor.cli.main import main
main(["db", "upgrade"], standalone_mode=False)
loaded = [name for name in sys.modules if name.startswith("psycopg")]
assert loaded == [], loaded
"""
UPGRADED_WITHOUT_DRIVER = """
import sys
from importlib.machinery import PathFinder

class WithoutDriver:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.startswith("psycopg") else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutDriver
from monitor.cli.main import main
main(["db", "upgrade"])
"""


def settings(folder: Path, **given: str) -> Settings:
    return Settings.model_validate({"data_dir": folder, **given})


def test_without_a_setting_both_are_files_in_the_data_directory(tmp_path: Path) -> None:
    stated = settings(tmp_path)

    assert (control_url(stated), facts_url(stated)) == (f"sqlite:///{tmp_path}/control.db", "")
    assert facts_opener(stated) is None
    assert upgrade_facts(stated) == f"{tmp_path}/facts.db"


def test_one_url_moves_both(tmp_path: Path) -> None:
    stated = settings(tmp_path, store_url=PRIMARY)

    assert (control_url(stated), facts_url(stated)) == (PRIMARY, PRIMARY)


def test_either_can_be_elsewhere(tmp_path: Path) -> None:
    control = settings(tmp_path, store_url=PRIMARY, control_url=ELSEWHERE)
    facts = settings(tmp_path, store_url=PRIMARY, facts_url=ELSEWHERE)
    alone = settings(tmp_path, control_url=PRIMARY)

    assert (control_url(control), facts_url(control)) == (ELSEWHERE, PRIMARY)
    assert (control_url(facts), facts_url(facts)) == (PRIMARY, ELSEWHERE)
    assert (control_url(alone), facts_url(alone)) == (PRIMARY, "")


@pytest.mark.postgres
def test_stores_are_made_and_opened_in_postgresql(postgres_url: str, tmp_path: Path) -> None:
    stated = settings(tmp_path, store_url=f"{postgres_url}&password=hunter2")

    assert "hunter2" not in upgrade_facts(stated)
    upgrade(control_url(stated))

    opener = facts_opener(stated)
    assert opener is not None
    with (
        closing(open_facts(stated)) as facts,
        closing(open_control(stated, SystemClock())) as control,
        closing(opener()) as writer,
    ):
        writer.heartbeat("here", 5)
        assert facts.heartbeat_us() == 5
        with control.write() as tx:
            control.audit.append(tx, START, "ada", "admin", "cli", "key.create", "k", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.postgres
def test_what_decides_reads_the_primary_even_for_screens(postgres_url: str, tmp_path: Path) -> None:
    nobody = f"postgresql://postgres@/x?host={tmp_path}"
    stated = settings(tmp_path, store_url=postgres_url, facts_replica_url=nobody)
    upgrade_facts(stated)

    with closing(open_facts(stated)) as deciding:
        assert list(deciding.series()) == []
    with closing(open_facts(stated, for_screens=True)) as screens:
        assert screens.floor_us() == 0
        with pytest.raises(Unavailable):
            screens.series()


def test_sqlite_never_loads_the_driver_of_postgresql(tmp_path: Path) -> None:
    done = run(UPGRADED_ON_SQLITE, tmp_path, {})

    assert done.returncode == 0, done.stderr


def test_missing_driver_names_the_command_that_installs_it(tmp_path: Path) -> None:
    done = run(UPGRADED_WITHOUT_DRIVER, tmp_path, {"HOOKVITALS_STORE_URL": PRIMARY})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: a store is in PostgreSQL, and its driver is not installed "
        "(run `pip install 'hookvitals-server[postgres]'`)"
    ]


def run(program: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"HOOKVITALS_DATA_DIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[3]), **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
