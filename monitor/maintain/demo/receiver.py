"""The demo's receiver: a Flask application like anybody's, with the SDK's lines in it, in its own process.

`python -m monitor.maintain.demo.receiver FILE PID` reads where it listens and what it may know from FILE. It
knows nothing of the monitor but the collector's address and an ingest key. It ends when its parent PID does.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import waitress
from flask import Flask

from hookvitals import Receiver, Shipper
from hookvitals.integrations.flask import mount
from monitor.maintain.demo.booking import booking
from monitor.supervisor.orphan import end_with_parent

THREADS = 8


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """What the process is told. secrets: per source; for Orum its public key."""

    port: int
    directory: str
    collector: str
    key: str
    ledger: str
    secrets: dict[str, str]
    replay_secret: str

    def write(self, file: Path) -> None:
        """For its owner alone: it holds secrets."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)), "utf-8")


ENDPOINTS = (
    ("acme", "orders", "/webhooks/acme"),
    ("hopnow", "payments", "/webhooks/hopnow"),
    ("orum", "transfers", "/webhooks/orum"),
)
"""(source, endpoint, path)."""


def application(settings: ReceiverSettings) -> tuple[Flask, list[Receiver]]:
    """The application and its receivers, started."""
    app = Flask("demo")
    shipper = Shipper(settings.collector, settings.key, batch_delay_s=0.5, sample_every_s=5.0)
    receivers = [_receiver(source, endpoint, settings, shipper) for source, endpoint, _ in ENDPOINTS]
    for receiver, (_, _, path) in zip(receivers, ENDPOINTS, strict=True):
        receiver.on("*")(booking(settings.ledger))
        mount(receiver, app, path)
    app.add_url_rule("/healthz", "healthz", lambda: "ok")
    return app, receivers


def _receiver(source: str, endpoint: str, settings: ReceiverSettings, shipper: Shipper) -> Receiver:
    """Acme and Orum are acknowledged first and worked from a durable inbox; HopNow is answered after the
    work, so its failures reach the sender, who delivers again."""
    ordered = {"resource_path": "data.id", "version_path": "data.updated_at"}
    return Receiver(
        source,
        endpoint=endpoint,
        system="standard" if source == "acme" else None,
        secrets=[settings.secrets[source]],
        shipper=shipper,
        state_path=str(Path(settings.directory) / f"receiver-{source}.db"),
        inbox=source != "hopnow",
        profile=ordered if source == "acme" else None,
        allow_from=[],  # the traffic comes from this machine, not from the provider's addresses
        replay_secret=settings.replay_secret,
        breaker=None,  # the outage is to be seen: a breaker would hide most of it in a queue
    )


def main(file: str, parent: str) -> None:
    end_with_parent(int(parent))
    settings = ReceiverSettings(**json.loads(Path(file).read_text("utf-8")))
    app, receivers = application(settings)
    try:
        waitress.serve(app, host="127.0.0.1", port=settings.port, threads=THREADS)
    finally:
        for receiver in receivers:
            receiver.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
