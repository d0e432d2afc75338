"""The process in which Apprise sends one message: it reads what to send from stdin, and writes how it went.

It may connect to what egress permits, over IP, and to nothing else; it starts no program and follows no
redirect. The answer is one JSON object without any text of Apprise's: whether it was taken, else why not.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from ipaddress import ip_address
from typing import Any

import apprise
from requests import sessions

from alerts.egress import Egress

CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
STARTING = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "syslog.syslog"}
)
ERROR_CODE = re.compile(r"\berror=(\d{3})\b")


class Guard:
    """An audit hook: Python calls it before each connection and each program that is started."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self.refused = ""
        self.local = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in STARTING:
            self._leaves_by_something_else()
        if event in CONNECTING and args[1] is not None:  # without one the socket was connected before
            self._judge(args[1])

    def _judge(self, address: object) -> None:
        host = address[0] if isinstance(address, tuple) and address else ""
        try:
            ip = str(ip_address(host))
        except ValueError:  # a path, or a name that would be looked up behind our back
            self._leaves_by_something_else()
        else:
            if not self._egress.permits(ip):
                self.refused = ip
                raise PermissionError("egress.allow does not list the address")

    def _leaves_by_something_else(self) -> None:
        self.local = True
        raise PermissionError("only connections over IP leave this process")


class StatusCodes(logging.Handler):
    """Keeps the last HTTP status that Apprise complains of, and nothing else it says."""

    status: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if found := ERROR_CODE.search(record.getMessage()):
            self.status = int(found[1])


def send(asked: dict[str, Any]) -> dict[str, Any]:
    """How the one message went."""
    sessions.DEFAULT_REDIRECT_LIMIT = 0  # a redirect would turn the message into a GET
    codes, guard = StatusCodes(), Guard(Egress(asked["allow"]))
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [codes], False
    logger.setLevel(logging.WARNING)
    box = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False, app_id="Hookvitals"))
    known = bool(box.add(asked["url"]))
    sys.addaudithook(guard)
    taken = known and bool(
        box.notify(
            title=asked["title"],
            body=asked["body"],
            notify_type=asked["kind"],
            body_format=apprise.NotifyFormat.TEXT,
        )
    )
    return {
        "taken": taken,
        "known": known,
        "refused": guard.refused,
        "local": guard.local,
        "status": codes.status,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(send(json.load(sys.stdin))))
