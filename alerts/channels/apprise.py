"""Any service that Apprise knows: ntfy, Telegram, Teams, Matrix, Pushover and a hundred more, by a URL.

Apprise dials by itself and writes URLs into its log, so each message is sent by a process of its own
(`apprise_process`): there every address is judged before it is dialled, nothing it logs leaves it, and it is
ended when its time is over. Apprise itself is an extra, imported nowhere else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from alerts.channels.answers import refusal
from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure, SettingInvalid
from alerts.message import Message
from alerts.wording import number

TIMEOUT_S = 30.0
PROCESS = "alerts.channels.apprise_process"
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(Path(__file__).parents[2])}
"""All that the process gets: no proxy, and no secret of ours."""
KINDS = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}


class Apprise:
    """One Apprise URL, which is a secret. allow: as egress.allow."""

    gathers = True

    def __init__(self, name: str, url: str, allow: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> None:
        if importlib.util.find_spec("apprise") is None:
            raise SettingInvalid(
                f"channel {name}: Apprise is not installed",
                hint="install it with: pip install 'hookvitals-server[apprise]'",
            )
        self.name = name
        self._url = url
        self._allow = list(allow)
        self._timeout_s = timeout_s

    def send(self, message: Message) -> Receipt:
        """Hands the message to Apprise. Raises ChannelError; what Apprise does not explain is tried again."""
        asked = {
            "url": self._url,
            "allow": self._allow,
            "title": message.title,
            "body": rendered(message),
            "kind": "success" if message.resolved else KINDS[message.severity.value],
        }
        said = self._run(json.dumps(asked))
        if said.get("taken") is True:
            return Receipt()
        raise self._failure(said)

    def _run(self, asked: str) -> dict[str, Any]:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", PROCESS],
                input=asked.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=ENVIRONMENT,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._error(Failure.TIMEOUT, f"Apprise took longer than {self._timeout_s:g} s") from None
        except OSError as exc:
            raise self._error(Failure.UNEXPECTED, f"Apprise did not start ({exc.strerror})") from None
        try:
            said = json.loads(done.stdout)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise self._error(Failure.UNEXPECTED, f"Apprise ended with status {done.returncode}")
        return said

    def _failure(self, said: dict[str, Any]) -> ChannelError:
        if refused := said.get("refused"):
            return self._error(
                Failure.REFUSED_ADDRESS,
                f"{refused} is not a public address",
                retryable=False,
                hint=f'if this is meant, add "{ip_network(refused)}" or its range to egress.allow in '
                "hookvitals.toml",
            )
        if said.get("local"):
            return self._error(
                Failure.REFUSED_ADDRESS, "Apprise would leave by something else than IP", retryable=False
            )
        if said.get("known") is False:
            return self._error(
                Failure.BAD_URL,
                "Apprise does not know such a URL",
                retryable=False,
                hint="look at the URL's form in Apprise's documentation",
            )
        status = said.get("status")
        if isinstance(status, int):
            return refusal(self.name, status)
        return self._error(Failure.CONNECT, "Apprise could not deliver the message")

    def _error(self, reason: Failure, said: str, *, retryable: bool = True, hint: str = "") -> ChannelError:
        return ChannelError(reason, f"channel {self.name}: {said}", retryable=retryable, hint=hint)


def rendered(message: Message) -> str:
    """The message as plain text. Services shorten or split it as they must."""
    lines = [message.summary, ""]
    lines += [f"{label}: {text}" for label, text in message.facts]
    lines += [f"{item.name}: {number(item.count)}" for item in message.top_errors]
    lines += ["", f"Alert: {message.url}"]
    lines += [f"Record: {item.url}" for item in message.exemplars[:2]]
    links = (("Acknowledge", message.acknowledge_url), ("Silence", message.silence_url))
    lines += [f"{label}: {url}" for label, url in links if url]
    lines += [f"Runbook: {message.runbook}"] if message.runbook else []
    return "\n".join(lines)
