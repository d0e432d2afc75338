"""Ports asked for before they are needed."""

import socket

import pytest

from monitor.errors import ConfigError
from monitor.supervisor.ports import free_port, require_free


def test_port_in_use_is_an_error_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1 port {port} is in use .*HOOKVITALS_COLLECTOR_PORT"):
            require_free("127.0.0.1", port, "collector_port")


def test_free_port_passes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    require_free("127.0.0.1", port, "collector_port")
    assert free_port("127.0.0.1", port) == port


def test_another_port_is_taken_when_the_wanted_one_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) not in (0, port)


def test_foreign_address_cannot_be_used() -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        require_free("203.0.113.1", 8700, "collector_port")
