"""A receiver for the end-to-end tests: a Flask application with one SDK receiver a path, its own process.

`python receiver_app.py <port>`; everything else comes by environment. While a file `<endpoint>-<trouble>`
lies in $TROUBLE, the endpoint's handler fails, is slow (300 ms), or is stuck until the file is gone.
"""

import logging
import os
import sys
import time
from pathlib import Path

from flask import Flask
from waitress import serve

from hookvitals import Event, Receiver, RetryPolicy, Shipper
from hookvitals.integrations.flask import mount

TROUBLE = Path(os.environ["TROUBLE"])


class LedgerUnavailable(Exception):
    """The database behind the receiver does not answer."""


class Work:
    """What one endpoint does with an event."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def __call__(self, event: Event) -> None:
        while self._is("stuck"):
            time.sleep(0.05)
        if self._is("slow"):
            time.sleep(0.3)
        if self._is("fail"):
            raise LedgerUnavailable("no answer from the ledger")

    def _is(self, trouble: str) -> bool:
        return (TROUBLE / f"{self._endpoint}-{trouble}").exists()


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    shipper = Shipper(os.environ["COLLECTOR"], os.environ["KEY"], batch_delay_s=0.2, sample_every_s=1.0)
    app = Flask("receiver")
    receivers = []
    for endpoint, queued in (("payments", False), ("billing", True), ("orders", True), ("reports", False)):
        receiver = Receiver(
            "standard",
            endpoint=endpoint,
            secrets=[os.environ["SECRET"]],
            shipper=shipper,
            state_path=os.environ["STATE"] + endpoint,
            inbox=queued,
            profile={"rate_per_minute": None},
            replay_secret=os.environ["REPLAY_SECRET"],
            retry=RetryPolicy(first_s=0.05),
            breaker=None,  # what fails is to go on failing: the monitor is watched here
        )
        receiver.on("*")(Work(endpoint))
        mount(receiver, app, f"/{endpoint}")
        receivers.append(receiver)
    app.add_url_rule("/alive", "alive", lambda: "yes")
    try:
        serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8)
    finally:
        for receiver in receivers:
            receiver.close()
        shipper.close()


if __name__ == "__main__":
    main()
