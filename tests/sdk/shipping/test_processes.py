"""The shipper at the edges of a process: its end, its fork, its threads."""

import re
import subprocess
import sys
import textwrap

import pytest

from tests.sdk.collector import KEY, collecting


def run(program: str, url: str, said: str = "") -> str:
    """What a process of its own printed. It must end by itself, well, within 20 s, and say no more."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), url, KEY],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, re.sub(said, "", done.stderr)) == (0, "")
    return done.stdout


START = """
import os, sys, threading
from hookvitals import Recorder, Shipper
shipper = Shipper(sys.argv[1], sys.argv[2], batch_delay_s=60.0)
recorder = Recorder("acme", "orders", shipper)
def note(event_id):
    recorder.record("succeeded", 1, {"event_id": event_id, "event_type": "t"})
"""


def test_what_waits_is_shipped_when_the_process_ends() -> None:
    with collecting() as (collector, url):
        run(START + "[note(str(number)) for number in range(150)]", url)

        assert len(collector.stored) == 150


def test_what_waits_is_shipped_when_the_process_ends_by_an_error() -> None:
    with collecting() as (collector, url):
        program = START + "note('a')\ntry:\n    raise SystemExit(0)\nfinally:\n    note('b')"
        run(program, url)

        assert len(collector.stored) == 2


def test_a_collector_that_is_away_does_not_keep_a_process_alive_and_what_is_lost_is_told() -> None:
    warned = (
        r"hookvitals: the collector cannot be reached .*; records wait\n"
        r"hookvitals: the process ends, and records in memory with it: 7 lost\n"
    )

    program = START + "[note(str(number)) for number in range(7)]; print('done')"
    assert run(program, "http://127.0.0.1:9", warned) == "done\n"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_ships_its_own_records_and_the_parent_its_own() -> None:
    program = START + textwrap.dedent(
        """
        note("before")
        shipper.counts()
        pid = os.fork()
        if pid == 0:
            note("child")
            assert shipper.counts()["produced"] == 1, shipper.counts()
            assert shipper.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        note("parent")
        """
    )
    with collecting() as (collector, url):
        run(program, url)

        assert collector.duplicates == 0
        assert sorted(record["event_id"] for record in collector.records) == ["before", "child", "parent"]
        instances = {
            record["event_id"]: post.document["client"]["instance"]
            for post in collector.posts
            for record in post.document["records"]
        }
    assert instances["before"] == instances["parent"] != instances["child"]


def test_a_fork_while_other_threads_note_neither_hangs_nor_loses() -> None:
    program = START + textwrap.dedent(
        """
        import time
        stop = threading.Event()
        def produce(own):
            number = 0
            while not stop.is_set():
                note(f"{own}-{number}")
                number += 1
                time.sleep(0.0005)
            counts[own] = number
        counts = {}
        threads = [threading.Thread(target=produce, args=(own,), daemon=True) for own in range(3)]
        [thread.start() for thread in threads]
        for fork in range(10):
            pid = os.fork()
            if pid == 0:
                note(f"child-{fork}")
                assert shipper.close(5.0), shipper.counts()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        stop.set()
        [thread.join() for thread in threads]
        assert shipper.close(5.0)
        print(sum(counts.values()) + 10)
        """
    )
    with collecting() as (collector, url):
        produced = int(run(program, url))

        assert len(collector.stored) == produced
