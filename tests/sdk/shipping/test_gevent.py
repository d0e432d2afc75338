"""The shipper under gevent, with its modules patched at the start of the program or left as they are."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.sdk.collector import KEY, collecting

PROGRAM = """
import sys
url, key, directory, patched = sys.argv[1:]
if patched == "patched":
    from gevent import monkey
    monkey.patch_all()
import gevent
from hookvitals import Recorder, Shipper
shipper = Shipper(url, key, spool_dir=directory, batch_delay_s=0.05)
recorders = [Recorder("acme", "orders", shipper, durable=durable) for durable in (False, True)]

def work(own):
    for number in range(50):
        fields = {"event_id": f"evt_{own}_{number}", "event_type": "t"}
        recorders[number % 2].record("succeeded", 1, fields)
        gevent.sleep(0)

gevent.joinall([gevent.spawn(work, own) for own in range(8)])
"""


@pytest.mark.parametrize("patched", ["patched", "plain"])
def test_greenlets_share_a_shipper_that_loses_and_doubles_nothing(tmp_path: Path, patched: str) -> None:
    with collecting() as (collector, url):
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), url, KEY, str(tmp_path / "spool"), patched]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        assert (done.returncode, done.stderr) == (0, "")
        assert len(collector.stored) == 400
        assert collector.duplicates == 0
        assert collector.posts[-1].document["client"]["produced"] == 400
    assert list((tmp_path / "spool").iterdir()) == []
