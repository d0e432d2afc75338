"""Brokers of the tests' own, the real ones of Debian, on loopback ports: started and ended by their ids."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.ports import free_port

WITHIN_S = 60.0
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Not the one on the path, which changes to a user of its own."""


@contextmanager
def redis_server(password: str) -> Iterator[int]:
    """The port of a Redis that asks for the password."""
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hv-q-", dir="/tmp") as name:
        command = [found, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", name]
        with Path(name, "log").open("wb") as log:
            server = subprocess.Popen([*command, "--requirepass", password], stdout=log, stderr=log)
        try:
            _until(lambda: _pings(port, password), server)
            yield port
        finally:
            server.terminate()
            server.wait(WITHIN_S)


def _pings(port: int, password: str) -> bool:
    with redis.Redis(port=port, password=password) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


@dataclass(frozen=True, slots=True)
class RabbitMq:
    """A server whose management API has these credentials."""

    amqp_port: int
    port: int
    user: str = "guest"
    password: str = "guest"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        """The answer of the management API, decoded; None for an empty one."""
        body = None if document is None else json.dumps(document).encode()
        asked = urllib.request.Request(f"{self.url}/api/{path}", body, method=method)
        both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        asked.add_header("Authorization", f"Basic {both}")
        asked.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None


@contextmanager
def rabbitmq_server() -> Iterator[RabbitMq]:
    """A RabbitMQ with its management API, its node named for itself alone."""
    if not RABBITMQ.exists():
        pytest.skip("RabbitMQ is not installed: apt-get install rabbitmq-server")
    made = RabbitMq(free_port(), free_port())
    with tempfile.TemporaryDirectory(prefix="hv-mq-", dir="/tmp") as name:
        home = Path(name)
        (home / "plugins").write_text("[rabbitmq_management].\n")
        (home / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{made.amqp_port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {made.port}\n"
            "collect_statistics_interval = 1000\nlog.console = true\n"
        )
        told = {
            **os.environ,
            "HOME": name,
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": f"hv{os.getpid()}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "no-such-file"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1",
        }
        names = subprocess.Popen(["epmd", "-address", "127.0.0.1"], env=told)  # or it would start one to stay
        with (home / "out").open("wb") as log:
            server = subprocess.Popen([RABBITMQ], env=told, stdout=log, stderr=log, start_new_session=True)
        try:
            _until(lambda: _answers(made), server, home / "out")
            yield made
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # it has nothing to keep
            server.wait(WITHIN_S)
            names.kill()
            names.wait(WITHIN_S)


def _answers(server: RabbitMq) -> bool:
    try:
        return bool(server.ask("GET", "overview"))
    except (OSError, urllib.error.URLError):
        return False


def _until(holds: Any, server: subprocess.Popen[bytes], log: Path | None = None) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not holds():
        said = log.read_text(errors="replace")[-2000:] if log else ""
        assert server.poll() is None, f"the broker ended: {said}"
        assert time.monotonic() < end_s, f"the broker does not answer: {said}"
        time.sleep(0.05)
