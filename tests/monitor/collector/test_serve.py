"""What stops a collector before it starts, each said with what to do."""

import socket
import threading
from pathlib import Path

import pytest

from monitor.collector.keys import Key
from monitor.collector.serve import reserve, serve
from monitor.collector.settings import CollectorSettings
from monitor.errors import ConfigError, WrongSchema


def no_keys() -> list[Key]:
    return []


def test_port_in_use_names_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigError) as refused:
        reserve("127.0.0.1", other.getsockname()[1])
    assert "HOOKVITALS_COLLECTOR_PORT" in refused.value.hint
    assert "in use" in refused.value.message


def test_reserved_port_can_be_listened_on_by_workers_alone() -> None:
    held, port = reserve("127.0.0.1", 0)
    with held, socket.socket() as worker:
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        worker.bind(("127.0.0.1", port))
        worker.listen()
        with pytest.raises(ConfigError):
            reserve("127.0.0.1", port)


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        reserve("192.0.2.1", 8700)


def test_store_that_was_not_made_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(WrongSchema, match="hookvitals db upgrade"):
        serve(CollectorSettings(tmp_path, bytes(32), port=0), no_keys, stop=threading.Event())


def test_data_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="data_dir"):
        serve(
            CollectorSettings(tmp_path / "file", bytes(32), port=0),
            no_keys,
            stop=threading.Event(),
        )


def test_secret_key_stands_in_no_repr(tmp_path: Path) -> None:
    assert "kkkk" not in repr(CollectorSettings(tmp_path, b"k" * 32))
