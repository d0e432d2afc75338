"""Many signed events at a fixed rate over several connections: how a receiver fares under load.

Events fall due by the clock, not when the one before was answered, and an answer is timed from when its event
was due: a receiver that stalls is seen to stall, however few connections there are. Measures, never judges.
"""

import itertools
import math
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from hookvitals.connection import Connection
from hookvitals.mix import is_expected

MOST_CONNECTIONS = 256
MOST_EVENTS = 1_000_000
MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Planned:
    """One request to send. kind: of the mix; says which answer is expected."""

    headers: Sequence[Tuple[str, str]]
    body: bytes
    kind: str = "valid"


@dataclass(frozen=True)
class Answered:
    """What became of one event. told: `HTTP 200`, or what went wrong; seconds: since it was due."""

    told: str
    seconds: float
    kind: str = "valid"
    expected: bool = True


@dataclass(frozen=True)
class Report:
    """Every answer, and how long all took together."""

    answers: Sequence[Answered]
    took_s: float

    @property
    def all_expected(self) -> bool:
        return bool(self.answers) and all(answer.expected for answer in self.answers)

    def by_answer(self) -> Dict[str, int]:
        """How often each was told, the most frequent first."""
        return _counted([answer.told for answer in self.answers])

    def by_kind(self) -> Dict[str, Dict[str, int]]:
        """The same for each kind, kinds in the order they came."""
        kinds = dict.fromkeys(answer.kind for answer in self.answers)
        return {kind: _counted([one.told for one in self.answers if one.kind == kind]) for kind in kinds}

    def quantile_ms(self, q: float) -> float:
        """The nearest rank of the times of all answers, errors included. At least one answer."""
        ordered = sorted(answer.seconds for answer in self.answers)
        return 1000 * ordered[max(1, math.ceil(q * len(ordered))) - 1]

    def lines(self) -> List[str]:
        """For people."""
        if not self.answers:
            return ["no event was sent"]
        count = len(self.answers)
        times = ", ".join(
            f"{name} {self.quantile_ms(q):.1f} ms"
            for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        )
        return [
            f"{count} events in {self.took_s:.1f} s, {count / self.took_s:.1f} a second",
            *self._count_lines(),
            f"from due to answered: {times}",
        ]

    def _count_lines(self) -> List[str]:
        unexpected = {(answer.kind, answer.told) for answer in self.answers if not answer.expected}
        kinds = self.by_kind()
        return [
            f"{n:>8}  "
            + (f"{kind:<17}  " if len(kinds) > 1 else "")
            + told
            + ("  not expected" if (kind, told) in unexpected else "")
            for kind, counts in kinds.items()
            for told, n in counts.items()
        ]


def run(
    url: str,
    planned: Callable[[int], Planned],
    count: Optional[int] = None,
    *,
    for_s: Optional[float] = None,
    rate: Optional[float] = None,
    connections: int = 1,
) -> Report:
    """Sends the events 0 to `count` - 1, each made by `planned` in its turn, and waits for the answers.

    for_s: none falls due later than this; with a count, whichever comes first. rate: events a second;
    without one each connection sends as soon as it was answered. An interrupt ends it early, with a report of
    what was sent. Raises ValueError for senseless numbers or an address without http.
    """
    if count is None and for_s is None:
        raise ValueError("expected a number of events, or a time to send for")
    number = MOST_EVENTS if count is None else count
    if not 1 <= number <= MOST_EVENTS or not 1 <= connections <= MOST_CONNECTIONS:
        raise ValueError(
            f"expected at least one event, at most {MOST_EVENTS}, and 1 to {MOST_CONNECTIONS} connections"
        )
    if rate is not None and not 0 < rate < math.inf:
        raise ValueError("expected a rate above zero")
    if for_s is not None and not 0 < for_s <= MOST_SECONDS:
        raise ValueError(f"expected a time above zero and of {MOST_SECONDS:.0f} s at most")
    senders = _Senders(planned, number, rate, for_s or math.inf)
    lines = [Connection(url) for _ in range(min(connections, number))]
    began = time.perf_counter()
    threads = [threading.Thread(target=senders.work, args=(line, began)) for line in lines]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        senders.end.set()
        for thread in threads:
            thread.join()
    if senders.failure is not None:
        raise senders.failure
    return Report(senders.answers, time.perf_counter() - began)


class _Senders:
    """What the threads share; each has a connection of its own."""

    def __init__(
        self, planned: Callable[[int], Planned], count: int, rate: Optional[float], for_s: float
    ) -> None:
        self._planned = planned
        self._rate = rate
        self._for_s = for_s
        self._numbers: Iterator[int] = iter(range(count))  # next() of it is atomic
        self.answers: List[Answered] = []
        self.end = threading.Event()
        self.failure: Optional[Exception] = None

    def work(self, connection: Connection, began: float) -> None:
        try:
            for number in itertools.takewhile(lambda _: not self.end.is_set(), self._numbers):
                one = self._planned(number)
                after_s = time.perf_counter() - began if self._rate is None else number / self._rate
                if after_s >= self._for_s:
                    return
                due = began + after_s
                if self.end.wait(max(0.0, due - time.perf_counter())):
                    return
                told = connection.send(dict(one.headers), one.body)
                took_s = time.perf_counter() - due
                expected = is_expected(one.kind, told.status)
                self.answers.append(Answered(told.told, took_s, one.kind, expected))
        except (ValueError, RuntimeError) as exc:  # what cannot be signed stops all of them
            self.failure = exc
            self.end.set()
        finally:
            connection.close()


def _counted(told: Sequence[str]) -> Dict[str, int]:
    counts: Dict[str, int] = {}
    for one in told:
        counts[one] = counts.get(one, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
