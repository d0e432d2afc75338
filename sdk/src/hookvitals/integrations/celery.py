"""Records of what Celery tasks make of events, through Celery's own signals; the extra `celery`.

    instrument(app, recorder)                          # in the worker

    process.apply_async((event.data,), headers=headers(event, receiver.settings))  # in a handler
    return ACCEPTED

An attempt that will be retried is `failed`, the last one `dead_lettered`, as is a task that was revoked or
whose process was killed; where a killed process's task goes back to the queue (`task_reject_on_worker_lost`)
it is `failed`. A worker that dies as a whole tells nothing: what it had comes back from the broker, when the
tasks are `acks_late`, and is recorded when it has run.
"""

import json
import time
from collections import OrderedDict
from typing import Any, Dict, List, Optional

from hookvitals.event import Event
from hookvitals.integrations.tasks import CARRIED, carried, record, sample
from hookvitals.recorder import Recorder
from hookvitals.schemes import MissingDependency
from hookvitals.settings import Settings

_MOST_KNOWN = 10_000


def headers(event: Event, settings: Optional[Settings] = None) -> Dict[str, Any]:
    """The headers of a task that processes this event; retries keep them.

    settings: of the receiver whose handler gives ACCEPTED, so that the task's record ends what it recorded.
    """
    return {CARRIED: carried(event, settings)}


def instrument(app: Any, recorder: Recorder) -> None:
    """Records every task of this application that has `headers`. In a worker, and once; a task with a
    `Request` class of its own does not tell of a process that was lost and a task that goes back for it.

    Raises MissingDependency without Celery.
    """
    try:
        from celery import signals  # noqa: PLC0415  # the celery extra
        from celery.utils.imports import symbol_by_name  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("Celery tasks need: pip install 'hookvitals[celery]'") from exc
    listener = _Listener(app, recorder)
    for signal in (
        "task_received", "task_prerun", "task_success", "task_retry", "task_failure", "task_revoked",
        "worker_process_shutdown", "worker_shutdown",
    ):  # fmt: skip
        getattr(signals, signal).connect(getattr(listener, signal), weak=False)
    app.Task.Request = _telling(symbol_by_name(app.Task.Request), listener)


def watch(recorder: Recorder, redis: Any, queue: str = "celery") -> None:
    """Samples the depth of a queue of a Redis broker, and the age of its oldest event. redis: a client."""

    def sampled() -> List[Dict[str, Any]]:
        depth = int(redis.llen(queue))
        oldest = redis.lindex(queue, -1)  # Celery pushes on the left
        known = (json.loads(oldest).get("headers") or {}).get(CARRIED) if oldest else None
        return [sample(recorder, queue, depth, known.get("received_at_us") if known else None)]

    recorder.shipper.sample(sampled)


class _Listener:
    """Hears of the tasks of one application, in whichever process of the worker."""

    def __init__(self, app: Any, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder
        self._started_ns: Dict[str, int] = {}
        self._received: "OrderedDict[str, Dict[str, Any]]" = OrderedDict()

    def task_received(self, request: Any, **_: Any) -> None:
        """In the main process, which alone is left to tell when the one of the task was killed."""
        known = (getattr(request, "request_dict", None) or {}).get(CARRIED)
        if known is not None:
            self._received[request.id] = known
            if len(self._received) > _MOST_KNOWN:
                self._received.popitem(last=False)

    def task_prerun(self, task_id: str, **_: Any) -> None:
        self._started_ns[task_id] = time.perf_counter_ns()

    def task_success(self, sender: Any, **_: Any) -> None:
        self._tell("succeeded", sender, sender.request, None)

    def task_retry(self, sender: Any, request: Any, reason: Any, **_: Any) -> None:
        cause = getattr(reason, "exc", None) or reason
        self._tell("failed", sender, request, cause if isinstance(cause, BaseException) else None)

    def task_failure(self, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
        request = sender.request if sender.request.id == task_id else None
        self._tell("dead_lettered", sender, request, exception, task_id)

    def task_revoked(self, sender: Any, request: Any, expired: bool, **_: Any) -> None:
        from celery.exceptions import TaskRevokedError  # noqa: PLC0415

        why = TaskRevokedError("expired" if expired else "revoked")
        self._tell("dead_lettered", sender, request, why)

    def went_back(self, task: Any, request: Any, error: BaseException) -> None:
        """In the main process: the queue has the task again, for the one of the task was lost."""
        self._tell("failed", task, request, error)

    def worker_process_shutdown(self, **_: Any) -> None:
        self._recorder.shipper.flush()

    def worker_shutdown(self, **_: Any) -> None:
        self._recorder.shipper.flush()

    def _tell(
        self, outcome: str, task: Any, request: Any, error: Optional[BaseException], task_id: str = ""
    ) -> None:
        if getattr(task, "app", self._app) is not self._app:
            return
        task_id = getattr(request, "id", None) or task_id
        started_ns = self._started_ns.pop(task_id, None)
        process_ms = None if started_ns is None else (time.perf_counter_ns() - started_ns) / 1e6
        known = _known(request) or self._received.get(task_id)
        self._received.pop(task_id, None)
        attempt = int(getattr(request, "retries", None) or 0) + 1
        record(self._recorder, outcome, known, attempt, process_ms, error)


def _telling(base: Any, listener: _Listener) -> Any:
    """The class of requests, which are the main process's own view of a task, that tells the listener of a
    task that goes back to its queue: Celery has no signal for that, and this attribute of tasks for it."""
    from celery.app.task import Context  # noqa: PLC0415
    from celery.exceptions import Reject  # noqa: PLC0415

    class Request(base):  # type: ignore[misc]
        _why: Optional[BaseException] = None

        def on_failure(self, exc_info: Any, *given: Any, **named: Any) -> Any:
            self._why = getattr(exc_info.exception, "exc", exc_info.exception)
            return super().on_failure(exc_info, *given, **named)

        def reject(self, requeue: bool = False) -> None:
            super().reject(requeue=requeue)
            if requeue and self._why is not None and not isinstance(self._why, Reject):
                listener.went_back(self.task, Context(self.request_dict), self._why)

    return Request


def _known(request: Any) -> Any:
    """What the task carries: headers are attributes of a request that travelled, a dict of an eager one."""
    there = getattr(request, CARRIED, None)
    if there is None:
        there = (getattr(request, "headers", None) or {}).get(CARRIED)
    return there or (getattr(request, "request_dict", None) or {}).get(CARRIED)
