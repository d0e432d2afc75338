"""docker-compose.yml and Dockerfile agree with each other, with the command line and with the settings.

No container engine runs here; what can be known without one is checked.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest

from monitor.cli.main import main
from monitor.config import load
from monitor.config.environment import settings_from
from monitor.config.settings import settings_table
from tests.deploy.plain_yaml import parse

ROOT = Path(__file__).parents[2]
COMPOSE = parse((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLES = {name for row in settings_table() for name in row.variable.split(" or ")} | {"HOOKVITALS_CONFIG"}


VARIABLE = re.compile(r"\$\{(\w+):([+-])((?:[^{}]|\$\{\w+\})*)\}|\$\{(\w+)\}")


def filled_in(text: str, environ: dict[str, str]) -> str:
    """The text as the engine hands it on: `${NAME}`, `${NAME:-default}`, `${NAME:+in its place}`."""

    def value(found: re.Match[str]) -> str:
        if found[4]:
            return environ[found[4]]
        stated = environ.get(found[1], "")
        if found[2] == "-":
            return stated or filled_in(found[3], environ)
        return filled_in(found[3], environ) if stated else ""

    return VARIABLE.sub(value, text)


def environment_of(service: dict[str, Any], environ: dict[str, str]) -> dict[str, str]:
    return {name: filled_in(value, environ) for name, value in service["environment"].items()}


def instruction(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def environment_of_the_image() -> dict[str, str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    [line] = re.findall(r"^ENV (.+)$", joined, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in line.split())


def mounts(service: dict[str, Any]) -> list[tuple[str, str]]:
    return [tuple(volume.split(":")[:2]) for volume in service.get("volumes", [])]


def command_of(argv: list[str]) -> click.Command:
    """The command that the words name; its options are parsed too, and nothing is run."""
    command: click.Command = main
    words = list(argv)
    while isinstance(command, click.Group) and not (command.invoke_without_command and words[0][:1] == "-"):
        found = command.commands.get(words.pop(0))
        assert found is not None, f"hookvitals {' '.join(argv)}: no such command"
        command = found
    command.make_context("hookvitals", words)
    return command


def test_there_is_one_service_of_ours() -> None:
    assert list(OURS) == ["hookvitals"]


@pytest.mark.parametrize("name", OURS)
def test_command_of_a_service_is_one_of_the_command_line(name: str) -> None:
    command_of(OURS[name]["command"])


@pytest.mark.parametrize("name", OURS)
def test_health_check_is_a_command_of_the_command_line(name: str) -> None:
    kind, program, *words = OURS[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "hookvitals")
    command_of(words)


def test_command_of_the_image_is_one_of_the_command_line() -> None:
    assert instruction("ENTRYPOINT") == ['["hookvitals"]']
    [command] = instruction("CMD")
    command_of(re.findall(r'"([^"]+)"', command))


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    ours = {variable for variable in OURS[name]["environment"] if variable.startswith("HOOKVITALS_")}
    assert ours
    assert ours - VARIABLES == set()


def test_variables_of_the_image_are_settings() -> None:
    ours = {variable for variable in environment_of_the_image() if variable.startswith("HOOKVITALS_")}
    assert ours
    assert ours - VARIABLES == set()


@pytest.mark.parametrize("name", OURS)
def test_settings_of_a_service_are_accepted(name: str, tmp_path: Path) -> None:
    environ = {**environment_of_the_image(), **environment_of(OURS[name], {})}
    files = {inside: outside for outside, inside in mounts(OURS[name])}
    loaded = load(ROOT / files[environ["HOOKVITALS_CONFIG"]], environ)
    assert [channel.name for channel in loaded.document.channels] == ["mailbox"]
    assert loaded.settings.store_url.get_secret_value() == ""


def test_password_in_the_environment_moves_both_stores_to_the_server_of_the_profile() -> None:
    given = {"POSTGRES_PASSWORD": "s3cret"}
    server = environment_of(SERVICES["postgres"], given)
    settings = settings_from(
        {name: value for name, value in environment_of(OURS["hookvitals"], given).items() if "STORE" in name}
    )
    url = urlsplit(settings.store_url.get_secret_value())

    assert SERVICES["postgres"]["profiles"] == ["postgres"]
    assert (url.username, url.password) == (server["POSTGRES_USER"], server["POSTGRES_PASSWORD"])
    assert (url.hostname, url.path) == ("postgres", f"/{server['POSTGRES_DB']}")
    assert "s3cret" not in repr(settings)


def test_hookvitals_waits_for_the_server_only_where_there_is_one() -> None:
    assert OURS["hookvitals"]["depends_on"] == {
        "postgres": {"condition": "service_healthy", "required": "false"}
    }
    assert SERVICES["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]


def test_server_keeps_its_data_on_a_volume_and_no_password_is_in_the_repository() -> None:
    assert mounts(SERVICES["postgres"]) == [("postgres-data", "/var/lib/postgresql/data")]
    assert environment_of(SERVICES["postgres"], {})["POSTGRES_PASSWORD"] == ""
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_image_can_talk_to_postgresql_and_to_what_apprise_knows() -> None:
    assert "'.[apprise,postgres]'" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_published_ports_are_exposed_and_listened_on(name: str) -> None:
    exposed = {int(port) for line in instruction("EXPOSE") for port in line.split()}
    settings = load(None, environment_of_the_image()).settings
    published = {int(entry.split(":")[-1]) for entry in OURS[name]["ports"]}
    assert published == exposed == {settings.collector_port, settings.dashboard_port}
    assert (settings.collector_host, settings.dashboard_host) == ("0.0.0.0", "0.0.0.0")


def test_every_port_is_published_on_loopback_alone() -> None:
    published = [entry for service in SERVICES.values() for entry in service.get("ports", [])]
    assert [entry for entry in published if not entry.startswith("127.0.0.1:")] == []


def test_data_lies_on_the_volume_of_the_image() -> None:
    data_dir = environment_of_the_image()["HOOKVITALS_DATA_DIR"]
    assert instruction("VOLUME") == [data_dir]
    volumes = {inside: outside for outside, inside in mounts(OURS["hookvitals"])}
    assert volumes[data_dir] in COMPOSE["volumes"]
    assert f"--mode 0700 {data_dir}" in DOCKERFILE


def test_every_mounted_file_is_in_the_repository() -> None:
    missing = [
        outside
        for service in SERVICES.values()
        for outside, _ in mounts(service)
        if outside.startswith("./") and not (ROOT / outside).exists()
    ]
    assert missing == []


def test_every_named_volume_is_declared_and_used() -> None:
    named = {outside for service in SERVICES.values() for outside, _ in mounts(service) if outside[0] != "."}
    assert named == set(COMPOSE["volumes"])


def test_files_the_image_is_built_from_exist() -> None:
    for line in instruction("COPY"):
        if not line.startswith("--from"):
            *sources, _ = line.split()
            assert [source for source in sources if not (ROOT / source).exists()] == []
