"""Endpoints as people register them: where replays and probes go, and the secret that signs replays.

What the configuration file declares is changed there alone.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from hookvitals.schemes.standard import standard_key
from monitor.errors import Conflict, Unprocessable
from monitor.operations.actor import Actor
from monitor.operations.desk import Desk
from monitor.replay.secrets import sealed_secret
from monitor.store.control.accounts import Role
from monitor.store.control.catalog import Endpoint, ManagedBy, ProbeSettings

SHORTEST_KEY = 24
"""Bytes of a replay secret: what Standard Webhooks asks for."""


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """An endpoint as it shall be. replay_secret: None leaves the stored one, "" removes it."""

    environment: str
    source: str
    name: str
    url: str | None = None
    insecure: bool = False
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    replay_secret: str | None = field(default=None, repr=False)
    ack_deadline: timedelta | None = None


def put(desk: Desk, actor: Actor, change: EndpointChange) -> Endpoint:
    """The endpoint as stored. Raises Conflict for one that the file declares, Unprocessable for bad
    values."""
    actor.must_be(Role.ADMIN, "change endpoints")
    _check(change)
    key, now = (change.environment, change.source, change.name), desk.clock.now()
    with desk.control.write() as tx:
        known = desk.control.catalog.endpoint_within(tx, *key)
        if known is not None and known.managed_by is ManagedBy.FILE:
            raise Conflict("this endpoint stands in hookvitals.toml", "change it there, then config apply")
        secret = None if known is None else known.replay_secret
        if change.replay_secret is not None:
            secret = sealed_secret(desk.sealer, change.replay_secret, *key) if change.replay_secret else None
        endpoint = Endpoint(
            *key,
            ManagedBy.API,
            now if known is None else known.first_seen_at,
            change.url,
            change.insecure,
            change.probe,
            secret,
            change.ack_deadline,
        )
        desk.control.catalog.register_within(tx, key, now)
        desk.control.catalog.put_endpoint(tx, endpoint, now)
        detail = {"url": change.url, "insecure": change.insecure, "secret": secret is not None}
        desk.audit(tx, actor, "endpoint.put", "/".join(key), detail)
    return endpoint


def _check(change: EndpointChange) -> None:
    sizes = ((change.environment, 32), (change.source, 64), (change.name, 128))
    if not all(0 < len(text) <= most and text.isprintable() for text, most in sizes):
        raise Unprocessable(
            "an endpoint needs environment, source and name", "of at most 32, 64, 128 characters"
        )
    for url in (change.url, change.probe.url):
        if url is not None:
            _check_url(url, change)
    if change.replay_secret:
        _check_secret(change.replay_secret)
    try:
        re.compile(change.probe.conditions.matches)
    except re.error as exc:
        raise Unprocessable(
            f"the probe's pattern cannot be read: {exc}", "write a regular expression such as ok|ready"
        ) from None


def _check_url(url: str, change: EndpointChange) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        usable = usable and (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable or len(url) > 2000:
        raise Unprocessable("this is no URL of an endpoint", "write https://host/path, without a user name")
    if parts.scheme == "http" and change.environment != "dev" and not change.insecure:
        raise Unprocessable(
            "http:// sends events unencrypted", "use https://, or say that it is meant: insecure = true"
        )


def _check_secret(secret: str) -> None:
    try:
        long_enough = len(standard_key(secret)) >= SHORTEST_KEY
    except ValueError:
        long_enough = False
    if not long_enough:
        raise Unprocessable(
            "a replay secret is `whsec_` and at least 24 random bytes in base64",
            "make one with: openssl rand -base64 32",
        )
