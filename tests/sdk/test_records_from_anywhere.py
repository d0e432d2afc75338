"""The snippets of docs/records-from-anywhere.md, each run as it stands against the collector's real routes.

A reader pastes them; practice 43 asks that they were tried before.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from tests.monitor.collector.fronts import TOKEN, stand

PAGE = Path(__file__).parents[2] / "docs" / "records-from-anywhere.md"
MOST_LINES = 15
MOST_SECONDS = 100.0  # Go compiles its library once
COMMANDS = {
    "sh": ["sh", "{file}"],
    "js": ["node", "{file}"],
    "go": ["go", "run", "{file}"],
    "java": ["java", "{file}"],
}
NEEDS = {"sh": "curl", "js": "node", "go": "go", "java": "javac"}
"""javac: a Java that can run a source file has a compiler."""


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[BaseWSGIServer]:
    """Answers in the test's own thread, the only one that may use its store."""
    made = stand(tmp_path)
    made.clock.at = datetime.now(UTC)  # the snippets read the machine's clock
    server = make_server("127.0.0.1", 0, bounded(made.client.application))
    server.timeout = 0.05
    yield server
    server.server_close()
    made.store.close()


def bounded(app: Callable[..., Any]) -> Callable[..., Any]:
    """With a body that ends where it should, as behind the server that the collector runs on."""

    def bounding(environ: dict[str, Any], start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        return app({**environ, "wsgi.input": BytesIO(body)}, start)

    return bounding


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.mark.parametrize("language", COMMANDS)
def test_a_snippet_posts_one_record(language: str, collector: BaseWSGIServer, tmp_path: Path) -> None:
    if shutil.which(NEEDS[language]) is None:
        pytest.skip(f"{NEEDS[language]} is not installed")
    file = tmp_path / f"Snippet.{language}"
    file.write_text(snippet(language), encoding="utf-8")
    url = f"http://127.0.0.1:{collector.server_port}"
    environment = {**os.environ, "HOOKVITALS_URL": url, "HOOKVITALS_KEY": TOKEN, "CGO_ENABLED": "0"}

    command = [part.format(file=file) for part in COMMANDS[language]]
    with subprocess.Popen(command, env=environment, stdout=PIPE, stderr=STDOUT, text=True) as program:
        deadline = time.monotonic() + MOST_SECONDS
        while program.poll() is None and time.monotonic() < deadline:
            collector.handle_request()
        program.kill()
        told, _ = program.communicate()

    assert program.returncode == 0, told
    assert '"accepted":1' in told.replace(" ", "")
    assert '"rejected":[]' in told.replace(" ", "")


@pytest.mark.parametrize("language", COMMANDS)
def test_a_snippet_is_short_enough_to_be_read(language: str) -> None:
    assert len([line for line in snippet(language).splitlines() if line.strip()]) <= MOST_LINES
