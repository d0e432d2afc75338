"""The worker's jobs and when each runs: one line a job, in order, under the lease.

A job that fails is logged and counted and runs again at its next time; it stops no other. Jobs live in
memory; what they work on is in the stores.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from monitor.clock import Clock
from monitor.errors import HookvitalsError

log = logging.getLogger("hookvitals.worker")

MISFIRE_GRACE_S = 60
NOTE_EVERY_S = 10.0
"""A job's success is written this often at most: some jobs run each second, and each note is a commit."""


@dataclass(frozen=True, slots=True)
class Job:
    """run: does the work under the epoch it is given; returns a short sentence for the log, or "" when there
    was nothing to do."""

    name: str
    trigger: BaseTrigger
    run: Callable[[int], str]


class JobRows(Protocol):
    """Where it is noted how the jobs fare; `/readyz` and the dashboard read it."""

    def succeeded(self, name: str, at: datetime, took_s: float, epoch: int) -> None: ...

    def failed(self, name: str, at: datetime, error: str, epoch: int) -> None: ...


class Runner:
    """Runs one job when this process leads, and notes how it went."""

    def __init__(self, lead: Callable[[], int | None], rows: JobRows, clock: Clock) -> None:
        self._lead = lead
        self._rows = rows
        self._clock = clock
        self._noted_s: dict[str, float] = {}

    def run(self, job: Job) -> bool:
        """True when the job ran and succeeded."""
        epoch = self._lead()
        if epoch is None:
            return False
        started_s = self._clock.monotonic()
        try:
            said = job.run(epoch)
        except Exception as exc:  # the boundary: a broken job must not end the others
            self._note_failure(job, exc, epoch)
            return False
        if said:
            log.info("%s: %s", job.name, said)
        self._note_success(job, started_s, epoch)
        return True

    def _note_success(self, job: Job, started_s: float, epoch: int) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._noted_s.get(job.name, -NOTE_EVERY_S) < NOTE_EVERY_S:
            return
        try:
            self._rows.succeeded(job.name, self._clock.now(), now_s - started_s, epoch)
            self._noted_s[job.name] = now_s
        except HookvitalsError as exc:
            log.warning("%s: its success could not be noted: %s", job.name, exc)

    def _note_failure(self, job: Job, exc: Exception, epoch: int) -> None:
        expected = isinstance(exc, HookvitalsError)
        log.error("%s failed: %s", job.name, exc, exc_info=None if expected else exc)
        self._noted_s.pop(job.name, None)
        try:
            self._rows.failed(job.name, self._clock.now(), f"{type(exc).__name__}: {exc}", epoch)
        except Exception as note_exc:  # the store is what failed, most likely
            log.error("%s: its failure could not be noted: %s", job.name, note_exc)


def schedule(jobs: Sequence[Job], runner: Runner, first_at: datetime) -> BackgroundScheduler:
    """A scheduler, not yet started, with one thread a job so that a slow one delays no other.

    first_at: when each job runs first, also one that then waits for an hour.
    """
    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": {"type": "threadpool", "max_workers": len(jobs)}},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
    )
    for job in jobs:
        scheduler.add_job(
            runner.run, job.trigger, args=[job], id=job.name, name=job.name, next_run_time=first_at
        )
    return scheduler
