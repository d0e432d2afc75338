"""The work of the demo's receiver: each event is booked in the ledger, or its handler fails."""

from collections.abc import Callable

import requests

from hookvitals import Event

LEDGER_PATIENCE_S = 5.0


class LedgerUnavailable(RuntimeError):
    """The ledger did not book the event."""


def booking(ledger: str) -> Callable[[Event], None]:
    """A handler for every type of event."""

    def book(event: Event) -> None:
        data = event.data.get("event_data") or event.data["data"]
        slow = "?slow" if data["slow"] else ""
        try:
            answer = requests.post(f"{ledger}/book{slow}", event.body, timeout=LEDGER_PATIENCE_S)
        except requests.RequestException as exc:
            raise LedgerUnavailable("the ledger does not answer") from exc
        if answer.status_code >= 400:
            raise LedgerUnavailable(f"the ledger answered {answer.status_code}")

    return book
