"""The documents' code is the examples', and each example, run by its own command, receives and reports."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hookvitals.__main__ import main
from tests.sdk.collector import KEY, collecting
from tests.sdk.world import SECRET

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "receiver_flask": ["-m", "flask", "--app", "receiver_flask", "run", "--port", "0"],
    "receiver_fastapi": ["-m", "uvicorn", "receiver_fastapi:app", "--port", "0"],
    "receiver_django": ["receiver_django.py", "runserver", "--noreload", "127.0.0.1:0"],
}
PAGES = {
    "sdk/README.md": ["receiver_flask"],
    "docs/receivers.md": ["receiver_flask", "receiver_fastapi", "receiver_django"],
}
EVENTS = 50  # each makes two records: a full batch, which leaves at once


@pytest.mark.parametrize(("page", "example"), [(page, name) for page in PAGES for name in PAGES[page]])
def test_a_page_shows_the_example_word_for_word(page: str, example: str) -> None:
    text = (ROOT / "examples" / f"{example}.py").read_text("utf-8")

    shown = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)

    assert text.split('"""\n\n', 1)[1] in shown


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    """The port that the example says it listens on, until the block ends and it is interrupted."""
    process = subprocess.Popen(
        [sys.executable, "-u", *command],
        cwd=ROOT / "examples",
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:([1-9]\d*)", line):
                break
        else:
            raise AssertionError("".join(said))
        yield int(found[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.mark.parametrize("example", COMMANDS)
def test_an_example_receives_and_reports(
    example: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Practice 43: signed events of one's own before the provider's."""
    with collecting() as (collector, url):
        environment = {
            "SIGNING_SECRET": SECRET,
            "HOOKVITALS_URL": url,
            "HOOKVITALS_KEY": KEY,
            "RECEIVER_STATE": str(tmp_path / "receiver.db"),
        }
        with running(COMMANDS[example], environment) as port:
            to = ["--url", f"http://127.0.0.1:{port}/webhooks/billing", "--secret", SECRET]
            event = ["--type", "invoice.paid", "--data", '{"data": {"total": 5}}', "--count", str(EVENTS)]

            assert main(["send", *to, *event]) == 0, capsys.readouterr()
            collector.wait_for(lambda: len(collector.stored) == 2 * EVENTS)
            outcomes = Counter(record["outcome"] for record in collector.records)
            assert main(["send", *to, "--drill", "--types", "invoice.paid"]) == 0, capsys.readouterr()

        assert outcomes == {"accepted": EVENTS, "succeeded": EVENTS}
        assert {record["endpoint"] for record in collector.records} == {"billing"}
