"""What import-linter cannot say: who reads the environment, where I/O lives, which packages are declared."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.repo.sources import PACKAGES, ROOT, STANDARD_LIBRARY, Source, sources

ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}
NETWORK = {"requests", "urllib3", "smtplib", "socket", "ssl", "http.client", "urllib.request", "socketserver"}
ALERTS_WITH_IO = ("alerts.channels", "alerts.http", "alerts.deadline", "alerts.egress")
MODULE_TO_DISTRIBUTION = {
    "apscheduler": "apscheduler",
    "dash": "dash",
    "dash_ag_grid": "dash-ag-grid",
    "dash_mantine_components": "dash-mantine-components",
    "flask_compress": "flask-compress",
    "flask_openapi3": "flask-openapi3",
    "prometheus_client": "prometheus-client",
    "psycopg_pool": "psycopg",
    "pydantic_core": "pydantic",
    "urllib3": "requests",
    "werkzeug": "flask",
}
"""Import name → the declared requirement that brings it, where the two differ."""


def environment_reads(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT:
            if isinstance(node.value, ast.Name) and node.value.id == "os":
                yield f"{source.name}:{node.lineno}"
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (f"{source.name}:{node.lineno}" for alias in node.names if alias.name in ENVIRONMENT)


def functions_that_import(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield f"{source.name}:{inner.lineno} in {node.name}"


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower() for line in requirements}


def test_only_config_reads_the_environment() -> None:
    found = [
        at
        for source in sources("monitor", "alerts", "dashboard")
        if source.name != "monitor/config.py" and not source.name.startswith("monitor/config/")
        for at in environment_reads(source)
    ]

    assert found == []


def test_no_import_hides_in_a_function_of_the_server() -> None:
    found = [
        at for source in sources("monitor", "alerts", "dashboard") for at in functions_that_import(source)
    ]
    by_need = [at for at in found if at.startswith("monitor/wiring/") and at.endswith(" in _postgres")]
    for_speed = [at for at in found if at.startswith("monitor/__main__.py:") and at.endswith(" in main")]

    assert by_need, "the driver of PostgreSQL is an extra: wiring loads it where a setting names a server"
    assert for_speed, "a collector's process that is started again waits for no command it never runs"
    assert sorted(found) == sorted(by_need + for_speed)


def test_alerts_reaches_the_network_only_from_its_channels() -> None:
    found = [
        f"{source.name}:{line} imports {name}"
        for source in sources("alerts")
        if not source.module.startswith(ALERTS_WITH_IO)
        for line, name in source.imported()
        if name in NETWORK or name.split(".")[0] in NETWORK
    ]

    assert found == []


def test_nothing_imports_a_package_that_is_not_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    ours = ("apprise", "demo", "postgres")
    declared = requirement_names([*project["dependencies"], *(one for name in ours for one in extras[name])])
    undeclared = {
        f"{source.name}: {top}"
        for source in sources("monitor", "alerts", "dashboard")
        for _, name in source.imported()
        if (top := name.split(".")[0]) not in STANDARD_LIBRARY
        and top not in PACKAGES
        and MODULE_TO_DISTRIBUTION.get(top, top).lower() not in declared
    }

    assert undeclared == set()


def test_every_declared_package_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    used = {
        MODULE_TO_DISTRIBUTION.get(top, top).lower()
        for source in sources("monitor", "alerts", "dashboard")
        for _, name in source.imported()
        if (top := name.split(".")[0])
    }

    assert requirement_names(project["dependencies"]) - used == {"tzdata"}, (
        "data that zoneinfo reads by itself"
    )


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        source.name for source in sources() if source.text.strip() and ast.get_docstring(source.tree) is None
    ]

    assert silent == []


@pytest.mark.parametrize("distribution", ["pyproject.toml", "sdk/pyproject.toml"])
def test_both_distributions_carry_one_version(distribution: str) -> None:
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = tomllib.loads((ROOT / distribution).read_text())["project"]["version"]

    assert version == server["version"]
    assert f"hookvitals=={version}" in server["dependencies"]
