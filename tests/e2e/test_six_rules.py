"""Each of the six rules fires from its real cause, is told by mail and at Slack, and ends with its cause.

One monitor, one receiver, one plain and one TLS server: six things go wrong at once and are mended at once.
Only the windows are shorter than shipped, and they stand in the file.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Inboxes
from tests.e2e.processes import eventually, is_up, monitor, process
from tests.e2e.receiving import Receiving, receiving
from tests.monitor.probes.tls_server import tls_server
from tests.ports import free_port

RECORD = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(290)]

PLACES = {
    "error_rate": "payments",
    "slow_processing": "reports",
    "verification_failures": "billing",
    "queue_depth": "orders",
    "certificate_expiry": "secure",
    "endpoint_down": "shop",
}
"""Rule → the endpoint it looks at in this test."""


def config(directory: Path, inboxes: Inboxes, tls_port: int, shop_port: int) -> str:
    rules = "\n".join(
        f"""
[[rules]]
kind = "{kind}"
endpoint = "{endpoint}"
interval = "1s"
for = "0s"
keep_firing_for = "0s"
"""
        + {
            "error_rate": 'window = "1m"\nmin_sample = 5',
            "verification_failures": 'window = "1m"\nmin_sample = 5',
            "slow_processing": 'window = "1m"\nmin_sample = 5\nthreshold = 200',
            "queue_depth": "threshold = 5\nparams = { max_age_s = 0 }",
        }.get(kind, "")
        for kind, endpoint in PLACES.items()
    )
    return f"""
{inboxes.channels()}
[probes]
interval = "1s"
tls_interval = "1s"
ca_file = "{directory}/cert.pem"

[[endpoints]]
source = "standard"
name = "secure"
url = "https://127.0.0.1:{tls_port}/"

[[endpoints]]
source = "standard"
name = "shop"
url = "http://127.0.0.1:{shop_port}/"
insecure = true
{rules}
[[rules]]
kind = "failure_count"
enabled = false

[[rules]]
kind = "dead_letters"
enabled = false
"""


@contextmanager
def shop(directory: Path, port: int) -> Iterator[None]:
    """A web server in a process of its own."""
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with process(command, directory, {}, directory / "shop.log"):
        eventually("the shop", 20, lambda: is_up(f"http://127.0.0.1:{port}/"))
        yield


def goes_well(receiver: Receiving) -> None:
    """Signed traffic that the receiver handles."""
    for endpoint in ("payments", "reports", "billing"):
        for _ in range(6):
            assert receiver.sender.send(endpoint) == 200


def goes_badly(receiver: Receiving) -> None:
    """Traffic that meets each of the four troubles of a receiver twice."""
    for _ in range(2):
        assert receiver.sender.send("payments") == 500
        assert receiver.sender.send("reports") == 200
        assert receiver.sender.send("orders") == 200
        assert receiver.sender.send("billing", forged=True) == 401


def test_six_rules_fire_and_resolve_from_their_real_causes(tmp_path: Path, inboxes: Inboxes) -> None:
    tls_port, shop_port, now = free_port(), free_port(), datetime.now(UTC)
    (tmp_path / "hookvitals.toml").write_text(config(tmp_path, inboxes, tls_port, shop_port))
    with ExitStack() as running:
        serving = running.enter_context(ExitStack())
        serving.enter_context(tls_server(tmp_path, "127.0.0.1", now - timedelta(days=1), tls_port))
        first_shop = running.enter_context(ExitStack())
        first_shop.enter_context(shop(tmp_path, shop_port))
        started = running.enter_context(monitor(tmp_path, {"SLACK_URL": inboxes.slack_url}))
        receiver = running.enter_context(receiving(started))
        goes_well(receiver)

        # The causes: a database away, a slow one, forgers, a stuck worker, a stopped process; and the
        # certificate has expired.
        for endpoint, trouble in (("payments", "fail"), ("reports", "slow"), ("orders", "stuck")):
            receiver.begin(endpoint, trouble)
        first_shop.close()

        def told_of(rule: str) -> bool:
            # The causes last until the last of the six is told: a window that ran empty would end its alert.
            goes_badly(receiver)
            return inboxes.both_hold(f": {rule} at standard/{PLACES[rule]}")

        for rule in PLACES:
            eventually(rule, 130, lambda rule=rule: told_of(rule), every_s=2)  # type: ignore[misc]

        (slow,) = [mail for mail in inboxes.mail.messages if "slow_processing" in str(mail["Subject"])]
        assert RECORD.search(str(slow.get_body(("plain",)))), "no record to look at"

        # Everything is mended.
        for endpoint, trouble in (("payments", "fail"), ("reports", "slow"), ("orders", "stuck")):
            receiver.end(endpoint, trouble)
        serving.close()
        serving.enter_context(tls_server(tmp_path, "127.0.0.1", now + timedelta(days=365), tls_port))
        running.enter_context(shop(tmp_path, shop_port))

        def all_over() -> bool:
            goes_well(receiver)
            return all(
                inboxes.both_hold(f"Resolved: {rule} at standard/{endpoint}")
                for rule, endpoint in PLACES.items()
            )

        eventually("six ends", 150, all_over, every_s=5)
        assert told_once_each_way(inboxes) == []


def told_once_each_way(inboxes: Inboxes) -> list[str]:
    """What a channel was told more or less than once: each start and each end belong there exactly once."""
    wrong = []
    for titles in (inboxes.mail.subjects(), inboxes.slack.texts()):
        for rule, endpoint in PLACES.items():
            about = [title for title in titles if f": {rule} at standard/{endpoint}" in title]
            ends = [title for title in about if "Resolved:" in title]
            if (len(about), len(ends)) != (2, 1):
                wrong.append(f"{rule}: {about}")
    return wrong
