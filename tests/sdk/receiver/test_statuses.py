"""One table a source: each outcome and each refusal has its status, and a request that meets it (practices 3,
15 and 16). A 2xx ends the sender's work, everything else brings it back.
"""

from collections.abc import Callable
from typing import Any

import pytest

from hookvitals import BreakerPolicy, Event, MemoryState, Permanent, profile_of
from hookvitals.answers import STATUS_OF, TAKEN, table
from hookvitals.state import Claim, StateUnavailable
from tests.sdk.schemes.oracles import OrumLike
from tests.sdk.world import NOW, SECRET, URL, Answered, World, deliver, request

ORDERED = {"resource_path": "data.id", "version_path": "data.v"}
Case = Callable[[World], Answered]


def _succeeded(world: World) -> Answered:
    return deliver(world.receiver())


def _accepted(world: World) -> Answered:
    return deliver(world.inbox())


def _duplicate(world: World) -> Answered:
    receiver = world.receiver()
    deliver(receiver)
    return deliver(receiver)


def _stale(world: World) -> Answered:
    receiver = world.receiver(profile=ORDERED)
    deliver(receiver, "evt_2", data={"data": {"id": 1, "v": 2}})
    return deliver(receiver, "evt_1", data={"data": {"id": 1, "v": 1}})


def _unhandled(world: World) -> Answered:
    return deliver(world.receiver(handle="order.*"))


def _failed(world: World) -> Answered:
    def fail(event: Event) -> None:
        raise RuntimeError

    world.behave = fail
    return deliver(world.receiver())


def _dead_lettered(world: World) -> Answered:
    def refuse(event: Event) -> None:
        raise Permanent

    world.behave = refuse
    return deliver(world.receiver())


def _busy(world: World) -> Answered:
    receiver = world.receiver()
    met: list[Answered] = []
    world.behave = lambda event: met.append(deliver(receiver))
    deliver(receiver)
    return met[0]


def _circuit_open(world: World) -> Answered:
    def fail(event: Event) -> None:
        raise RuntimeError

    world.behave = fail
    receiver = world.receiver(breaker=BreakerPolicy(failures=1))
    deliver(receiver)
    return deliver(receiver, "evt_2")


def _out_of_turn(world: World) -> Answered:
    receiver = world.receiver(profile=ORDERED)
    met: list[Answered] = []
    world.behave = lambda event: met.append(deliver(receiver, "evt_2", data={"data": {"id": 1, "v": 2}}))
    deliver(receiver, "evt_1", data={"data": {"id": 1, "v": 1}})
    return met[0]


class _Away(MemoryState):
    """A state whose server does not answer."""

    def claim(self, key: str, now_us: int, lease_us: int) -> Claim:
        raise StateUnavailable("away")


def _unavailable(world: World) -> Answered:
    return deliver(world.receiver(state=_Away()))


def _signed(world: World, body: bytes) -> Answered:
    receiver = world.receiver()
    return Answered(receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body))


def _changed(world: World, **changes: str) -> Answered:
    headers, body = request()
    kept = [(name, changes.get(name.replace("-", "_"), value)) for name, value in headers]
    return Answered(world.receiver().handle("POST", URL, kept, body))


def _rate_limited(world: World) -> Answered:
    receiver = world.receiver(profile={"rate_per_minute": 1})
    deliver(receiver)
    return deliver(receiver, "evt_2")


CASES: dict[str, tuple[int, Case]] = {
    "succeeded": (200, _succeeded),
    "accepted": (200, _accepted),
    "duplicate": (200, _duplicate),
    "stale": (200, _stale),
    "unhandled": (200, _unhandled),
    "failed": (500, _failed),
    "dead_lettered": (422, _dead_lettered),
    "busy": (503, _busy),
    "unavailable": (503, _unavailable),
    "out_of_turn": (503, _out_of_turn),
    "circuit_open": (503, _circuit_open),
    "method_not_allowed": (405, lambda world: Answered(world.receiver().handle("PUT", URL, [], b""))),
    "too_large": (
        413,
        lambda world: Answered(world.receiver().handle("POST", URL, [], b"x" * (1 << 20 | 1))),
    ),
    "ip_not_allowed": (403, lambda world: deliver(world.receiver(allow_from=["10.0.0.0/8"]))),
    "missing_signature": (401, lambda world: Answered(world.receiver().handle("POST", URL, [], b"{}"))),
    "malformed_signature": (401, lambda world: _changed(world, webhook_signature="nonsense")),
    "unknown_key": (401, lambda world: _changed(world, webhook_signature="v9,AAAA")),
    "bad_signature": (401, lambda world: _changed(world, webhook_id="evt_2")),
    "timestamp_too_old": (401, lambda world: deliver(world.receiver(), at=NOW - 301)),
    "timestamp_in_future": (401, lambda world: deliver(world.receiver(), at=NOW + 301)),
    "rate_limited": (429, _rate_limited),
    "malformed_body": (400, lambda world: _signed(world, b"{")),
    "invalid_payload": (400, lambda world: _signed(world, b"{}")),
}


@pytest.mark.parametrize("name", CASES)
def test_each_outcome_is_answered_as_the_table_says(world: World, name: str) -> None:
    status, case = CASES[name]

    answer = case(world)

    assert answer.status == status == table(200, {})[name]
    if name in TAKEN:
        assert answer.body == b'{"ok":true}'
    else:
        assert answer.problem["code"] == name
    deliveries = [record for record in world.records() if "http_status" in record]
    mine = deliveries[0] if name in ("busy", "out_of_turn") else deliveries[-1]
    assert mine["http_status"] == status
    outcome = {"busy": "duplicate", "circuit_open": "failed", "unavailable": "failed"}.get(name, name)
    assert (mine.get("reason") or mine["outcome"]) == outcome


def test_every_row_of_the_table_has_its_case() -> None:
    assert set(CASES) == set(table(200, {})) == {*TAKEN, *STATUS_OF}


def test_a_source_may_be_answered_otherwise_in_both_directions(world: World) -> None:
    statuses = {"unhandled": 202, "invalid_payload": 422}
    receiver = world.receiver(handle="order.*", profile={"statuses": statuses})
    sign = receiver.settings.scheme.sign

    assert deliver(receiver).status == 202
    refused = Answered(receiver.handle("POST", URL, sign(b"{}", NOW), b"{}"))
    assert (refused.status, refused.problem["status"]) == (422, 422)


@pytest.mark.parametrize(
    ("system", "otherwise"),
    [
        ("zendesk", {"failed": 409}),  # which it tries again, a 500 never
        ("zoom", {"rate_limited": 503}),  # it tries nothing again below 500
        ("sns", {"rate_limited": 503, "unknown_key": 503}),  # a 4xx is its last word
        ("intercom", {"rate_limited": 503}),  # a 429 stops all its notifications for an hour and more
        ("stripe", {}),
    ],
)
def test_what_a_source_would_not_send_again_is_answered_so_that_it_does(
    system: str, otherwise: dict[str, int]
) -> None:
    said = profile_of(system).status_of()

    assert {name: said[name] for name in STATUS_OF if said[name] != STATUS_OF[name]} == otherwise


def test_a_failure_under_zendesk_comes_again(world: World) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError

    world.behave = fail
    receiver = world.receiver("zendesk", system=None, secrets=["s"])
    body = b'{"id": "1", "type": "zen:event-type:ticket.created"}'

    answer = Answered(receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body))

    assert (answer.status, answer.problem["code"]) == (409, "failed")


@pytest.mark.parametrize(
    "statuses",
    [
        {"bad_signature": 200},  # the worst that a receiver can do: the forger learns that it was believed
        {"missing_signature": 302},
        {"duplicate": 409},
        {"accepted": 500},
        {"succeeded": "200"},
        {"succeeded": 200.0},
        {"succeeded": None},
        {"gone": 410},
    ],
)
def test_a_table_that_would_lie_to_the_sender_is_refused(world: World, statuses: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="statuses"):
        world.receiver(profile={"statuses": statuses})


@pytest.mark.parametrize("system", ["hopnow", "scalekit", "orum", "stripe", "slack", "shopify", "gitlab"])
def test_no_answer_to_a_forgery_says_2xx_whatever_the_source(world: World, system: str) -> None:
    secret = OrumLike().pem if system == "orum" else SECRET
    receiver = world.receiver(system, system=None, allow_from=[], secrets=[secret])
    headers, body = request()

    assert Answered(receiver.handle("POST", URL, headers, body + b" ")).status == 401
