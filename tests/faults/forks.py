"""Processes to be killed that begin with all loaded: a fork takes milliseconds, an interpreter a second.

The server that they are forked from is one for all the tests of a run, so what it loads stands here.
"""

from multiprocessing import get_context

processes = get_context("forkserver")
processes.set_forkserver_preload(
    [f"tests.faults.{name}" for name in ("worker_process", "test_merging_killed", "test_thinning_killed")]
)
