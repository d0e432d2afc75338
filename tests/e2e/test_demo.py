"""`hookvitals demo` as a process: it comes up beside whatever runs, records traffic, and leaves nothing."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.store.facts.protocol import RecordFilter
from monitor.store.facts.sqlite.reader import SqliteFactReader

pytestmark = pytest.mark.e2e

OUTCOMES = {"succeeded", "accepted", "rejected"}


def outcomes(directory: Path) -> set[str]:
    reader = SqliteFactReader(directory / "data" / "facts.db")
    try:
        return {record.outcome.value for record in reader.page(RecordFilter(), 200).records}
    finally:
        reader.close()


@pytest.mark.timeout(180)
def test_demo_takes_other_ports_records_its_traffic_and_ends_cleanly(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    with contextlib.ExitStack() as taken, (tmp_path / "out").open("wb") as out:
        for port in (8700, 8701):
            with contextlib.suppress(OSError):  # somebody else holds it: as good
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        demo = subprocess.Popen(
            [sys.executable, "-m", "monitor", "demo", "--data-dir", str(directory)],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 120
            while not (directory / "data" / "facts.db").exists() or not outcomes(directory) >= OUTCOMES:
                assert demo.poll() is None, (tmp_path / "out").read_text()
                assert time.monotonic() < deadline, (tmp_path / "out").read_text()
                time.sleep(0.5)
        finally:
            demo.send_signal(signal.SIGINT)
            code = demo.wait(60)
    said = (tmp_path / "out").read_text()
    assert code == 0, said
    assert re.search(r"dashboard  http://127\.0\.0\.1:\d+", said)
    assert ":8701" not in said
    log = (directory / "demo.log").read_text()
    assert "dashboard at http://127.0.0.1:" in log
    listening = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(directory) not in listening, "a process of the demo is still there"


@pytest.mark.timeout(60)
def test_demo_does_not_empty_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "demo", "--data-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 1
    assert "holds something else than a demo" in done.stderr
    assert (tmp_path / "thesis.tex").exists()
