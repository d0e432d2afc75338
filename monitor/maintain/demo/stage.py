"""The demo's directory and addresses: everything that stands before a process is started.

A directory that a former demo made is emptied; any other that holds something is refused.
"""

import base64
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config import Loaded, load
from monitor.errors import ConfigError
from monitor.maintain.demo.catcher import Catcher
from monitor.maintain.demo.receiver import ENDPOINTS, ReceiverSettings
from monitor.maintain.demo.sender import Route
from monitor.maintain.demo.settings_file import FILE, Places, file_text
from monitor.maintain.demo.signing import Orum, hopnow, standard
from monitor.supervisor.ports import free_port

HOST = "127.0.0.1"
WANTED_PORTS = (8700, 8701, 8702)
MARK = ".hookvitals-demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is, and the secrets that providers and receiver share."""

    directory: Path
    loaded: Loaded
    receiver_port: int
    routes: tuple[Route, ...] = field(repr=False)
    receiver_secrets: dict[str, str] = field(repr=False)
    replay_secret: str = field(repr=False)

    @property
    def receiver_url(self) -> str:
        return f"http://{HOST}:{self.receiver_port}"

    def receiver_settings(self, collector: str, key: str, ledger: str) -> ReceiverSettings:
        return ReceiverSettings(
            self.receiver_port,
            str(self.directory),
            collector,
            key,
            ledger,
            self.receiver_secrets,
            self.replay_secret,
        )


def set_stage(directory: Path, catcher: Catcher) -> Stage:
    """An empty directory with its hookvitals.toml, on ports that are free now. Raises ConfigError."""
    empty(directory)
    collector, dashboard, receiver = _ports()
    replay_secret = webhook_secret()
    _secret_file(directory / "slack_url", catcher.slack_url)
    _secret_file(directory / "replay_secret", replay_secret)
    places = Places(
        directory, collector, dashboard, f"http://{HOST}:{receiver}", catcher.smtp_port, ENDPOINTS
    )
    file = directory / FILE
    file.write_text(file_text(places), "utf-8")
    acme, hop, orum = webhook_secret(), secrets.token_hex(24), Orum()
    signs = {"acme": standard(acme), "hopnow": hopnow(hop), "orum": orum.sign}
    return Stage(
        directory,
        load(file, {}),
        receiver,
        tuple(Route(source, path, signs[source]) for source, _, path in ENDPOINTS),
        {"acme": acme, "hopnow": hop, "orum": orum.public_key},
        replay_secret,
    )


def empty(directory: Path) -> None:
    """The directory, there and empty but for the mark of the demo."""
    mark = directory / MARK
    if directory.exists() and any(directory.iterdir()):
        if not mark.exists():
            raise ConfigError(f"{directory} holds something else than a demo", "name another directory")
        shutil.rmtree(directory)
    try:
        directory.mkdir(parents=True, mode=0o700, exist_ok=True)
        mark.touch()
    except OSError as exc:
        raise ConfigError(f"{directory} cannot be written: {exc.strerror}", "name another directory") from exc


def webhook_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _ports() -> list[int]:
    """A free port for each of collector, dashboard and receiver, the usual ones where they are free."""
    found: list[int] = []
    for wanted in WANTED_PORTS:
        port = free_port(HOST, wanted)
        found.append(free_port(HOST, 0) if port in found else port)
    return found


def _secret_file(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content, "utf-8")
