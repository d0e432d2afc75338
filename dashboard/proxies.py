"""X-Forwarded headers, believed from configured reverse proxies alone."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def behind_proxies(inner: "WSGIApplication", trusted: Sequence[str]) -> "WSGIApplication":
    """The application; what a proxy in one of the trusted networks says of the client counts as the client's.

    trusted: networks such as `10.0.0.0/8`. One proxy is believed, the nearest.
    """
    networks = [ip_network(one, strict=False) for one in trusted]
    believing = ProxyFix(inner, x_for=1, x_proto=1, x_host=1)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if _is_in(environ.get("REMOTE_ADDR", ""), networks):
            return believing(environ, start_response)
        return inner(environ, start_response)

    return application


def _is_in(address: str, networks: Sequence[object]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)  # type: ignore[operator]
