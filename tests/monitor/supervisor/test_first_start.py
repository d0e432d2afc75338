"""What `up` makes before it starts anything, and that it makes it once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from monitor.clock import SystemClock
from monitor.config import Loaded, load
from monitor.errors import ConfigError
from monitor.store.control import Control
from monitor.supervisor.first_start import FirstWords, lines, prepare
from monitor.wiring.stores import control_url
from tests.ports import free_port


def loaded(tmp_path: Path, text: str = "") -> Loaded:
    """Settings on ports where nobody listens."""
    file = tmp_path / "hookvitals.toml"
    process = f"[process]\ncollector_port = {free_port()}\ndashboard_port = {free_port()}\n"
    file.write_text(f'{process}data_dir = "{tmp_path / "data"}"\n{text}')
    return load(file, {})


def test_first_start_makes_an_admin_and_an_ingest_key(tmp_path: Path) -> None:
    here = loaded(tmp_path)
    made = prepare(here, SystemClock())
    assert made.password is not None
    assert len(made.password) >= 12
    control = Control.open(control_url(here.settings))
    assert [account.name for account in control.accounts.all()] == ["admin"]
    assert {key.name: sorted(key.scopes) for key in control.keys.all()} == {
        "first receiver": ["ingest"],
        "the worker's own probes": ["ingest"],
    }
    control.close()


def test_second_start_makes_and_shows_nothing_more(tmp_path: Path) -> None:
    here = loaded(tmp_path)
    prepare(here, SystemClock())
    assert prepare(here, SystemClock()) == FirstWords(None, None)


@pytest.mark.postgres
def test_two_first_starts_before_one_database_make_one_admin_and_one_key(
    postgres_url: str, tmp_path: Path
) -> None:
    def start(name: str) -> FirstWords:
        (tmp_path / name).mkdir()
        shared = f'store_url = "{postgres_url}"\nsecret_key = "{"5e" * 32}"\n'
        here = loaded(tmp_path / name, shared)
        together.wait(20)
        return prepare(here, SystemClock())

    together = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(start, ("one", "other")))

    assert sorted(words.password is None for words in made) == [False, True]
    control = Control.open(postgres_url)
    assert [account.name for account in control.accounts.all()] == ["admin"]
    assert sorted(key.name for key in control.keys.all()) == ["first receiver", "the worker's own probes"]
    assert control.audit.verify().bad_seq is None
    control.close()


def test_first_words_are_what_a_receiver_needs(tmp_path: Path) -> None:
    here = loaded(tmp_path)
    said = "\n".join(lines(here.settings, FirstWords("correct horse battery", "hv_a_b")))
    assert "correct horse battery" in said
    assert f'collector="http://127.0.0.1:{here.settings.collector_port}", key="hv_a_b"' in said
    later = "\n".join(lines(here.settings, FirstWords()))
    assert "password" not in later
    assert "hv_" not in later


def test_words_shown_once_stand_in_no_repr() -> None:
    assert "horse" not in repr(FirstWords("correct horse battery", "hv_a_b"))


def test_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    here = loaded(tmp_path)
    address = ("127.0.0.1", here.settings.collector_port)
    with socket.create_server(address), pytest.raises(ConfigError, match="is in use"):
        prepare(here, SystemClock())
    assert not (tmp_path / "data" / "control.db").exists()


def test_port_0_cannot_be_announced(tmp_path: Path) -> None:
    file = tmp_path / "hookvitals.toml"
    file.write_text(f'[process]\ncollector_port = 0\ndashboard_port = 0\ndata_dir = "{tmp_path / "data"}"\n')
    with pytest.raises(ConfigError, match="port 0"):
        prepare(load(file, {}), SystemClock())


def test_file_is_put_in_force(tmp_path: Path) -> None:
    here = loaded(tmp_path, '[egress]\nallow = ["10.0.0.0/8"]\n')
    prepare(here, SystemClock())
    control = Control.open(control_url(here.settings))
    assert control.configs.latest() == (1, {"egress": {"allow": ["10.0.0.0/8"]}})
    control.close()
