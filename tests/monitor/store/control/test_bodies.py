"""Stored bodies may be read by any number of threads, first thing in a process."""

import subprocess
import sys

PROCESSES, THREADS = 100, 6

FIRST_THINGS = f"""
import os, sys, threading
import msgspec
from monitor.store.control import alerts, notifications
from tests.monitor.worker.test_delivery import page

body = msgspec.to_builtins(page("payments"))
readers = [(notifications._read, body), (alerts._read, body["alert"])]
sys.setswitchinterval(1e-5)

def read(number, together):
    made, what = readers[number % 2]
    together.wait()
    made(what)

def all_at_once():
    together = threading.Barrier({THREADS})
    threads = [threading.Thread(target=read, args=(n, together)) for n in range({THREADS})]
    for each in threads: each.start()
    for each in threads: each.join()

ended = []
for _ in range({PROCESSES}):
    child = os.fork()
    if child == 0:
        all_at_once()
        os._exit(0)
    ended.append(os.waitpid(child, 0)[1])
print(sum(map(bool, ended)))
"""


def test_threads_that_read_the_same_kind_at_once_end_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_THINGS], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("0", "")
