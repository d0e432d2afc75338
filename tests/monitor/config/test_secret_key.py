"""The sealing key: stated, or made once and kept."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor.config.secret_key import secret_key
from monitor.config.settings import Settings
from monitor.errors import ConfigError


def test_stated_key_is_used(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "secret_key": "ab" * 32})
    assert secret_key(settings) == b"\xab" * 32
    assert list(tmp_path.iterdir()) == []


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    made = secret_key(settings)
    [file] = tmp_path.iterdir()
    assert secret_key(settings) == made
    assert len(made) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(secret_key, [settings] * 32))
    assert len(keys) == 1


def test_spoilt_key_file_is_an_error_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("oops")
    with pytest.raises(ConfigError, match=r"secret\.key holds no key"):
        secret_key(Settings(data_dir=tmp_path))
    assert (tmp_path / "secret.key").read_text() == "oops"


def test_data_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no data directory .*none \(make it with"):
        secret_key(Settings(data_dir=tmp_path / "none"))
