"""The Python in README and docs runs: the README's lines receive a webhook, every import in a page exists."""

import ast
import re
from typing import Any

import pytest
from flask import Flask

from hookvitals import Event, Receiver
from hookvitals.testing import signed_request
from tests.repo.sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "sdk" / "README.md"]
SNIPPETS = [
    pytest.param(snippet, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, snippet in enumerate(
        re.findall(r"```python\n(.*?)\n *```", page.read_text(encoding="utf-8"), re.DOTALL)
    )
]
SECRET = "a secret of at least 16 characters"


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_snippet_is_python_and_its_imports_exist(snippet: str) -> None:
    lines = snippet.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    tree = ast.parse("\n".join(line[margin:] for line in lines))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]

    exec(compile(ast.Module([*imports], []), "snippet", "exec"), {})


def test_the_three_lines_of_the_readme_receive_a_signed_webhook() -> None:
    snippet = re.search(r"```python\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert snippet is not None
    app = Flask("readme")
    handled: list[Event] = []
    names: dict[str, Any] = {
        "Receiver": Receiver, "app": app, "SECRET": SECRET, "handle_invoice": handled.append,
        "URL": "http://127.0.0.1:9", "KEY": "hv_nobody_listens",
    }  # fmt: skip

    exec(snippet[1], names)
    headers, body = signed_request("timestamped", SECRET, "evt_1", "invoice.paid")
    answer = app.test_client().post("/webhooks/billing", data=body, headers=headers)
    names["receiver"].close()

    assert answer.status_code == 200
    assert [event.id for event in handled] == ["evt_1"]
    assert len(snippet[1].splitlines()) == 3
