"""The README's code is the example's, and the example receives."""

import runpy
import sys
import time
from pathlib import Path

import pytest

from tests.sdk.collector import KEY, collecting
from tests.sdk.world import SECRET, request

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "receiver_flask.py"


def test_the_readme_shows_the_example_word_for_word() -> None:
    shown = (ROOT / "sdk" / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]

    assert EXAMPLE.read_text("utf-8").split('"""\n\n', 1)[1] == shown


def test_the_example_receives_and_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as (collector, url):
        for name, value in {
            "SIGNING_SECRET": SECRET,
            "HOOKVITALS_URL": url,
            "HOOKVITALS_KEY": KEY,
            "RECEIVER_STATE": str(tmp_path / "receiver.db"),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", [str(EXAMPLE)])
        found = runpy.run_path(str(EXAMPLE))
        headers, body = request("evt_1", "invoice.paid", {"data": {"total": 5}}, at=time.time())

        status = found["app"].test_client().post("/webhooks/billing", data=body, headers=headers).status_code
        inbox = found["receiver"].inbox
        deadline = time.monotonic() + 10
        while inbox.depth() and time.monotonic() < deadline:
            time.sleep(0.01)
        found["receiver"].close()

        assert status == 200
        assert [record["outcome"] for record in collector.records] == ["accepted", "succeeded"]
        assert {record["endpoint"] for record in collector.records} == {"billing"}
