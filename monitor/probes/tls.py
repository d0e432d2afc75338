"""An endpoint's certificate: until when it is good, and whether a careful client would trust it.

Two handshakes: one that trusts anything and reads the dates, so that an expired or self-signed certificate
still yields them, and one that verifies and gives the verdict. Nothing is sent over either.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from alerts.egress import Egress
from alerts.errors import RequestFailed
from monitor.clock import Clock
from monitor.model import ProbeKind, ProbeResult
from monitor.probes.target import ProbeTarget

TEXT_CHARS = 512


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the leaf certificate says of itself."""

    not_after: datetime
    subject: str
    issuer: str


def probe_tls(
    target: ProbeTarget, egress: Egress, clock: Clock, timeout_s: float, *, ca_file: str | None = None
) -> ProbeResult:
    """ok when the certificate verifies for the URL's name; its dates whether it does or not.

    ca_file: certificates to trust in place of the bundled public ones. Never raises for what the network
    does.
    """
    parts = urlsplit(target.receives_at)
    host, port = parts.hostname or "", parts.port or 443
    started, checked_at = clock.monotonic(), clock.now()
    certificate: Certificate | None = None
    try:
        certificate = _inspect(egress, host, port, timeout_s)
        error = _verdict(egress, host, port, timeout_s, ca_file or DEFAULT_CA_BUNDLE_PATH)
    except (RequestFailed, OSError, ValueError) as exc:
        error = _plain(exc)
    return ProbeResult(
        target.environment,
        target.source,
        target.endpoint,
        ProbeKind.TLS,
        error is None,
        checked_at,
        latency_ms=(clock.monotonic() - started) * 1000,
        error=error,
        cert_not_after=certificate.not_after if certificate else None,
        cert_subject=certificate.subject if certificate else None,
        cert_issuer=certificate.issuer if certificate else None,
    )


def _inspect(egress: Egress, host: str, port: int, timeout_s: float) -> Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only the dates are read here; the verdict verifies
    with egress.connect(host, port, timeout_s) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
        der = tls.getpeercert(binary_form=True)
    if der is None:
        raise ValueError("the server showed no certificate")
    leaf = x509.load_der_x509_certificate(der)
    return Certificate(
        leaf.not_valid_after_utc,
        leaf.subject.rfc4514_string()[:TEXT_CHARS],
        leaf.issuer.rfc4514_string()[:TEXT_CHARS],
    )


def _verdict(egress: Egress, host: str, port: int, timeout_s: float, ca_file: str) -> str | None:
    """None when the certificate verifies, else why not."""
    context = ssl.create_default_context(cafile=ca_file)
    try:
        with egress.connect(host, port, timeout_s) as raw, context.wrap_socket(raw, server_hostname=host):
            return None
    except ssl.SSLCertVerificationError as exc:
        return exc.verify_message


def _plain(exc: Exception) -> str:
    if isinstance(exc, ssl.SSLError):
        return f"TLS handshake failed ({exc.reason or 'no reason given'})"
    if isinstance(exc, TimeoutError):
        return "the TLS handshake took too long"
    return (str(exc) or type(exc).__name__)[:TEXT_CHARS]
