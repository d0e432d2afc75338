"""`hookvitals demo`, put together: the monitor as `up` runs it, a receiver, providers, a catcher of alerts.

All of it listens on loopback and lies in one directory. It ends when told to, and says what came of it.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

from alerts.egress import Egress
from alerts.errors import RequestFailed
from alerts.http import Client
from monitor.clock import Clock
from monitor.config import bare_environment
from monitor.dead_letters import LetterFilter, LetterState
from monitor.errors import Unavailable
from monitor.maintain.demo.catcher import Catcher, Caught
from monitor.maintain.demo.ledger import Ledger
from monitor.maintain.demo.sender import Sender
from monitor.maintain.demo.settings_file import FILE
from monitor.maintain.demo.signing import signs_with_library
from monitor.maintain.demo.stage import Stage, set_stage
from monitor.maintain.demo.story import Promise, Story, is_failing
from monitor.store.control import Control
from monitor.supervisor.commands import commands
from monitor.supervisor.first_start import ADMIN, FirstWords, prepare
from monitor.supervisor.processes import Command, Supervisor
from monitor.wiring.addresses import collector_url, public_url
from monitor.wiring.stores import control_url

READY_WITHIN_S = 90.0
TICK_S = 0.25
REPORT_EVERY_S = 30.0
LOG = "demo.log"
RECEIVER_FILE = "receiver.json"

Say = Callable[[str], None]


def run(
    directory: Path, say: Say, stop: threading.Event, clock: Clock, for_s: float | None = None
) -> list[Promise]:
    """Runs until `stop` is set, or for at most `for_s` seconds of traffic: until all that is promised by then
    has happened. What was promised, and when it happened.

    Raises ConfigError for a directory that cannot be used, Unavailable when a process does not start.
    """
    story, began = Story(), _Began(clock)

    def caught(message: Caught) -> None:
        story.caught(message, began.elapsed_s())
        say(f"{began}  {message.by} got: {message.title.splitlines()[0]}")

    with Catcher(caught) as catcher, Ledger() as ledger:
        stage = set_stage(directory.resolve(), catcher)
        made = prepare(stage.loaded, clock)
        with _processes(stage, made, ledger, clock):
            _await_ready(stage, stop, clock)
            for line in _introduction(stage, made):
                say(line)
            with Sender(stage.receiver_url, stage.routes, clock, SystemRandom()) as sender:
                began.now()
                _watch(ledger, sender, began, say, lambda: stop.is_set() or story.is_shown(for_s), for_s)
        waiting = _dead_letters(stage, clock)
    for line in _ending(story, waiting):
        say(line)
    return story.promises()


class _Began:
    """When the traffic began, and how long ago that is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at_s: float | None = None

    def now(self) -> None:
        self._at_s = self._clock.monotonic()

    def elapsed_s(self) -> float:
        return 0.0 if self._at_s is None else self._clock.monotonic() - self._at_s

    def __str__(self) -> str:
        minutes, seconds = divmod(int(self.elapsed_s()), 60)
        return f"{minutes:d}:{seconds:02d}"


@contextmanager
def _processes(stage: Stage, made: FirstWords, ledger: Ledger, clock: Clock) -> Iterator[None]:
    """The monitor and the receiver as child processes, until the block ends."""
    assert made.token is not None, "the directory is new, so its first key was made"
    file = stage.directory / RECEIVER_FILE
    stage.receiver_settings(collector_url(stage.loaded.settings), made.token, ledger.url).write(file)
    module = "monitor.maintain.demo.receiver"
    receiver = Command("receiver", [sys.executable, "-m", module, str(file), str(os.getpid())])
    with (stage.directory / LOG).open("wb") as log:
        environ = bare_environment(stage.directory / FILE)
        supervisor = Supervisor([*commands(), receiver], environ, clock, output=log)
        thread = threading.Thread(target=supervisor.run, name="demo-supervisor")
        thread.start()
        try:
            yield
        finally:
            supervisor.request_stop()
            thread.join()


def _await_ready(stage: Stage, stop: threading.Event, clock: Clock) -> None:
    client = Client(Egress(stage.loaded.document.egress.allow))
    settings = stage.loaded.settings
    waited_for = {
        "collector": f"{collector_url(settings)}/readyz",
        "dashboard": f"{public_url(settings)}/healthz",
        "receiver": f"{stage.receiver_url}/healthz",
    }
    deadline_s = clock.monotonic() + READY_WITHIN_S
    while waited_for and not stop.is_set():
        waited_for = {name: url for name, url in waited_for.items() if not _answers(client, url)}
        if waited_for and clock.monotonic() > deadline_s:
            raise Unavailable(f"{', '.join(waited_for)} did not start", f"see {stage.directory / LOG}")
        stop.wait(TICK_S)


def _answers(client: Client, url: str) -> bool:
    try:
        return client.request("GET", url, timeout_s=2.0).status == 200
    except RequestFailed:
        return False


def _watch(
    ledger: Ledger,
    sender: Sender,
    began: _Began,
    say: Say,
    is_over: Callable[[], bool],
    for_s: float | None,
) -> None:
    """Breaks and mends the ledger, and says how the traffic goes, until the end."""
    reported_s, pause = 0.0, threading.Event()
    while not is_over():
        pause.wait(TICK_S)
        elapsed_s = began.elapsed_s()
        if for_s is not None and elapsed_s >= for_s:
            return
        failing = is_failing(elapsed_s)
        if failing != ledger.broken.is_set():
            (ledger.broken.set if failing else ledger.broken.clear)()
            what = "breaks: events fail from now on" if failing else "is mended: events succeed again"
            say(f"{began}  the ledger behind the receiver {what}")
        if elapsed_s - reported_s >= REPORT_EVERY_S:
            reported_s = elapsed_s
            answers = ", ".join(
                f"{count} × {status}" for status, count in sorted(sender.answers.items(), key=str)
            )
            say(f"{began}  requests answered so far: {answers}")


def _introduction(stage: Stage, made: FirstWords) -> list[str]:
    signed = "the standardwebhooks library" if signs_with_library() else "the demo's own lines"
    return [
        "",
        f"dashboard  {public_url(stage.loaded.settings)}",
        f"log in as  {ADMIN}",
        f"password   {made.password}   (shown this once)",
        "",
        f"settings   {stage.directory / FILE}",
        f"log        {stage.directory / LOG}",
        f"webhooks   {stage.receiver_url}, Standard Webhooks signed by {signed}",
        "",
        "Traffic begins. Soon the receiver fails for a while: watch an alert arrive here, and resolve.",
        "Ctrl-C ends the demo.",
        "",
    ]


def _dead_letters(stage: Stage, clock: Clock) -> int:
    control = Control.open(control_url(stage.loaded.settings), clock)
    try:
        return control.letters.counts(LetterFilter())[LetterState.OPEN]
    finally:
        control.close()


def _ending(story: Story, waiting: int) -> list[str]:
    said = ["", *(_sentence(promise) for promise in story.promises())]
    return [*said, f"{waiting} dead letters wait to be replayed"]


def _sentence(promise: Promise) -> str:
    if promise.kept_at_s is None:
        return f"not yet seen: {promise.what} (promised within {promise.within_s:.0f} s)"
    return f"after {promise.kept_at_s:.0f} s: {promise.what} (promised within {promise.within_s:.0f} s)"
