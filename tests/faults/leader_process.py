"""A worker that judges and notifies once, in a process that stops at a step of the test's choice.

`python -m tests.faults.leader_process`. A step comes before whatever another process could notice or change:
each SQL statement, each commit, each message that a channel is handed; and after the service took it. It
reads one task a line as JSON, forks for each, and answers how that ended; the product's own code runs
unchanged, and the signal is a real one.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, event

from alerts.channels.channel import Channel, Receipt
from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.smtp import Mailer
from alerts.egress import Egress
from alerts.http import Client
from alerts.message import Links, Message
from alerts.model import Route, Target
from alerts.rules import make
from monitor.errors import HookvitalsError
from monitor.store.control import Control
from monitor.worker.delivery import Delivery
from monitor.worker.evaluation import Evaluation
from tests.alerts.world import attempts
from tests.monitor.clocks import FakeClock

RULES = [make("error_rate", for_=timedelta(0), keep_firing_for=timedelta(0), min_sample=1)]
PLACES = [Target("production", "stripe", "payments"), Target("production", "stripe", "refunds")]
WORLD = attempts(succeeded=50, failed=50)
ROUTES = [Route(("chat", "mail"))]


@dataclass
class Steps:
    """What is about to happen at each step; at one of them this process is stopped."""

    freeze_at: int | None
    passed: list[str] = field(default_factory=list)

    def step(self, what: str) -> None:
        if len(self.passed) == self.freeze_at:
            os.kill(os.getpid(), signal.SIGSTOP)
        self.passed.append(what)

    def watch(self, control: Control) -> None:
        def statement(_tx: Connection, _cursor: object, sql: str, *_: object) -> None:
            self.step("claim" if "SET claimed_until_us" in sql else sql.split()[0])

        event.listen(control.engine, "before_cursor_execute", statement)
        event.listen(control.engine, "commit", lambda _tx: self.step("commit"))


class Watched:
    """A channel, with a step before it is asked and one after the service took the message."""

    gathers = True

    def __init__(self, channel: Channel, steps: Steps) -> None:
        self.name = channel.name
        self._channel = channel
        self._steps = steps

    def send(self, message: Message) -> Receipt:
        self._steps.step("send")
        receipt = self._channel.send(message)
        self._steps.step("sent")
        return receipt


def work(task: Mapping[str, Any]) -> list[str]:
    """The rules judged, then what is due delivered. The steps that took."""
    clock = FakeClock(datetime.fromisoformat(task["now"]))
    control = Control.open(task["url"], clock)
    steps = Steps(task["freeze_at"])
    steps.watch(control)
    egress = Egress(["127.0.0.0/8"])
    mailer = Mailer("mail", "127.0.0.1", egress, port=task["mail_port"], security="none")
    made: list[Channel] = [
        Slack("chat", task["slack"], Client(egress)),
        Email("mail", mailer, "hookvitals@example.com", ["oncall@example.com"]),
    ]
    channels = {one.name: Watched(one, steps) for one in made}
    delivery = Delivery(
        control.notifications, lambda: channels, Links("https://hooks.example.com"), clock.now, lambda: 0.5
    )
    WORLD.heartbeat_at, WORLD.places = clock.now(), PLACES
    Evaluation(lambda _: WORLD, lambda: RULES, lambda: ROUTES, control.book, clock.now).run(task["epoch"])
    steps.step("judged")
    delivery.run(task["epoch"])
    control.close()
    return steps.passed


def forked(task: Mapping[str, Any]) -> dict[str, Any]:
    """How the task ended in a child: its steps, what it refused, or that it was stopped."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer: dict[str, Any] = {"steps": work(task)}
        except HookvitalsError as exc:
            answer = {"refused": type(exc).__name__}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    return {"pid": child, "pipe": reading, **ended(child, reading)}


def ended(child: int, reading: int) -> dict[str, Any]:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": True}
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    assert os.WIFEXITED(status), status
    answer: dict[str, Any] = json.loads(said)
    return answer


def main() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        if "thaw" in task:
            os.kill(task["thaw"], signal.SIGCONT)
            answer = ended(task["thaw"], task["pipe"])
        else:
            answer = forked(task)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
