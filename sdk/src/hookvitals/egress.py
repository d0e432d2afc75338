"""Which addresses this SDK may dial when a request names the URL of a key: public ones.

A name is resolved once, every address it has is looked at, and an address that was looked at is dialled:
neither a second lookup nor a redirect can lead elsewhere. Cloud metadata and link-local addresses are never
dialled.
"""

import socket
import time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Callable, Optional, Sequence, Union

Address = Union[IPv4Address, IPv6Address]
Network = Union[IPv4Network, IPv6Network]
Resolve = Callable[[str, int], Sequence[str]]

# The IANA special-purpose registries: Python's is_global differs between patch releases.
_SPECIAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NEVER = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::254/128",
        "168.63.129.16/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
    )
)
_HIDING_V4 = tuple(IPv6Network(text) for text in ("::ffff:0:0/96", "::/96", "64:ff9b::/96"))
_SIX_TO_FOUR = IPv6Network("2002::/16")


class EgressRefused(OSError):
    """An address that must not be dialled."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Every address of the host, in the system's order. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted(address: str, allow: Sequence[Network] = ()) -> bool:
    """Whether the address, and the IPv4 address hidden in it if there is one, may be dialled.

    allow: networks that may be, although they are not public.
    """
    try:
        outer = ip_address(address)
    except ValueError:  # a zone, for one
        return False
    inner = _unwrapped(outer)
    if _within(outer, _NEVER) or _within(inner, _NEVER):
        return False
    return _is_public(inner) or _within(inner, allow) or _within(outer, allow)


def connect(
    host: str,
    port: int,
    timeout_s: float,
    *,
    allow: Sequence[Network] = (),
    resolve: Resolve = system_resolve,
) -> socket.socket:
    """A TCP connection to one of the host's addresses, all of which are permitted.

    Raises EgressRefused when a single one is not, OSError when none answers within timeout_s altogether.
    """
    try:
        found = resolve(host, port)
    except UnicodeError as exc:
        raise OSError(f"{host} is no host name") from exc
    for address in found:
        if not permitted(address, allow):
            raise EgressRefused(f"{host} resolves to {address}, which is not a public address")
    deadline = time.monotonic() + timeout_s
    problem: Optional[OSError] = None
    for address in found:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        try:
            connection = socket.create_connection((address, port), timeout=left_s)
        except OSError as exc:
            problem = exc
            continue
        connection.settimeout(timeout_s)
        return connection
    raise problem or OSError(f"{host} took longer than {timeout_s:g} s to connect")


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that a mapped, compatible, NAT64 or 6to4 address leads to; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _HIDING_V4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, _SPECIAL_V4)
    return address in _GLOBAL_V6 and not _within(address, _SPECIAL_V6)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
