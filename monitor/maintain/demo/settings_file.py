"""The hookvitals.toml that the demo runs with, written where the user can read and change it.

Only the demo's shorter windows differ from the shipped rules; the code knows nothing of them.
"""

from dataclasses import dataclass
from pathlib import Path

FILE = "hookvitals.toml"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything of one demo listens and lies. endpoints: (source, endpoint name, path)."""

    directory: Path
    collector_port: int
    dashboard_port: int
    receiver_url: str
    smtp_port: int
    endpoints: tuple[tuple[str, str, str], ...]


def file_text(places: Places) -> str:
    """The whole file."""
    return HEAD.format(
        data_dir=places.directory / "data",
        collector_port=places.collector_port,
        dashboard_port=places.dashboard_port,
        slack_file=places.directory / "slack_url",
        smtp_port=places.smtp_port,
    ) + "".join(
        ENDPOINT.format(
            source=source,
            name=name,
            url=places.receiver_url + path,
            probe_url=f"{places.receiver_url}/healthz",
            secret_file=places.directory / "replay_secret",
        )
        for source, name, path in places.endpoints
    )


HEAD = """\
# What `hookvitals demo` runs with. Real settings look the same; only the windows are short here, so that an
# alert fires and resolves while you watch.

[process]
data_dir = "{data_dir}"
collector_port = {collector_port}
dashboard_port = {dashboard_port}

[egress]
allow = ["127.0.0.0/8"]    # the receiver and the catcher are on this machine

[evaluation]
interval = "5s"            # shipped: each minute

[[rules]]
kind = "error_rate"        # more than 5 % of the attempts failed
window = "2m"              # shipped: 15m
for = "10s"                # shipped: 1m
keep_firing_for = "10s"    # shipped: 2m
min_sample = 10            # shipped: 20

[[rules]]
kind = "failure_count"     # more than 10 failures: critical
window = "2m"              # shipped: 5m
keep_firing_for = "10s"

[[rules]]
kind = "wrong_status"      # answers that a provider does not take for "received"
window = "2m"
for = "10s"
keep_firing_for = "10s"

[[rules]]
kind = "slow_processing"   # the slowest 5 % took longer than this
window = "2m"
for = "10s"
keep_firing_for = "10s"
threshold = 1000           # ms; shipped: 5000

[[rules]]
kind = "verification_failures"
window = "2m"
for = "10s"
keep_firing_for = "10s"
threshold = 0.2            # the demo forges one request in twenty all the time; shipped: 0.05
params = {{ burst = 0 }}     # and all from this machine; shipped: 100 from one address

[[rules]]
kind = "dead_letters"
window = "2m"

[[channels]]
kind = "slack"
name = "team"
url = {{ file = "{slack_file}" }}

[[channels]]
kind = "email"
name = "mailbox"
host = "127.0.0.1"
port = {smtp_port}
security = "none"
sender = "hookvitals@example.com"
recipients = ["oncall@example.com"]

[[routes]]
channels = ["team", "mailbox"]

[probes]
interval = "15s"

[report]
channel = "mailbox"
"""

ENDPOINT = """
[[endpoints]]
source = "{source}"
name = "{name}"
url = "{url}"
insecure = true            # http:// on loopback
probe_url = "{probe_url}"
replay_secret = {{ file = "{secret_file}" }}
"""
