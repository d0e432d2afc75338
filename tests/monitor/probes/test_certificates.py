"""A matrix of certificates, each shown by a real server, and the one right verdict of each with its sentence.
What an authority has revoked is not looked at."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from alerts.egress import Egress
from monitor.clock import SystemClock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget
from monitor.probes.tls import probe_tls
from tests.alerts.support import LOOPBACK
from tests.monitor.probes.authority import DAY, NOW, Issued, issue, issued_with_sha1, showing

NAME = "hooks.acme.example"
ROOT = issue("Root of the tests", ca=True, ends=NOW + 900 * DAY)
FOREIGN = issue("Root of nobody", ca=True, ends=NOW + 900 * DAY)
MIDDLE = issue("Issuing of the tests", ROOT, ca=True, ends=NOW + 400 * DAY)
OLD_MIDDLE = issue("Issuing of old", ROOT, ca=True, ends=NOW - 2 * DAY)
FOREIGN_MIDDLE = issue("Issuing of nobody", FOREIGN, ca=True)


@dataclass(frozen=True)
class Case:
    """chain: what the server shows. said: the sentence; None where the certificate is good."""

    chain: Callable[[Path], Sequence[Issued]]
    said: str | None = None
    host: str = NAME
    old_protocol: bool = False


DATED = f"{NOW - 3 * DAY:%Y-%m-%d}"
MATRIX = {
    "valid": Case(lambda _: [issue(NAME, MIDDLE), MIDDLE]),
    "valid, of the root itself": Case(lambda _: [issue(NAME, ROOT)]),
    "valid, RSA": Case(lambda _: [issue(NAME, ROOT, key=rsa.generate_private_key(65537, 2048))]),
    "valid, P-384": Case(lambda _: [issue(NAME, ROOT, key=ec.generate_private_key(ec.SECP384R1()))]),
    "root sent as well": Case(lambda _: [issue(NAME, MIDDLE), MIDDLE, ROOT]),
    "wildcard": Case(lambda _: [issue(NAME, ROOT, sans=["*.acme.example", "other.test"])]),
    "wildcard two levels up": Case(
        lambda _: [issue("*.acme.example", ROOT)],
        r"it is for \*\.acme\.example, not for eu\.hooks\.acme\.example",
        "eu." + NAME,
    ),
    "address": Case(lambda _: [issue("x", ROOT, sans=["127.0.0.1"])], host="127.0.0.1"),
    "address as a name": Case(
        lambda _: [issue(NAME, ROOT)], r"it is for hooks\.acme\.example, not for 127\.0\.0\.1", "127.0.0.1"
    ),
    "wrong name": Case(
        lambda _: [issue("shop.example", ROOT, sans=["shop.example", "a.b", "c.d", "e.f", "g.h"])],
        r"it is for shop\.example, a\.b, c\.d, e\.f and 1 more, not for hooks\.acme\.example",
    ),
    "no subjectAltName": Case(
        lambda _: [issue(NAME, ROOT, sans=())], r"it names no host \(no subjectAltName\)"
    ),
    "expired": Case(lambda _: [issue(NAME, ROOT, ends=NOW - 3 * DAY)], f"it expired on {DATED}$"),
    "not yet valid": Case(
        lambda _: [issue(NAME, ROOT, starts=NOW + 5 * DAY)], f"not valid before {NOW + 5 * DAY:%Y-%m-%d}$"
    ),
    "self-signed": Case(lambda _: [issue(NAME)], "it is self-signed: no sender trusts it"),
    "untrusted root, sent": Case(
        lambda _: [issue(NAME, FOREIGN), FOREIGN], "its authority CN=Root of nobody is not one that senders"
    ),
    "untrusted root, not sent": Case(
        lambda _: [issue(NAME, FOREIGN_MIDDLE), FOREIGN_MIDDLE], "its authority CN=Root of nobody is not one"
    ),
    "missing intermediate": Case(
        lambda _: [issue(NAME, MIDDLE)],
        "does not send the certificate of its issuer CN=Issuing of the tests: load the whole chain",
    ),
    "expired intermediate": Case(
        lambda _: [issue(NAME, OLD_MIDDLE), OLD_MIDDLE],
        f"CN=Issuing of old in its chain expired on {NOW - 2 * DAY:%Y-%m-%d}",
    ),
    "weak key": Case(
        lambda _: [issue(NAME, ROOT, key=rsa.generate_private_key(65537, 1024))],
        r"its key is too weak \(RSA 1024\)",
    ),
    "SHA-1": Case(
        lambda scratch: [issued_with_sha1(NAME, ROOT, scratch)],
        "it is signed with SHA1, which senders refuse",
    ),
    "for clients": Case(
        lambda _: [issue(NAME, ROOT, usage=ExtendedKeyUsageOID.CLIENT_AUTH)], "lacks serverAuth"
    ),
    "old protocol": Case(
        lambda _: [issue(NAME, ROOT)], r"speaks TLSv1\.1 at most; senders ask for TLS 1\.2", old_protocol=True
    ),
}


def probe(port: int, host: str, ca_file: Path) -> ProbeResult:
    egress = Egress(LOOPBACK, resolve=lambda name, port: ["127.0.0.1"])
    target = ProbeTarget("production", "stripe", "payments", f"https://{host}:{port}/hook")
    return probe_tls(target, egress, SystemClock(), 5, ca_file=str(ca_file))


@pytest.mark.parametrize("name", MATRIX)
def test_each_certificate_has_its_verdict_and_its_dates(name: str, tmp_path: Path) -> None:
    case = MATRIX[name]
    chain = case.chain(tmp_path)
    ca_file = tmp_path / "roots.pem"
    ca_file.write_bytes(ROOT.pem)
    with showing(tmp_path, *chain, old_protocol=case.old_protocol) as port:
        found = probe(port, case.host, ca_file)
    assert (found.kind, found.ok) == (ProbeKind.TLS, case.said is None), found.error
    assert found.cert_not_after == chain[0].certificate.not_valid_after_utc
    if case.said is not None:
        assert re.search(case.said, found.error or ""), found.error
