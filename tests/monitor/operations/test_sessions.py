import hashlib
import logging
from datetime import timedelta

import pytest

from monitor.errors import Conflict, NotFound, TooManyRequests, Unauthorized, Unprocessable
from monitor.operations import sessions, users
from monitor.operations.passwords import METHOD, Passwords
from monitor.store.control.accounts import Role
from tests.control import everything_in
from tests.monitor.operations.people import ADMIN, PASSWORD, VIEWER
from tests.monitor.replay.world import World

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def accounts(world: World) -> None:
    users.create(world.desk, ADMIN, "ada", PASSWORD, Role.ADMIN)
    users.create(world.desk, ADMIN, "vera", PASSWORD, Role.VIEWER)


def tried(world: World, name: str, address: str, times: int, pause: timedelta = timedelta(0)) -> int:
    """How many of so many wrong logins were looked at."""
    looked_at = 0
    for _ in range(times):
        try:
            sessions.login(world.desk, name, "wrong", address)
        except Unauthorized:
            looked_at += 1
        except TooManyRequests:
            pass
        world.clock.move(pause)
    return looked_at


def test_a_login_opens_a_session_with_the_accounts_role(world: World) -> None:
    secret = sessions.login(world.desk, "vera", PASSWORD, HOME)

    session = sessions.authenticate(world.desk, secret)

    assert session is not None
    assert (session.account, session.role, session.address) == ("vera", Role.VIEWER, HOME)


def test_each_login_has_a_secret_of_its_own_and_the_store_only_its_hash(world: World) -> None:
    first = sessions.login(world.desk, "vera", PASSWORD, HOME)
    second = sessions.login(world.desk, "vera", PASSWORD, HOME)

    assert first != second
    stored = everything_in(world.control)
    assert first.encode() not in stored
    assert hashlib.sha256(first.encode()).hexdigest().encode() in stored
    assert PASSWORD.encode() not in stored


def test_a_session_ends_after_half_an_hour_without_use(world: World) -> None:
    secret = sessions.login(world.desk, "vera", PASSWORD, HOME)

    world.clock.move(timedelta(minutes=29))
    assert sessions.authenticate(world.desk, secret) is not None
    world.clock.move(timedelta(minutes=29))
    assert sessions.authenticate(world.desk, secret) is not None
    world.clock.move(timedelta(minutes=30))
    assert sessions.authenticate(world.desk, secret) is None


def test_a_session_in_use_ends_after_twelve_hours(world: World) -> None:
    secret = sessions.login(world.desk, "vera", PASSWORD, HOME)

    for _ in range(12 * 4 - 1):
        world.clock.move(timedelta(minutes=15))
        assert sessions.authenticate(world.desk, secret) is not None
    world.clock.move(timedelta(minutes=15))

    assert sessions.authenticate(world.desk, secret) is None


def test_logging_out_ends_this_session_and_no_other(world: World) -> None:
    first = sessions.login(world.desk, "vera", PASSWORD, HOME)
    second = sessions.login(world.desk, "vera", PASSWORD, HOME)

    sessions.logout(world.desk, first)

    assert sessions.authenticate(world.desk, first) is None
    assert sessions.authenticate(world.desk, second) is not None


def test_a_new_password_or_a_disabled_account_ends_every_session(world: World) -> None:
    secret = sessions.login(world.desk, "vera", PASSWORD, HOME)
    users.set_password(world.desk, ADMIN, "vera", PASSWORD + "!")
    assert sessions.authenticate(world.desk, secret) is None

    secret = sessions.login(world.desk, "vera", PASSWORD + "!", HOME)
    users.disable(world.desk, ADMIN, "vera")
    assert sessions.authenticate(world.desk, secret) is None
    with pytest.raises(Unauthorized):
        sessions.login(world.desk, "vera", PASSWORD + "!", HOME)


@pytest.mark.parametrize("name", ["vera", "nobody", "", "\udcff", "x" * 5000])
def test_wrong_names_and_wrong_passwords_are_refused_in_the_same_words(world: World, name: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        sessions.login(world.desk, name, "wrong", HOME)

    assert refusal.value.message == "name or password is wrong"


def test_an_unknown_user_costs_a_look_at_a_hash_too() -> None:
    looks: list[str] = []

    class Counting(Passwords):
        def is_right(self, password: str, stored: str | None) -> bool:
            looks.append("known" if stored else "unknown")
            return super().is_right(password, stored)

    passwords = Counting("scrypt:1024:8:1")

    assert not passwords.is_right(PASSWORD, None)
    assert passwords.is_right(PASSWORD, passwords.hashed(PASSWORD))
    assert looks == ["unknown", "known"]


def test_ten_thousand_tries_from_one_address_get_few_looks_an_hour(world: World) -> None:
    looked_at = tried(world, "vera", ELSEWHERE, 10_000 // 20, timedelta(seconds=3600 * 20 / 10_000))

    assert 5 <= looked_at <= 20


def test_tries_from_many_addresses_get_no_more(world: World) -> None:
    looked_at = sum(tried(world, "vera", f"198.51.100.{n}", 3) for n in range(60))

    assert looked_at <= 20


def test_an_attack_from_elsewhere_never_shuts_the_owner_out(world: World) -> None:
    sessions.login(world.desk, "vera", PASSWORD, HOME)
    for n in range(60):
        tried(world, "vera", f"198.51.100.{n}", 1)

    assert sessions.login(world.desk, "vera", PASSWORD, HOME)
    with pytest.raises(TooManyRequests):
        sessions.login(world.desk, "vera", PASSWORD, ELSEWHERE)


def test_the_wait_is_told_and_then_over(world: World) -> None:
    tried(world, "vera", HOME, 5)
    with pytest.raises(TooManyRequests) as refusal:
        sessions.login(world.desk, "vera", PASSWORD, HOME)
    assert refusal.value.retry_after_s == 30

    world.clock.move(timedelta(seconds=30))

    assert sessions.login(world.desk, "vera", PASSWORD, HOME)


def test_a_wrong_try_leaves_neither_name_nor_password_in_log_or_store(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    typed_wrongly = "my-password-in-the-name-field"
    with pytest.raises(Unauthorized):
        sessions.login(world.desk, typed_wrongly, "another-secret", HOME)

    stored = everything_in(world.control)
    for secret in (typed_wrongly, "another-secret"):
        assert secret not in caplog.text
        assert secret.encode() not in stored


def test_the_last_admin_stays(world: World) -> None:
    with pytest.raises(Conflict, match="last admin"):
        users.disable(world.desk, ADMIN, "ada")


def test_a_taken_name_a_short_password_and_an_unknown_user_are_refused(world: World) -> None:
    with pytest.raises(Conflict):
        users.create(world.desk, ADMIN, "vera", PASSWORD, Role.VIEWER)
    with pytest.raises(Unprocessable):
        users.create(world.desk, ADMIN, "new", "short", Role.VIEWER)
    with pytest.raises(NotFound):
        users.set_password(world.desk, ADMIN, "nobody", PASSWORD)


def test_everybody_may_change_their_own_password(world: World) -> None:
    users.set_password(world.desk, VIEWER, "vera", PASSWORD + "!")

    assert sessions.login(world.desk, "vera", PASSWORD + "!", HOME)


def test_logins_and_logouts_are_audited(world: World) -> None:
    secret = sessions.login(world.desk, "vera", PASSWORD, HOME)
    sessions.logout(world.desk, secret)

    assert [row.action for row in world.control.audit.page(2)] == ["session.logout", "session.login"]


def test_the_shipped_hash_costs_128_mebibytes() -> None:
    name, n, r, p = METHOD.split(":")

    assert name == "scrypt"
    assert 128 * int(n) * int(r) * int(p) == 128 * 2**20
