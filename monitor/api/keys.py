"""Keys: who may send or ask. A secret is shown once, when its key is made, and never again."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.repeats import shows_a_secret
from monitor.api.shapes import Asked, Shape, answer
from monitor.operations import keys as operations
from monitor.store.control.keys import ApiKey

keys = noun("keys", "Keys of receivers and programs.")


class KeyShape(Shape):
    """One key. sources empty, environment null: bound to none."""

    id: str
    name: str
    scopes: list[str]
    sources: list[str]
    environment: str | None
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeysShape(Shape):
    keys: list[KeyShape]


@keys.get("/keys", responses={200: KeysShape})
@needs(Need.ADMIN)
def listed() -> Response:
    """Every key, revoked ones included, newest first"""
    return answer(
        KeysShape(keys=[shape_of(one) for one in operations.listing(services().desk, current_actor())])
    )


class NewKeyShape(KeyShape):
    """token: `hv_<id>_<secret>`, shown this once."""

    token: str


class KeyBody(Asked):
    """sources, environment: what the key is bound to; left out binds to nothing."""

    name: Annotated[str, Field(description="Who will use it.")]
    scopes: Annotated[list[Literal["ingest", "read", "operate", "admin"]], Field(min_length=1)]
    sources: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list)
    environment: Annotated[str | None, Field(min_length=1, max_length=32)] = None


class KeyPath(Asked):
    key_id: Annotated[str, Field(max_length=64)]


@keys.post("/keys", responses={201: NewKeyShape})
@needs(Need.ADMIN)
@shows_a_secret
def create(body: KeyBody) -> Response:
    """Make a key; its token is shown this once"""
    made = operations.create(
        services().desk, current_actor(), body.name, body.scopes, body.sources, body.environment
    )
    return answer(NewKeyShape(**shape_of(made.key).model_dump(), token=made.token), 201)


@keys.delete("/keys/<key_id>", responses={204: None})
@needs(Need.ADMIN)
def revoke(path: KeyPath) -> Response:
    """Refuse a key from now on"""
    operations.revoke(services().desk, current_actor(), path.key_id)
    return Response(status=204)


def shape_of(one: ApiKey) -> KeyShape:
    return KeyShape(
        id=one.id,
        name=one.name,
        scopes=sorted(one.scopes),
        sources=sorted(one.sources),
        environment=one.environment,
        created_by=one.created_by,
        created_at=one.created_at,
        revoked_at=one.revoked_at,
        last_used_at=one.last_used_at,
    )
