"""Two writers at once, on either database: one wins, and what follows from a read is never lost."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import TypeVar

from alerts.model import Ack
from monitor.dead_letters import LetterKey, LetterRecord, LetterState
from monitor.errors import LeaseLost
from monitor.model import Outcome
from monitor.replay.letters import standing_of
from monitor.store.control import Control
from monitor.store.control.audit import Verified
from monitor.store.control.leases import WORKER
from tests.control import lead
from tests.monitor.clocks import START
from tests.monitor.store.control.test_alerts import firing, notification

T = TypeVar("T")
KEY = LetterKey("production", "stripe", "payments", "evt_1")


def at_once(*works: Callable[[], T]) -> list[T]:
    """What each returns, all begun together."""
    start = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        start.wait(10)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def each(work: Callable[[int], T], times: int = 4) -> list[T]:
    return at_once(*[partial(work, n) for n in range(times)])


def test_of_many_that_see_a_free_lease_one_takes_it(control: Control) -> None:
    won = each(lambda n: control.leases.take(WORKER, f"w{n}", None))

    assert sorted(epoch for epoch in won if epoch is not None) == [1]


def test_of_many_that_saw_the_same_lease_one_takes_it_over(control: Control) -> None:
    lead(control)
    seen = control.leases.read(WORKER)

    won = each(lambda n: control.leases.take(WORKER, f"w{n}", seen))

    assert [epoch for epoch in won if epoch is not None] == [2]


def test_a_takeover_comes_before_or_after_a_leaders_writes_never_between(control: Control) -> None:
    epoch = lead(control)
    alert = firing()

    def write() -> bool:
        try:
            control.alerts.apply(epoch, alert, [], [notification(alert)])
        except LeaseLost:
            return False
        return True

    wrote, _ = at_once(write, lambda: lead(control, "another") > 0)

    assert (control.alerts.get(alert.fingerprint) is not None) == wrote
    assert bool(control.notifications.due(START, 10)) == wrote


def test_of_many_that_claim_a_notification_one_may_send_it(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [notification(alert)])
    key, until = notification(alert).key, START + timedelta(minutes=1)

    assert sorted(each(lambda _: bool(control.notifications.claim([key], until, epoch)))) == [False] * 3 + [
        True
    ]


def test_a_round_of_the_evaluator_never_takes_back_an_acknowledgement(control: Control, epoch: int) -> None:
    alert = firing()
    control.alerts.apply(epoch, alert, [], [])

    def acknowledge() -> None:
        with control.write() as tx:
            control.alerts.acknowledge(tx, alert.fingerprint, Ack("ada", START))

    at_once(acknowledge, *[lambda: control.alerts.apply(epoch, alert, [], [])] * 3)

    found = control.alerts.get(alert.fingerprint)
    assert found is not None
    assert found.ack == Ack("ada", START)


def test_a_letter_stands_where_all_its_records_put_it(control: Control, epoch: int) -> None:
    def hear(n: int) -> None:
        record = LetterRecord(
            f"record-{n}", START + timedelta(seconds=n), Outcome.DEAD_LETTERED, "invoice.paid", attempt=n + 1
        )
        with control.leading(epoch) as tx:
            control.letters.hear(tx, KEY, record)
            standing = standing_of(control.letters.records_within(tx, KEY.id))
            assert standing is not None
            control.letters.put(tx, KEY.id, standing)

    each(hear, 4)

    letter = control.letters.get(KEY.id)
    assert letter is not None
    assert (letter.standing.state, letter.standing.attempt) == (LetterState.OPEN, 4)
    assert len(control.letters.records(KEY.id)) == 4


def test_the_audit_stays_one_chain_from_its_first_row(control: Control) -> None:
    def act(n: int) -> Sequence[int]:
        seqs = []
        for turn in range(5):
            with control.write() as tx:
                seqs.append(
                    control.audit.append(tx, START, f"p{n}", "admin", "cli", "key.create", f"{turn}", {})
                )
        return seqs

    rows = each(act)

    assert sorted(seq for seqs in rows for seq in seqs) == list(range(1, 21))
    assert control.audit.verify() == Verified(20)


def test_configurations_applied_at_once_get_numbers_in_a_row(control: Control) -> None:
    def add(n: int) -> int:
        with control.write() as tx:
            return control.configs.add(tx, {"n": n}, "hookvitals.toml", "ada", START)[0]

    assert sorted(each(add)) == [1, 2, 3, 4]
