"""Confirming a subscription that a source offers: the address that its signed message names is asked once.

In a thread of its own, for no sender waits for us to ask somebody else; only the provider's own hosts, at
public addresses, over HTTPS.
"""

import logging
import threading
from typing import Callable, Optional, Union

log = logging.getLogger("hookvitals")

Ask = Callable[[str], object]
SUBSCRIBE_URL = (
    r"https://sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?/\?Action=ConfirmSubscription&[!-\"$-~]{1,2048}"
)
_AT_ONCE = 4


class Subscriptions:
    """confirm: whether; or a function of the address that asks it our own way, through a proxy, say."""

    def __init__(self, confirm: Union[bool, Ask]) -> None:
        self._ask: Optional[Ask] = confirm if callable(confirm) else _fetch() if confirm else None
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    def offered(self, url: str) -> None:
        """Confirms one, or says that somebody has to. url: of a message whose signature held."""
        if self._ask is None:
            log.warning(
                "hookvitals: a subscription waits to be confirmed; confirm_subscriptions=True does that"
            )
        elif not self._free.acquire(blocking=False):
            log.warning("hookvitals: a subscription is not confirmed: %d others are", _AT_ONCE)
        else:
            try:
                threading.Thread(
                    target=self._confirm, args=(self._ask, url), name="hookvitals-subscribe", daemon=True
                ).start()
            except RuntimeError:  # no thread can be started
                self._free.release()
                log.warning("hookvitals: a subscription is not confirmed: no thread")

    def _confirm(self, ask: Ask, url: str) -> None:
        try:
            ask(url)
            log.info("hookvitals: a subscription was confirmed")
        except Exception as exc:  # may be somebody's function; and its text may name the URL, which confirms
            log.warning("hookvitals: a subscription could not be confirmed: %s", type(exc).__name__)
        finally:
            self._free.release()


def _fetch() -> Ask:
    from hookvitals.key_fetch import HttpsFetch  # noqa: PLC0415  # sockets, for the few who confirm

    return HttpsFetch(SUBSCRIBE_URL)
