"""Keys: who may send or ask. A secret is shown once, when its key is made, and never again."""

from datetime import datetime

from flask import Response

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Shape, answer
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
    return answer(KeysShape(keys=[shape_of(one) for one in services().control.keys.all()]))


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
