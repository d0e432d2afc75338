"""A PostgreSQL of the tests' own, and a pgbouncer before it: started, stopped and killed by their own ids.

Servers listen on a socket in a directory of their own, so nothing else on the machine can meet them. That of
a test session is started by the first test that needs it (`tests/conftest.py`) and gives each a database.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

PORT = 5432
"""Names the socket only; nothing listens on the network."""
WITHIN_S = 30.0


def programs() -> Path | None:
    """Where the newest PostgreSQL keeps its programs; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@dataclass(eq=False)
class Postgres:
    """One server in a directory. durable: whether a commit waits for the disk, as it must in production."""

    directory: Path
    durable: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(default_factory=count)

    def make(self) -> None:
        """The empty cluster."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if (user := _user()) is not None:
            shutil.chown(self.directory, user)
        _run(
            "initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"
        )
        with (self._data / "postgresql.conf").open("a") as conf:
            for name, value in {
                "listen_addresses": "",
                "port": str(PORT),
                "unix_socket_directories": str(self.directory),
                "fsync": "on" if self.durable else "off",
                "full_page_writes": "on" if self.durable else "off",
                "max_connections": "60",
                "shared_buffers": "64MB",
                "logging_collector": "off",
                **self.settings,
            }.items():
                conf.write(f"{name} = '{value}'\n")

    def copy(self, primary: "Postgres") -> None:
        """Instead of an empty cluster one that follows the primary by its log, and answers reads."""
        if (user := _user()) is not None:
            shutil.chown(self.directory, user)
        source = f"host={primary.directory} port={PORT} user=postgres"
        _run("pg_basebackup", "-D", str(self._data), "-d", source, "-R", "-c", "fast")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"unix_socket_directories = '{self.directory}'\n")

    def start(self) -> None:
        """Returns once it answers."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(_program("postgres")), "-D", str(self._data)],
                cwd=self.directory,
                stdout=log,
                stderr=log,
                user=_user(),
            )
        _until(self._answers, f"PostgreSQL: see {self.directory / 'log'}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it. how: SIGINT rolls back what is open, SIGQUIT is `-m immediate`, SIGKILL is the worst."""
        if self.process is None:
            return
        if how is signal.SIGKILL:
            _run("pg_ctl", "kill", "KILL", str(self.process.pid))
        else:
            self.process.send_signal(how)
        self.process.wait(WITHIN_S)
        self.process = None

    def url(self, database: str) -> str:
        """The libpq URL of a database."""
        return f"postgresql://postgres@/{database}?host={self.directory}&port={PORT}"

    def create(self, like: str = "template1") -> str:
        """The name of a new database: an empty one, or a copy of one that nobody uses."""
        name = f"test_{os.getpid()}_{next(self._names)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(like))
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(made)
        return name

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def server(durable: bool = False, **settings: str) -> Iterator[Postgres]:
    """A server in a short-named directory (a socket's path may have 107 bytes), gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hv-pg-", dir="/tmp") as name:
        made = Postgres(Path(name), durable, dict(settings))
        made.make()
        made.start()
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def database(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database that goes with the block."""
    name = postgres.create()
    try:
        yield postgres.url(name)
    finally:
        postgres.drop(name)


@contextmanager
def pooler(postgres: Postgres) -> Iterator[Callable[[str], str]]:
    """pgbouncer in transaction mode before the server: gives the URL of a database through it."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="hv-pb-", dir="/tmp") as name:
        directory = Path(name)
        (directory / "users").write_text('"postgres" ""\n')
        (directory / "ini").write_text(
            f"[databases]\n* = host={postgres.directory} port={PORT} user=postgres\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {directory}\nlisten_port = {PORT}\n"
            f"auth_type = any\npool_mode = transaction\ndefault_pool_size = 8\nmax_client_conn = 200\n"
        )
        if (user := _user()) is not None:
            for path in (directory, *directory.iterdir()):
                shutil.chown(path, user)
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, str(directory / "ini")], cwd=directory, stdout=log, stderr=log, user=user
            )
        url = f"postgresql://postgres@/{{}}?host={directory}&port={PORT}"
        try:
            _until(lambda: _accepts(url.format("postgres")), f"pgbouncer: {(directory / 'log').read_text()}")
            yield url.format
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(WITHIN_S)


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _until(true: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < end_s, what
        time.sleep(0.02)


def _program(name: str) -> Path:
    folder = programs()
    assert folder is not None, "PostgreSQL is not installed"
    return folder / name


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(_program(name)), *arguments], user=_user(), capture_output=True, cwd="/tmp", check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def _user() -> str | None:
    """Who runs the server: it refuses to be root. None: this user."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"
