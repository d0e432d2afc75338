"""Records of what RQ jobs make of events, through RQ's own callbacks; the extra `rq`.

    instrument(recorder)                               # in the worker, before it forks
    Worker([queue], work_horse_killed_handler=killed)

    queue.enqueue(process, event.data, **job(event, receiver.settings), retry=Retry(max=3))  # in a handler
    return ACCEPTED

An attempt that will be retried is `failed`, the last one `dead_lettered`, and so it is with a job whose
process was killed. The jobs of a worker that died as a whole are recorded by the next to clean up after it.
"""

import time
from typing import Any, Dict, List, Optional

from hookvitals.event import Event
from hookvitals.integrations.tasks import CARRIED, carried, log, record, sample
from hookvitals.recorder import Recorder
from hookvitals.schemes import MissingDependency
from hookvitals.settings import Settings

FLUSH_S = 2.0
"""How long the end of a job waits for the collector: RQ ends its process without asking anybody."""

_recorders: List[Recorder] = []


class JobKilled(RuntimeError):
    """The process of a job was killed, by the system or for its time."""


def instrument(recorder: Recorder) -> None:
    """Records every job of this process that was enqueued with `job`, from now on with this recorder."""
    _recorders[:] = [recorder]


def job(event: Event, settings: Optional[Settings] = None) -> Dict[str, Any]:
    """Arguments for `enqueue`: the job's meta and its callbacks. Raises MissingDependency without RQ.

    settings: of the receiver whose handler gives ACCEPTED, so that the job's record ends what it recorded.
    """
    try:
        from rq import Callback  # noqa: PLC0415  # the rq extra
    except ImportError as exc:
        raise MissingDependency("RQ jobs need: pip install 'hookvitals[rq]'") from exc
    return {
        "meta": {CARRIED: carried(event, settings)},
        "on_success": Callback(succeeded),
        "on_failure": Callback(failed),
    }


def succeeded(job: Any, connection: Any, result: Any) -> None:
    """A job's success callback."""
    _tell("succeeded", job, None)


def failed(job: Any, connection: Any, kind: Any, error: Any, trace: Any) -> None:
    """A job's failure callback, called after each attempt."""
    _tell("failed" if job.should_retry else "dead_lettered", job, error)


def killed(job: Any, pid: int, status: int, usage: Any) -> None:
    """A worker's work_horse_killed_handler."""
    _tell("failed" if job.should_retry else "dead_lettered", job, JobKilled(f"wait status {status}"))


def watch(recorder: Recorder, queue: Any) -> None:
    """Samples the depth of a queue of RQ's, and the age of its oldest job."""

    def sampled() -> List[Dict[str, Any]]:
        first = next(iter(queue.get_jobs(0, 1)), None)
        since = first.enqueued_at if first is not None else None
        since_us = None if since is None else int(_utc_s(since) * 1e6)
        return [sample(recorder, queue.name, int(queue.count), since_us)]

    recorder.shipper.sample(sampled)


def _utc_s(at: Any) -> float:
    """Older versions of RQ give naive times, in UTC."""
    from datetime import timezone  # noqa: PLC0415

    return float((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def _tell(outcome: str, job: Any, error: Optional[BaseException]) -> None:
    if not _recorders:
        log.warning("hookvitals: a job is not recorded; call hookvitals.integrations.rq.instrument first")
        return
    recorder = _recorders[0]
    try:
        known = job.meta.get(CARRIED)
        if not isinstance(known, dict):
            return
        known["attempts"] = attempt = int(known.get("attempts", 0)) + 1
        job.save_meta()
        process_ms = None if job.started_at is None else (time.time() - _utc_s(job.started_at)) * 1e3
        record(recorder, outcome, known, attempt, None if process_ms is None else max(0.0, process_ms), error)
        recorder.shipper.flush(FLUSH_S)
    except Exception:
        log.exception("hookvitals: what became of a job could not be recorded")
