"""The one way this SDK fetches a key: HTTPS, to a URL that matches a pattern, at a public address.

No redirect is followed, no proxy and no netrc is read, at most 64 KiB of an answer are, within a time.
"""

import re
import socket
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING, Mapping, Optional, Sequence
from urllib.parse import urlsplit

from hookvitals.egress import Resolve, connect, system_resolve
from hookvitals.version import VERSION

if TYPE_CHECKING:
    import ssl

    from hookvitals.key_connection import KeyConnection

MOST_BYTES = 64 * 1024
_OK = 200


class KeyUnavailable(Exception):
    """No key can be had now. Safe to show: names the host and what went wrong."""


class HttpsFetch:
    """Fetches URLs that match `pattern` as a whole: callable with a URL, gives the answer's bytes.

    headers: sent along, e.g. an Authorization. timeout_s: for connecting, for each wait, and for all of it.
    allow: networks that may be dialled although they are not public, for a mirror of one's own.
    context: what to trust; the system's certificates unless given.
    """

    def __init__(
        self,
        pattern: str,
        *,
        headers: Optional[Mapping[str, str]] = None,
        timeout_s: float = 5.0,
        allow: Sequence[str] = (),
        context: "Optional[ssl.SSLContext]" = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._pattern = re.compile(pattern, re.ASCII)
        self._headers = {"User-Agent": f"hookvitals-python/{VERSION}", "Accept-Encoding": "identity"}
        self._headers.update(headers or {})
        self._timeout_s = timeout_s
        self._allow = tuple(ip_network(text, strict=False) for text in allow)
        self._context = context
        self._resolve = resolve

    def permits(self, url: str) -> bool:
        """Whether this URL would be asked at all."""
        return self._pattern.fullmatch(url) is not None

    def __call__(self, url: str, body: Optional[bytes] = None) -> bytes:
        """The answer to a GET, or to a POST of this JSON. Raises KeyUnavailable unless it is a 200."""
        if not self.permits(url):
            raise KeyUnavailable("the key's URL is not one of the provider's")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
        except ValueError as exc:
            raise KeyUnavailable("the key's URL cannot be read") from exc
        if parts.scheme != "https" or not host or "@" in parts.netloc:
            raise KeyUnavailable("a key is fetched over https alone")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        import ssl  # noqa: PLC0415  # with http.client a tenth of the import, for few

        from hookvitals.key_connection import FAULTS, KeyConnection  # noqa: PLC0415

        if self._context is None:
            self._context = ssl.create_default_context()
        connection = KeyConnection(host, port, self._timeout_s, self._context, self._dial)
        try:
            return self._answer(connection, target or "/", body)
        except FAULTS as exc:
            raise KeyUnavailable(f"{host} gave no key: {type(exc).__name__}") from exc
        finally:
            connection.close()

    def _answer(self, connection: "KeyConnection", target: str, body: Optional[bytes]) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        method, kind = ("GET", {}) if body is None else ("POST", {"Content-Type": "application/json"})
        connection.request(method, target, body, {**self._headers, **kind})
        response = connection.getresponse()
        if response.status != _OK:
            raise KeyUnavailable(f"{connection.host} answered {response.status}")
        content = bytearray()
        while len(content) <= MOST_BYTES:
            if time.monotonic() > deadline:
                raise KeyUnavailable(f"{connection.host} did not finish its answer in time")
            chunk = response.read1(8192)
            if not chunk:
                return bytes(content)
            content += chunk
        raise KeyUnavailable(f"{connection.host} answered more than {MOST_BYTES} bytes")

    def _dial(self, host: str, port: int) -> socket.socket:
        return connect(host, port, self._timeout_s, allow=self._allow, resolve=self._resolve)
