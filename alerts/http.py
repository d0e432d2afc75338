"""The one outbound HTTP request: to channels, probed endpoints and replay targets.

It dials only what `Egress` permits, follows no redirect, reads no proxy or netrc from the environment, reads
at most 64 KiB of an answer, and never puts a URL's path, query or credentials into an error.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from alerts.deadline import Deadline
from alerts.egress import Clock, Egress
from alerts.errors import Failure, RequestFailed

RESPONSE_BYTES = 64 * 1024
CHUNK_BYTES = 8 * 1024
USER_AGENT = "hookvitals"

# At DEBUG it writes each request's path, which of a webhook is the secret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. headers: names in lower case. body: the first 64 KiB, not decompressed; the rest stays
    unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: float


class Client:
    """Sends single requests through one Egress. It keeps no state between them, so threads may share it.

    ca_file: certificates to trust besides the bundled public ones.
    """

    def __init__(
        self, egress: Egress, *, ca_file: str | None = None, monotonic: Clock = time.monotonic
    ) -> None:
        self._egress = egress
        self._ca_file = ca_file
        self._monotonic = monotonic

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 10.0,
    ) -> Response:
        """The answer, whatever its status; a redirect is returned, not followed.

        timeout_s bounds connecting, each wait for bytes, and the reading of the body altogether; twice that
        bounds all of it once connected. Raises RequestFailed (EgressRefused among them).
        """
        host = checked_host(url)
        deadline = Deadline(2 * timeout_s)
        started = self._monotonic()
        with requests.Session() as session:
            session.trust_env = False
            try:
                adapter = _CheckedAdapter(self._egress, timeout_s, deadline, trusting(self._ca_file))
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                answer = session.request(
                    method,
                    url,
                    headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **(headers or {})},
                    data=body or None,
                    timeout=timeout_s,
                    allow_redirects=False,
                    stream=True,
                )
                with answer:  # a connection with an unread rest must be closed, not kept
                    content = self._head_of(answer.raw, started + timeout_s, host)
            except (requests.RequestException, HTTPError, OSError) as exc:
                # Not "from exc": the text of these exceptions carries the URL's path, often a secret.
                raise (_late(host) if deadline.is_over else _failure(exc, host, timeout_s)) from None
            finally:
                deadline.end()
        return Response(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=content,
            elapsed_ms=(self._monotonic() - started) * 1000,
        )

    def _head_of(self, raw: HTTPResponse, deadline: float, host: str) -> bytes:
        """At most RESPONSE_BYTES, however slowly they drip."""
        content = bytearray()
        while len(content) < RESPONSE_BYTES:
            if self._monotonic() > deadline:
                raise _late(host)
            chunk = raw.read1(CHUNK_BYTES, decode_content=False)
            if not chunk:
                break
            content += chunk
        return bytes(content[:RESPONSE_BYTES])


def _late(host: str) -> RequestFailed:
    return RequestFailed(Failure.TIMEOUT, f"{host} did not finish its answer in time", retryable=True)


def checked_host(url: str) -> str:
    """The URL's `host` or `host:port`, safe to show. Raises RequestFailed for a URL that cannot be used."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _bad_url("the URL cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _bad_url("the URL starts with neither https:// nor http://")
    if not host:
        raise _bad_url("the URL names no host")
    if "@" in parts.netloc:
        raise _bad_url(f"the URL for {host} carries a user name or password")
    return host if port is None else f"{host}:{port}"


def _bad_url(message: str) -> RequestFailed:
    return RequestFailed(Failure.BAD_URL, message, retryable=False, hint="write https://host/path")


class _CheckedAdapter(HTTPAdapter):
    """An adapter whose connections are made by Egress. The Host header, SNI and the certificate's name stay
    those of the URL, since only the socket underneath is replaced."""

    def __init__(self, egress: Egress, timeout_s: float, deadline: Deadline, trust: ssl.SSLContext) -> None:
        self._pools = _pools(egress, timeout_s, deadline)
        self._trust = trust
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # urllib3 and requests type these arguments loosely; they are passed on as they came.
        super().init_poolmanager(*args, ssl_context=self._trust, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = self._pools

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:
        """What is trusted stands in the context: named here too, it would be read anew each time."""
        conn.cert_reqs = "CERT_REQUIRED"


def trusting(ca_file: str | None) -> ssl.SSLContext:
    """A context that trusts the bundled public certificates and those of the file, read anew when the file
    has changed. Raises RequestFailed."""
    try:
        return _trusting(ca_file, os.stat(ca_file).st_mtime_ns if ca_file else 0)
    except OSError:
        raise RequestFailed(
            Failure.SETTINGS,
            f"{ca_file} holds no certificates that can be read",
            retryable=True,
            hint="give a file of certificates in PEM that the monitor may read",
        ) from None


@lru_cache(maxsize=8)
def _trusting(ca_file: str | None, changed_ns: int) -> ssl.SSLContext:
    """Made once, for reading them takes longer than a request (`benchmarks.probes`: 33 % of a core became
    4 %)."""
    context = create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.hostname_checks_common_name = False
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


def _pools(egress: Egress, timeout_s: float, deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    def connected(host: str, port: int) -> socket.socket:
        connection = egress.connect(host, port, timeout_s)
        deadline.watch(connection)
        return connection

    class PlainConnection(HTTPConnection):
        def _new_conn(self) -> Any:
            return connected(self.host, self.port)

    class TlsConnection(HTTPSConnection):
        def _new_conn(self) -> Any:
            return connected(self.host, self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


def _failure(exc: Exception, host: str, timeout_s: float) -> RequestFailed:
    """What went wrong, in words without the URL."""
    causes = list(_causes(exc))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RequestFailed(
                Failure.TLS, f"{host}: certificate refused ({cause.verify_message})", retryable=True
            )
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in causes):
        return RequestFailed(Failure.TLS, f"{host}: TLS handshake failed", retryable=True)
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return RequestFailed(Failure.TIMEOUT, f"{host} did not answer within {timeout_s:g} s", retryable=True)
    if isinstance(exc, ValueError):  # requests derives its complaints about URLs and headers from ValueError
        return RequestFailed(Failure.BAD_URL, f"the request to {host} is malformed", retryable=False)
    return RequestFailed(
        Failure.BROKEN_RESPONSE, f"{host} closed the connection without a whole answer", retryable=True
    )


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all it wraps: libraries hide the cause in __cause__, __context__, `reason` or the
    args."""
    seen: set[int] = set()
    waiting: list[BaseException] = [exc]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [item for item in inner if isinstance(item, BaseException)]
