"""The sign of life: after a completed evaluation a URL is asked, so that somebody watches the watcher.

The evaluation only leaves a mark; the asking is a job of its own, so a slow or broken URL delays nothing. The
URL is a secret and stands in no error.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from alerts.errors import RequestFailed
from alerts.http import Client
from monitor.errors import Unavailable

EVERY_S = 60.0
TIMEOUT_S = 10.0


@dataclass(slots=True)
class Heartbeat:
    """The job. url: empty where none is wanted; asked for each time, since the configuration may change."""

    url: Callable[[], str]
    client: Callable[[], Client]
    monotonic: Callable[[], float]
    _is_alive: bool = field(default=False, init=False)
    _asked_s: float | None = field(default=None, init=False)

    def after(self, evaluate: Callable[[int], str]) -> Callable[[int], str]:
        """The evaluation, which leaves its mark when it comes to an end and none when it fails."""

        def run(epoch: int) -> str:
            said = evaluate(epoch)
            self._is_alive = True
            return said

        return run

    def run(self, epoch: int) -> str:
        """Asks the URL, once a minute at most, if an evaluation was completed since. Raises Unavailable."""
        now_s = self.monotonic()
        if not self._is_alive or (self._asked_s is not None and now_s - self._asked_s < EVERY_S):
            return ""
        url = self.url()
        if not url:
            return ""
        self._is_alive, self._asked_s = False, now_s
        try:
            answer = self.client().request("GET", url, timeout_s=TIMEOUT_S)
        except RequestFailed as failed:
            raise Unavailable(f"the sign of life was not taken: {failed.message}", failed.hint) from None
        if not 200 <= answer.status < 300:
            raise Unavailable(
                f"the sign of life was answered HTTP {answer.status}", "look at the URL of [heartbeat]"
            )
        return ""
