"""The worker as a process: the lease tended, the jobs scheduled, the file applied again when asked."""

import logging
import os
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from monitor.clock import Clock
from monitor.config import Loaded, environment, load_here, secret_key
from monitor.errors import HookvitalsError
from monitor.memory import keep_free_memory
from monitor.seal import Sealer
from monitor.wiring.applying import apply
from monitor.wiring.following import Following
from monitor.wiring.internal_key import ensure_internal_key
from monitor.wiring.jobs import Parts, jobs_of
from monitor.wiring.stores import open_control, open_facts
from monitor.worker.leadership import BEAT_S, Leadership
from monitor.worker.schedule import Runner, schedule

log = logging.getLogger("hookvitals.worker")

TICK_S = 0.5
FIRST_RUN_AFTER = timedelta(seconds=3)
"""By then a worker that is alone leads, and a collector that was started beside it listens."""


@dataclass(frozen=True, slots=True)
class Signals:
    """stop: end. again: apply the file again, if this worker leads."""

    stop: threading.Event
    again: threading.Event


def run_worker(loaded: Loaded, clock: Clock, signals: Signals) -> None:
    """Runs until told to stop. Raises WrongSchema or ConfigError before anything is started."""
    keep_free_memory()
    settings = loaded.settings
    key = secret_key(settings)
    control = open_control(settings, clock)
    facts = open_facts(settings)
    try:
        facts.store_id()  # a missing or older store is told of now, not by the first job
        ensure_internal_key(control, key, clock)
        parts = Parts(settings, key, control, facts, Following(control.configs.latest, clock), clock)
        leadership = Leadership(control.leases, f"{socket.gethostname()}:{os.getpid()}", clock)
        runner = Runner(leadership.epoch, control.jobs, clock)
        scheduler = schedule(jobs_of(parts), runner, clock.now() + FIRST_RUN_AFTER)
        scheduler.start()
        try:
            _lead(leadership, parts, loaded.file, signals)
        finally:
            scheduler.shutdown()
            _release(leadership)
    finally:
        facts.close()
        control.close()


def _lead(leadership: Leadership, parts: Parts, file: Path | None, signals: Signals) -> None:
    led, due_s = False, parts.clock.monotonic()
    while not signals.stop.is_set():
        if parts.clock.monotonic() >= due_s:
            due_s = parts.clock.monotonic() + BEAT_S
            leads = _tended(leadership)
            if leads != led:
                log.info("this worker leads" if leads else "another worker leads")
                led = leads
        if signals.again.is_set() and led:
            signals.again.clear()
            _apply_again(parts, file)
        signals.stop.wait(TICK_S)


def _tended(leadership: Leadership) -> bool:
    try:
        return leadership.tend()
    except HookvitalsError as exc:
        log.warning("the lease cannot be tended: %s", exc)
        return leadership.epoch() is not None


def _apply_again(parts: Parts, file: Path | None) -> None:
    """Puts the file in force; a file with mistakes changes nothing."""
    try:
        applied = apply(
            parts.control,
            load_here(file).document,
            origin=str(file or ""),
            by="SIGHUP",
            at=parts.clock.now(),
            sealer=Sealer(parts.sealing_key),
            environ=environment(),
        )
    except HookvitalsError as exc:
        log.error("the configuration was not applied: %s", exc)
        return
    log.info("the file was applied as version %d", applied.number)


def _release(leadership: Leadership) -> None:
    try:
        leadership.release()
    except HookvitalsError as exc:
        log.warning("the lease was not given back, another worker takes over in a while: %s", exc)
