import hashlib
from collections.abc import Sequence

import pytest

from monitor.collector.keys import Key, KeySnapshot, authenticated
from monitor.errors import Forbidden, Unauthorized, Unavailable


def key(key_id: str, secret: str, **given: object) -> Key:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return Key(**({"id": key_id, "hash": digest, "scopes": frozenset({"ingest"})} | given))  # type: ignore[arg-type]


def ring(*keys: Key) -> KeySnapshot:
    made = KeySnapshot(lambda: keys)
    made.refresh()
    return made


def test_secret_may_hold_underscores_and_the_scheme_any_case() -> None:
    one = key("a1", "x_y_z")
    assert authenticated("bearer hv_a1_x_y_z", ring(one), "ingest") == one


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer hv_a1_",
        "Bearer hv__s",
        "Basic hv_a1_s",
        "Bearer hv_a1_S",
        "hv_a1_s",
        "Bearer hv_a1_\udcff",
    ],
)
def test_anything_but_the_key_is_unauthorized(header: str | None) -> None:
    with pytest.raises(Unauthorized):
        authenticated(header, ring(key("a1", "s")), "ingest")


def test_missing_scope_is_forbidden_and_named() -> None:
    with pytest.raises(Forbidden, match="operate"):
        authenticated("Bearer hv_a1_s", ring(key("a1", "s")), "operate")


def test_keys_stay_known_while_the_control_store_is_away() -> None:
    answers: list[Sequence[Key] | Exception] = [OSError("locked"), [key("a1", "s")], OSError("gone"), []]

    def load() -> Sequence[Key]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    snapshot = KeySnapshot(load)
    assert (snapshot.refresh(), snapshot.is_loaded) == (False, False)
    assert (snapshot.refresh(), snapshot.is_loaded) == (True, True)
    assert (snapshot.refresh(), snapshot.find("a1") is not None) == (False, True)
    assert (snapshot.refresh(), snapshot.find("a1")) == (True, None)


def test_no_secret_or_hash_stands_in_a_repr() -> None:
    assert key("a1", "s").hash not in repr(key("a1", "s"))


def test_no_key_is_called_wrong_before_the_keys_were_read() -> None:
    def away() -> list[Key]:
        raise ConnectionError

    snapshot = KeySnapshot(away)
    snapshot.refresh()

    with pytest.raises(Unavailable) as refused:
        authenticated("Bearer hv_a1_s", snapshot, "ingest")
    assert refused.value.retry_after_s
