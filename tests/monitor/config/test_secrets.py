"""Secrets by reference."""

from pathlib import Path

import pytest

from monitor.config.secrets import resolve
from monitor.config.values import SecretRef
from monitor.errors import ConfigError


def test_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(" s3cret\n")
    assert resolve(SecretRef(env="A"), {"A": "s3cret"}) == "s3cret"
    assert resolve(SecretRef(file=str(file)), {}) == "s3cret"


def test_secret_that_is_not_there_is_named_by_its_reference(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for ref, said in (
        (SecretRef(env="A"), "environment variable A is not set"),
        (SecretRef(file="/nowhere"), "file /nowhere cannot be read"),
        (SecretRef(file=str(empty)), "is empty"),
    ):
        with pytest.raises(ConfigError, match=said):
            resolve(ref, {})
