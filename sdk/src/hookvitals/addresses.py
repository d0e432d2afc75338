"""Who is calling, and whom: the allow-list of a source's addresses, the client and the URL behind proxies."""

import ipaddress
import re
from typing import Callable, List, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit, urlunsplit

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+", re.ASCII)

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


def networks(texts: Sequence[str]) -> Tuple[Network, ...]:
    """Parsed CIDRs or single addresses. Raises ValueError naming the one that is neither."""
    if isinstance(texts, str):
        raise ValueError("addresses are a list, even of one")
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def contains(allowed: Sequence[Network], address: Optional[str]) -> bool:
    """Whether the address lies in one of the networks; a mapped IPv4 address counts as IPv4."""
    try:
        parsed = ipaddress.ip_address(str(address or "").strip())
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return any(parsed in network for network in allowed)


def client_address(
    remote_addr: Optional[str], forwarded_for: Optional[str], trusted: Sequence[Network]
) -> Optional[str]:
    """The address that connected to the outermost trusted proxy; without trusted proxies, `remote_addr`."""
    if not trusted or not forwarded_for or not contains(trusted, remote_addr):
        return remote_addr
    hops: List[str] = [_without_port(hop.strip()) for hop in forwarded_for.split(",")]
    for hop in reversed(hops):
        if not contains(trusted, hop):
            return hop
    return hops[0]


def sender_url(
    url: str,
    public_url: Optional[str],
    header: Callable[[str], Optional[str]],
    remote_addr: Optional[str],
    trusted: Sequence[Network],
) -> str:
    """The URL as the sender used it: its scheme and host are those of `public_url`, or what a trusted proxy
    says. header: gives the value of one, by its lower-case name."""
    try:
        parts = urlsplit(url)
    except ValueError:  # nobody signs what is no URL
        return url
    if public_url:
        known = urlsplit(public_url)
        parts = parts._replace(scheme=known.scheme, netloc=known.netloc, path=known.path or parts.path)
    elif trusted and contains(trusted, remote_addr):
        scheme, host = header("x-forwarded-proto"), header("x-forwarded-host")
        parts = parts._replace(
            scheme=(scheme or parts.scheme).split(",")[0].strip(),
            netloc=(host or parts.netloc).split(",")[0].strip(),
        )
    return urlunsplit(parts)


def _without_port(hop: str) -> str:
    """Some proxies write `address:port`, and IPv6 in brackets."""
    match = _WITH_PORT.fullmatch(hop)
    return hop if match is None else match.group(1) or match.group(2)
