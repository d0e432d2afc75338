"""The certificate probe against real TLS servers on loopback."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.egress import Egress
from monitor.clock import SystemClock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget
from monitor.probes.tls import probe_tls
from tests.alerts.support import LOOPBACK, Service, serving
from tests.monitor.probes.tls_server import tls_server
from tests.ports import free_port

NAME = "hooks.example"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
PAST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


def probe(port: int, *, host: str = NAME, ca_file: Path | None = None) -> ProbeResult:
    egress = Egress(LOOPBACK, resolve=lambda name, port: ["127.0.0.1"])
    target = ProbeTarget("production", "stripe", "payments", f"https://{host}:{port}/hook")
    return probe_tls(target, egress, SystemClock(), 5, ca_file=str(ca_file) if ca_file else None)


def test_trusted_certificate_is_ok_and_gives_its_last_day(tmp_path: Path) -> None:
    with tls_server(tmp_path, NAME, SOON) as server:
        found = probe(server.port, ca_file=server.cert_file)
    assert (found.ok, found.error, found.cert_not_after, found.kind) == (True, None, SOON, ProbeKind.TLS)
    assert found.cert_subject == "CN=hooks.example"


def test_expired_certificate_fails_and_still_gives_its_last_day(tmp_path: Path) -> None:
    with tls_server(tmp_path, NAME, PAST) as server:
        found = probe(server.port, ca_file=server.cert_file)
    assert (found.ok, found.cert_not_after) == (False, PAST)
    assert found.error == f"it expired on {PAST:%Y-%m-%d}"


def test_self_signed_certificate_fails_and_still_gives_its_last_day(tmp_path: Path) -> None:
    with tls_server(tmp_path, NAME, SOON) as server:
        found = probe(server.port)
    assert (found.ok, found.cert_not_after) == (False, SOON)
    assert found.error is not None
    assert "self-signed" in found.error


def test_certificate_for_another_name_fails(tmp_path: Path) -> None:
    with tls_server(tmp_path, "other.example", SOON) as server:
        found = probe(server.port, ca_file=server.cert_file)
    assert (found.ok, found.cert_not_after) == (False, SOON)
    assert found.error is not None
    assert "it is for other.example, not for hooks.example" in found.error


def test_server_without_tls_fails_without_a_date() -> None:
    with serving(Service()) as server:
        found = probe(server.port)
    assert (found.ok, found.cert_not_after) == (False, None)
    assert found.error is not None
    assert found.error.startswith("TLS handshake failed")


def test_closed_port_fails_without_a_date() -> None:
    port = free_port()
    found = probe(port)
    assert (found.ok, found.cert_not_after) == (False, None)
    assert "could not connect" in (found.error or "")


def test_private_address_is_not_dialled_unless_allowed(tmp_path: Path) -> None:
    with tls_server(tmp_path, NAME, SOON) as server:
        target = ProbeTarget("production", "stripe", "payments", f"https://127.0.0.1:{server.port}/")
        found = probe_tls(target, Egress(), SystemClock(), 5)
    assert not found.ok
    assert "egress.allow" in (found.error or "")
