"""API keys: made, revoked, listed, recognised. A key's secret is shown once, when it is made."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from monitor.errors import Forbidden, NotFound, Unauthorized, Unprocessable
from monitor.operations.actor import SCOPES, Actor
from monitor.operations.desk import Desk
from monitor.store.control.accounts import Role
from monitor.store.control.keys import ApiKey

INGEST = "ingest"
ALL_SCOPES = (INGEST, *SCOPES)
USED_EVERY = timedelta(minutes=1)
_NOBODY = hashlib.sha256(b"no such key").hexdigest()


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its token, `hv_<id>_<secret>`, which nobody can show again."""

    key: ApiKey
    token: str = field(repr=False)


def create(
    desk: Desk,
    actor: Actor,
    name: str,
    scopes: Sequence[str] = (INGEST,),
    sources: Sequence[str] = (),
    environment: str | None = None,
) -> NewKey:
    """The new key. sources, environment: what it is bound to; nothing given binds to nothing."""
    actor.must_be(Role.ADMIN, "make keys")
    unknown = sorted(set(scopes) - set(ALL_SCOPES))
    if unknown or not scopes:
        raise Unprocessable(
            f"no such scope: {', '.join(unknown)}" if unknown else "a key needs a scope",
            f"choose among {', '.join(ALL_SCOPES)}",
        )
    if not name.strip() or len(name) > 128:
        raise Unprocessable("a key has a name of 1 to 128 characters", "name who will use it")
    secret = desk.random_hex(32)
    key = ApiKey(
        id=desk.random_hex(8),
        secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
        name=name,
        scopes=frozenset(scopes),
        sources=frozenset(sources),
        environment=environment,
        created_by=actor.name,
        created_at=desk.clock.now(),
    )
    with desk.control.write() as tx:
        desk.control.keys.add(tx, key)
        detail = {"name": name, "scopes": sorted(scopes), "sources": sorted(sources)}
        desk.audit(tx, actor, "key.create", key.id, detail | {"environment": environment})
    return NewKey(key, f"hv_{key.id}_{secret}")


def revoke(desk: Desk, actor: Actor, id: str) -> None:
    """The key is refused from now on; the collector follows within seconds."""
    actor.must_be(Role.ADMIN, "revoke keys")
    with desk.control.write() as tx:
        if not desk.control.keys.revoke(tx, id, desk.clock.now()):
            raise NotFound(f"there is no live key {id}", "`hookvitals key list` shows them")
        desk.audit(tx, actor, "key.revoke", id)


def listing(desk: Desk, actor: Actor) -> Sequence[ApiKey]:
    """All keys, newest first, revoked ones included; none of their secrets."""
    actor.must_be(Role.ADMIN, "list keys")
    return desk.control.keys.all()


def authenticate(desk: Desk, token: str) -> ApiKey:
    """The live key of a token. Raises Unauthorized."""
    prefix, _, rest = token.partition("_")
    id, _, secret = rest.partition("_")
    key = desk.control.keys.get(id) if prefix == "hv" and _is_id(id) else None
    given = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
    matches = hmac.compare_digest(given, key.secret_sha256 if key else _NOBODY)
    if key is None or not matches or key.revoked_at is not None:
        raise Unauthorized("this key is not valid", "make one with `hookvitals key create`")
    now = desk.clock.now()
    if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
        desk.control.keys.used(key.id, now)
    return key


def _is_id(text: str) -> bool:
    return text.isascii() and text.isalnum() and len(text) <= 32


def actor_of(key: ApiKey) -> Actor:
    """Who the key acts as in the API. Raises Forbidden for one that may only send."""
    roles = [SCOPES[scope] for scope in key.scopes if scope in SCOPES]
    if not roles:
        raise Forbidden("this key may only send records", "make a key with the scope read")
    return Actor(f"key {key.id} ({key.name})", max(roles, key=lambda role: role.rank), "api")
