from hypothesis import given
from hypothesis import strategies as st

from monitor.dead_letters import Item, ItemState, LetterKey
from monitor.replay.brake import STOP_AFTER, Pace, must_stop, sendable

FAILED, SUCCEEDED, UNCONFIRMED = ItemState.FAILED, ItemState.SUCCEEDED, ItemState.UNCONFIRMED


def item(number: int, endpoint: str = "payments") -> Item:
    key = LetterKey("production", "stripe", endpoint, f"evt_{number}")
    return Item(f"ri_{number}", "rp_1", number, key.id, key, ItemState.PLANNED)


def test_five_failures_in_a_row_stop_and_four_do_not() -> None:
    assert must_stop([FAILED] * STOP_AFTER)
    assert not must_stop([FAILED] * (STOP_AFTER - 1))


def test_a_success_among_the_last_five_lets_it_go_on() -> None:
    assert not must_stop([FAILED] * 4 + [SUCCEEDED] + [FAILED] * 20)


def test_unconfirmed_items_neither_count_nor_interrupt() -> None:
    assert must_stop([FAILED, UNCONFIRMED, FAILED, FAILED, UNCONFIRMED, FAILED, FAILED])
    assert not must_stop([UNCONFIRMED] * 20)


def test_no_endpoint_has_more_on_its_way_than_the_limit() -> None:
    planned = [item(n) for n in range(5)] + [item(9, "refunds")]

    chosen = sendable(planned, [item(20), item(21)], limit=3, tokens=100)

    assert [one.id for one in chosen] == ["ri_0", "ri_9"]


def test_no_more_are_sent_than_there_are_tokens() -> None:
    assert len(sendable([item(n) for n in range(9)], [], limit=99, tokens=2.9)) == 2
    assert sendable([item(1)], [], limit=99, tokens=0.9) == []


@given(st.lists(st.floats(0.01, 30), min_size=1, max_size=40), st.floats(0.1, 50))
def test_the_pace_is_never_exceeded(waits_s: list[float], per_second: float) -> None:
    pace, now_s, sent = Pace.start(per_second, 0.0), 0.0, 0
    for wait_s in waits_s:
        now_s += wait_s
        pace = pace.refilled(now_s)
        events = int(pace.tokens)
        pace, sent = pace.spent(events), sent + events

    assert sent <= per_second * now_s + 1 + 1e-6
