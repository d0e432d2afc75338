"""Which addresses may be dialled: for channels, probes and replay alike.

A name is resolved once, every address it has is looked at, and the connection goes to an address that was
looked at; so neither a second lookup nor a redirect can lead elsewhere. Private and loopback ranges open by
the setting egress.allow; cloud metadata and link-local addresses never do.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from alerts.errors import EgressRefused, Failure, RequestFailed, SettingInvalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
Clock = Callable[[], float]

# The IANA special-purpose registries. Python's is_global differs between patch releases, so the table is
# ours.
SPECIAL_V4 = tuple(
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
GLOBAL_V6 = IPv6Network("2000::/3")
SPECIAL_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20"))

# Link-local, and the fixed metadata addresses of the clouds: no setting opens these.
NEVER = tuple(
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

MAPPED = IPv6Network("::ffff:0:0/96")
COMPATIBLE = IPv6Network("::/96")
NAT64 = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = IPv6Network("2002::/16")


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Every address of the host, in the system's order. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Egress:
    """The one judge of outbound addresses. allow: CIDR ranges that may be dialled although they are not
    public."""

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        resolve: Resolve = system_resolve,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self._allow = tuple(_network(text) for text in allow)
        self._resolve = resolve
        self._monotonic = monotonic

    def permits(self, address: str) -> bool:
        """Whether the address, and the IPv4 address hidden in it if there is one, may be dialled."""
        outer = ip_address(address)
        inner = unwrapped(outer)
        if _within(outer, NEVER) or _within(inner, NEVER):
            return False
        return is_public(inner) or _within(inner, self._allow) or _within(outer, self._allow)

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Every address of the host, each of them permitted.

        Raises EgressRefused when a single one is not, RequestFailed when the name does not resolve.
        """
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise RequestFailed(
                Failure.DNS,
                f"{host} does not resolve",
                retryable=True,
                hint="look at the name and at this machine's DNS",
            ) from None
        for address in found:
            if not self.permits(address):
                raise _refusal(host, address)
        return found

    def connect(self, host: str, port: int, timeout_s: float = 10.0) -> socket.socket:
        """A TCP connection to one of the host's addresses, tried in order within timeout_s altogether.

        The socket keeps timeout_s for its reads and writes. Raises RequestFailed.
        """
        deadline = self._monotonic() + timeout_s
        problem: OSError | None = None
        for address in self.addresses(host, port):
            left_s = deadline - self._monotonic()
            if left_s <= 0:
                break
            try:
                connection = socket.create_connection((address, port), timeout=left_s)
            except OSError as exc:
                problem = exc
            else:
                connection.settimeout(timeout_s)
                return connection
        if problem is None or isinstance(problem, TimeoutError):
            raise RequestFailed(
                Failure.TIMEOUT, f"{host}:{port} took longer than {timeout_s:g} s to connect", retryable=True
            ) from problem
        raise RequestFailed(
            Failure.CONNECT,
            f"could not connect to {host}:{port} ({problem.strerror or type(problem).__name__})",
            retryable=True,
        ) from problem


def unwrapped(address: Address) -> Address:
    """The IPv4 address a mapped, compatible, NAT64 or 6to4 address leads to; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in (MAPPED, COMPATIBLE, NAT64)):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not _within(address, SPECIAL_V4)
    return address in GLOBAL_V6 and not _within(address, SPECIAL_V6)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SettingInvalid(
            f'egress.allow contains "{text}", which is no address range',
            hint="write ranges like 10.0.0.0/8 or fd00::/8",
        ) from None


def _refusal(host: str, address: str) -> EgressRefused:
    where = host if host == address else f"{host} resolves to {address}, which"
    if _within(unwrapped(ip_address(address)), NEVER) or _within(ip_address(address), NEVER):
        return EgressRefused(
            f"{where} is a link-local or cloud metadata address",
            hint="such addresses are never dialled, and egress.allow cannot open them",
        )
    entry = ip_network(address.partition("%")[0])
    return EgressRefused(
        f"{where} is not a public address",
        hint=f'if this is meant, add "{entry}" or its range to egress.allow in hookvitals.toml',
    )
