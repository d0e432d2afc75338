"""durable=True: the record is on disk before the answer leaves, and what the disk does changes no answer.

practice 37: what was received stays known.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Receiver, Shipper
from tests.faults.syscalls import command
from tests.sdk.collector import KEY, collecting
from tests.sdk.world import SECRET, Answered, World, deliver

AWAY = "http://127.0.0.1:9"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def shipper(spool: Path) -> Iterator[Shipper]:
    made = Shipper(AWAY, KEY, spool_dir=str(spool), batch_delay_s=60.0)
    yield made
    made.close(0.1)


@pytest.mark.parametrize("inbox", [False, True])
def test_when_the_answer_is_there_the_record_is_on_disk(
    world: World, shipper: Shipper, spool: Path, inbox: bool
) -> None:
    made: dict[str, Any] = {"shipper": shipper, "durable": True}
    receiver = world.inbox(**made) if inbox else world.receiver(**made)

    assert deliver(receiver, "evt_1").status == 200

    on_disk = b"".join(file.read_bytes() for file in spool.glob("*.spool"))
    assert b'"event_id":"evt_1"' in on_disk


PROGRAM = """
import os, sys
from hookvitals import Receiver
from tests.sdk.world import SECRET, request, URL
receiver = Receiver("acme", endpoint="orders", secrets=[SECRET], system="standard", now=lambda: 1.8e9,
                    collector=sys.argv[2], key="k", spool_dir=sys.argv[1], durable=True)
receiver.on("*")(lambda event: None)
for number in range(20):
    headers, body = request(f"evt_{number}")
    assert receiver.handle("POST", URL, headers, body, "192.0.2.1")[0] == 200
    os.write(1, b"answered %d\\n" % number)
os.kill(os.getpid(), 9)
"""


def run(*before: str, spool: Path, url: str = AWAY) -> str:
    done = subprocess.run(
        [*before, sys.executable, "-c", textwrap.dedent(PROGRAM), str(spool), url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_each_answer_leaves_after_a_sync_of_its_record(spool: Path, tmp_path: Path) -> None:
    """kill -9 proves nothing of it: the calls to the kernel are judged."""
    run(*command(tmp_path / "trace"), spool=spool)

    traces = [[plain(line) for line in file.read_text().splitlines()] for file in tmp_path.glob("trace.*")]
    (calls,) = [trace for trace in traces if any("answered" in line for line in trace)]
    unsynced = written = answers = 0
    for line in calls:
        if ".spool>" in line and line.startswith("pwrite64"):
            unsynced += 1
            written += 1
        elif ".spool" in line and line.startswith(("fdatasync", "fsync")) and line.endswith("= 0"):
            unsynced = 0
        elif line.startswith("write(1<") and "answered" in line:
            answers += 1
            assert unsynced == 0, f"answer {answers} left before its record was on disk"
    assert answers == 20
    assert written >= 20, "the calls are read as they are meant"


def plain(line: str) -> str:
    """strace shows bytes in hex, those of paths too."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), line)


def test_a_killed_receiver_loses_no_record_that_it_answered(spool: Path) -> None:
    assert run(spool=spool).count("answered") == 20

    with collecting() as (collector, url):
        with_orphan = Shipper(url, KEY, spool_dir=str(spool), batch_delay_s=60.0)
        with_orphan.flush(0.0)
        collector.wait_for(lambda: len(collector.stored) == 20)
        assert with_orphan.close()
        assert {one["event_id"] for one in collector.records} == {f"evt_{n}" for n in range(20)}
        assert collector.posts[-1].document["client"]["dropped"] == {}


def test_a_disk_that_refuses_changes_no_answer(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    shipper = Shipper(world.url, KEY, spool_dir=str(tmp_path / "file" / "spool"), batch_delay_s=60.0)
    plain = world.receiver("plain")
    durable = world.receiver("durable", shipper=shipper, durable=True)

    assert answer(deliver(durable, "evt_1")) == answer(deliver(plain, "evt_1"))

    assert shipper.close()
    assert {one["source"] for one in world.records()} == {"plain", "durable"}


def answer(given: Answered) -> tuple[int, dict[str, str], bytes]:
    return given.status, given.headers, given.body


@pytest.mark.parametrize("settings", [{"durable": True}, {"spool_dir": "x"}])
def test_it_is_refused_where_there_is_nowhere_to_keep_a_record(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="collector"):
        Receiver("acme", endpoint="orders", secrets=[SECRET], system="standard", **settings)


def test_a_receiver_with_its_own_collector_takes_a_spool_of_its_own(world: World, spool: Path) -> None:
    receiver = world.receiver(shipper=None, collector=AWAY, key=KEY, spool_dir=str(spool), durable=True)
    deliver(receiver, "evt_1")

    assert len(list(spool.glob("*.spool"))) == 1
    assert os.listdir(spool)
