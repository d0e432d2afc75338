"""Every rate and what it means, once: rules, pages, metrics and reports all take them from here.

Each takes the Rollup of some window and gives a Rate: the share, and the two counts behind it. An empty
window has no share: it is "no data", never 0 % and never 100 %. Pure: no store, no clock.
"""

from collections.abc import Collection
from dataclasses import dataclass

from monitor.model import OUTCOMES, VERIFICATION_FAILURES, Outcome, Reason
from monitor.rollup import OFF_TIME, REDELIVERED, STUCK_ACCEPTED, STUCK_FINAL, Rollup

ORDINARY, REPLAYS, CANARIES = 0, 1, 2
"""The three sets a rollup counts outcomes in."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`part` of `whole`."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """0..1; None when there was nothing to take a share of."""
        return self.part / self.whole if self.whole else None


def attempt_error_rate(rollup: Rollup) -> Rate:
    """Failed and dead-lettered of all attempts; replays and canaries excluded."""
    return Rate(failures(rollup), attempts(rollup))


def event_success(rollup: Rollup) -> Rate:
    """Succeeded of all events that ended, well or dead: what an SLA and a burn rate count.

    Replays are excluded; `recovered` is a line of its own. So are canaries: they are nobody's event.
    """
    succeeded = rollup.outcome(Outcome.SUCCEEDED)
    return Rate(succeeded, succeeded + rollup.outcome(Outcome.DEAD_LETTERED))


def ack_success(rollup: Rollup, expected: Collection[int] = ()) -> Rate:
    """Deliveries answered as expected, of those that were not rejected.

    expected: the statuses that the source takes for "received"; empty takes every 2xx.
    """
    statuses = rollup.statuses(rejected=False)
    good = sum(n for status, n in statuses.items() if _is_expected(status, expected))
    return Rate(good, sum(statuses.values()))


def verification_failure_rate(rollup: Rollup) -> Rate:
    """Deliveries whose signature, time or address did not verify, of all deliveries."""
    return Rate(verification_failures(rollup), deliveries(rollup))


def attempts(rollup: Rollup) -> int:
    """How often a handler ran; replays and canaries excluded."""
    return rollup.outcome(Outcome.SUCCEEDED) + failures(rollup)


def failures(rollup: Rollup) -> int:
    """Attempts that failed, for now or for good."""
    return rollup.outcome(Outcome.FAILED) + rollup.outcome(Outcome.DEAD_LETTERED)


def deliveries(rollup: Rollup) -> int:
    """Requests that were answered: what the sender saw."""
    return sum(rollup.statuses().values())


def verification_failures(rollup: Rollup) -> int:
    """Rejections for a signature, a time or an address; a rate limit or a bad body is none."""
    return sum(verification_reasons(rollup).values())


def verification_reasons(rollup: Rollup) -> dict[Reason, int]:
    """Verification failures per reason, without the zeros."""
    return {reason: n for reason, n in rollup.reasons().items() if reason in VERIFICATION_FAILURES}


def redelivered(rollup: Rollup) -> int:
    """Deliveries of an event that had been tried before: its sender did not take the last answer for a good
    one. A copy of an event that is done counts as a duplicate instead."""
    return rollup.counts.get(REDELIVERED, 0)


def off_time(rollup: Rollup) -> int:
    """Deliveries that verified although they were signed more than 30 s before or after their receipt: a
    clock runs wrong, or an old event came again."""
    return rollup.counts.get(OFF_TIME, 0)


def acknowledged(rollup: Rollup) -> int:
    """Events received in this time that were acknowledged to be worked on later."""
    return rollup.counts.get(STUCK_ACCEPTED, 0)


def stuck(rollup: Rollup) -> int:
    """Those of them that have not ended."""
    return max(0, acknowledged(rollup) - rollup.counts.get(STUCK_FINAL, 0))


def recovered(rollup: Rollup) -> int:
    """Events that a replay brought to a good end."""
    return rollup.outcome(Outcome.SUCCEEDED, REPLAYS)


def status_classes(rollup: Rollup) -> dict[str, int]:
    """Deliveries per class of answer, as in {"2xx": 9}, without the zeros."""
    found: dict[str, int] = {}
    for status, n in sorted(rollup.statuses().items()):
        name = f"{status // 100}xx"
        found[name] = found.get(name, 0) + n
    return found


def outcomes(rollup: Rollup, kind: int = ORDINARY) -> dict[Outcome, int]:
    """Records per outcome, without the zeros, in the order of Outcome."""
    found = {outcome: rollup.outcome(outcome, kind) for outcome in OUTCOMES}
    return {outcome: n for outcome, n in found.items() if n}


def _is_expected(status: int, expected: Collection[int]) -> bool:
    return status in expected if expected else 200 <= status < 300
