from datetime import timedelta

import pytest

from monitor.errors import Forbidden, NotFound, Unauthorized, Unprocessable
from monitor.operations import keys
from monitor.store.control.accounts import Role
from tests.control import everything_in
from tests.monitor.operations.people import ADMIN
from tests.monitor.replay.world import World


def test_a_new_key_is_recognised_by_its_token_alone(world: World) -> None:
    made = keys.create(world.desk, ADMIN, "receiver", ["ingest", "read"], ["stripe"], "production")

    found = keys.authenticate(world.desk, made.token)

    assert found == made.key
    assert (sorted(found.scopes), sorted(found.sources)) == (["ingest", "read"], ["stripe"])
    for wrong in (
        "",
        "hv__",
        f"{made.token}x",
        f"hv_{made.key.id}_",
        "hv_unknown_secret",
        "hv_\udcff_x",
        made.token[3:],
    ):
        with pytest.raises(Unauthorized):
            keys.authenticate(world.desk, wrong)


def test_the_secret_stands_nowhere_but_in_the_token(world: World) -> None:
    made = keys.create(world.desk, ADMIN, "receiver")
    secret = made.token.rpartition("_")[2]

    assert secret not in repr(made)
    assert made.key.secret_sha256 not in repr(made.key)
    assert secret.encode() not in everything_in(world.control)


def test_a_revoked_key_is_refused_and_cannot_be_revoked_again(world: World) -> None:
    made = keys.create(world.desk, ADMIN, "receiver")

    keys.revoke(world.desk, ADMIN, made.key.id)

    with pytest.raises(Unauthorized):
        keys.authenticate(world.desk, made.token)
    with pytest.raises(NotFound):
        keys.revoke(world.desk, ADMIN, made.key.id)


def test_use_is_noted_once_a_minute(world: World) -> None:
    made = keys.create(world.desk, ADMIN, "receiver")
    first = world.clock.now()
    keys.authenticate(world.desk, made.token)

    world.clock.move(timedelta(seconds=59))
    keys.authenticate(world.desk, made.token)
    assert keys.listing(world.desk, ADMIN)[0].last_used_at == first

    world.clock.move(timedelta(seconds=1))
    keys.authenticate(world.desk, made.token)
    assert keys.listing(world.desk, ADMIN)[0].last_used_at == world.clock.now()


def test_a_key_acts_with_its_widest_scope_and_an_ingest_key_not_at_all(world: World) -> None:
    both = keys.create(world.desk, ADMIN, "robot", ["read", "operate"]).key
    sender = keys.create(world.desk, ADMIN, "receiver").key

    assert keys.actor_of(both).role is Role.OPERATOR
    with pytest.raises(Forbidden):
        keys.actor_of(sender)


@pytest.mark.parametrize(("name", "scopes"), [("k", ["root"]), ("k", []), ("", ["read"])])
def test_a_key_without_a_name_or_a_known_scope_is_refused(world: World, name: str, scopes: list[str]) -> None:
    with pytest.raises(Unprocessable):
        keys.create(world.desk, ADMIN, name, scopes)


def test_making_and_revoking_are_audited_without_the_secret(world: World) -> None:
    made = keys.create(world.desk, ADMIN, "receiver")
    keys.revoke(world.desk, ADMIN, made.key.id)

    rows = world.control.audit.page()
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("key.revoke", "ada", made.key.id),
        ("key.create", "ada", made.key.id),
    ]
    assert made.token.rpartition("_")[2] not in repr(rows)
