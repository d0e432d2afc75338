"""A certificate: until when it is good, and whether a careful sender would trust it.

Two handshakes: one that trusts anything and speaks any protocol, so that an expired or self-signed
certificate still tells its dates, and one that verifies and gives the verdict. Nothing is sent over either.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from alerts.egress import Egress
from alerts.errors import RequestFailed
from alerts.http import trusting
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.certificates import TEXT_CHARS, explained, shown
from monitor.probes.target import ProbeTarget


@dataclass(frozen=True, slots=True)
class Shown:
    """What a server shows to whoever trusts it. chain: its own certificate first."""

    chain: Sequence[x509.Certificate]
    protocol: str


def probe_tls(
    target: ProbeTarget,
    egress: Egress,
    clock: Clock,
    timeout_s: float,
    *,
    ca_file: str | None = None,
    kind: ProbeKind = ProbeKind.TLS,
) -> ProbeResult:
    """ok when the certificate verifies for the URL's name; its dates whether it does or not.

    ca_file: certificates to trust besides the bundled public ones. Never raises for what the network
    does.
    """
    parts = urlsplit(target.receives_at)
    host, port = parts.hostname or "", parts.port or 443
    started, checked_at = clock.monotonic(), clock.now()
    seen: Shown | None = None
    try:
        seen = _inspect(egress, host, port, timeout_s)
        error = _verdict(egress, host, port, timeout_s, ca_file, seen)
    except (RequestFailed, OSError, ValueError) as exc:
        error = _plain(exc)
    leaf = seen.chain[0] if seen else None
    return ProbeResult(
        target.environment,
        target.source,
        target.endpoint,
        kind,
        error is None,
        checked_at,
        latency_ms=(clock.monotonic() - started) * 1000,
        error=None if error is None else error[:TEXT_CHARS],
        cert_not_after=leaf.not_valid_after_utc if leaf else None,
        cert_subject=shown(leaf.subject) if leaf else None,
        cert_issuer=shown(leaf.issuer) if leaf else None,
    )


def _inspect(egress: Egress, host: str, port: int, timeout_s: float) -> Shown:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only the dates are read here; the verdict verifies
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    with egress.connect(host, port, timeout_s) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        chain = [x509.load_der_x509_certificate(der) for der in _sent(tls)]
        protocol = tls.version() or ""
    if not chain:
        raise ValueError("the server showed no certificate")
    return Shown(chain, protocol)


def _sent(tls: ssl.SSLSocket) -> list[bytes]:
    """The certificates as the server sent them, its own first, in DER."""
    if hasattr(tls, "get_unverified_chain"):  # Python 3.13
        return list(tls.get_unverified_chain())
    # The same call lies one object deeper before; without it a missing intermediate and an authority that
    # nobody trusts look alike.
    chain: list[Any] = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", list)()
    if chain:
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain]
    der = tls.getpeercert(binary_form=True)
    return [] if der is None else [der]


def _verdict(
    egress: Egress, host: str, port: int, timeout_s: float, ca_file: str | None, seen: Shown
) -> str | None:
    """None when the certificate verifies, else why not."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_file:
        trusting(ca_file)  # or it raises, and names the file
        context.load_verify_locations(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # as senders do
    try:
        with egress.connect(host, port, timeout_s) as raw, context.wrap_socket(raw, server_hostname=host):
            return None
    except ssl.SSLCertVerificationError as exc:
        return explained(exc, seen.chain, host)
    except ssl.SSLError:
        if seen.protocol in ("SSLv3", "TLSv1", "TLSv1.1"):
            return f"the server speaks {seen.protocol} at most; senders ask for TLS 1.2 or newer"
        raise


def _plain(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return f"TLS handshake failed ({exc.reason or 'no reason given'})"
    if isinstance(exc, TimeoutError):
        return "the TLS handshake took too long"
    return str(exc) or type(exc).__name__
