"""Any order, duplication and lateness of batches: rollups + deltas = a recount of what was stored."""

import tempfile
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import OUTCOMES, REASONS, SeriesKey
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.monitor.clocks import FakeClock
from tests.monitor.store.facts.making import START_US, Made, batch_of
from tests.monitor.store.facts.recounting import comparable, recount, stored_figures

DAY_US = 86_400_000_000
KEYS = [
    SeriesKey(environment, source, endpoint, kind)
    for environment in ("production", "dev")
    for source, endpoint in (("orum", "payouts"), ("orum", "refunds"), ("svix", "payouts"))
    for kind in ("created", "updated")
]

Step = str | list[list[int]]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.lists(st.lists(st.integers(0, 29), max_size=12), min_size=1, max_size=3)
    | st.sampled_from(["fold", "reopen"]),
    max_size=8,
)
"""What happens to the store: groups of batches of record numbers, folds, restarts."""


def thirty(chance: Random) -> list[Made]:
    """Records of every kind over six days, some of them at the edges of minutes and days."""
    day = START_US // DAY_US * DAY_US
    edges = [START_US, day, day - 1, day + 3_600_000_000]

    def time() -> int:
        return chance.choice([*edges, START_US + chance.randrange(-3 * DAY_US, 3 * DAY_US)])

    def duration() -> int | None:
        return chance.choice([None, 0, chance.randrange(10 ** chance.randint(1, 11))])

    return [
        Made(
            number=number,
            at_us=time(),
            key=chance.choice(KEYS),
            outcome=chance.choice(OUTCOMES).value,
            received_us=chance.choice([None, time()]),
            event_id=chance.choice([None, "a", "b"]),
            reason=chance.choice([None, *REASONS]),
            status=chance.choice([None, 200, 404, 503]),
            durations=(duration(), duration(), duration(), duration(), duration()),
            error=chance.choice([None, "Timeout", "KeyError"]),
            replay_id=chance.choice([None, None, "r1"]),
            canary=chance.random() < 0.2,
        )
        for number in range(30)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32).map(Random), STEPS)
def test_rollups_and_deltas_equal_a_recount(chance: Random, happening: list[Step]) -> None:
    records = thirty(chance)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.db"
        create(path)
        writer = SqliteFactWriter(path, FakeClock())
        sent: dict[bytes, Made] = {}
        for step in happening:
            if step == "fold":
                writer.fold()
            elif step == "reopen":
                writer.close()
                writer = SqliteFactWriter(path, FakeClock())
            elif not isinstance(step, str):
                batches = [[records[i] for i in batch] for batch in step]
                new = {r.record_id: r for batch in batches for r in batch if r.record_id not in sent}
                done = writer.append([batch_of(writer, batch) for batch in batches])
                assert sum(a.accepted for a in done) == len(new)
                assert [a.accepted + a.duplicates for a in done] == [len(batch) for batch in batches]
                sent |= new
            assert stored_figures(path) == {p: comparable(f) for p, f in recount(sent.values()).items()}
        writer.close()
