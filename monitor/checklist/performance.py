"""Performance: work after the answer, many deliveries at once, and somebody who is told."""

from dataclasses import replace

from alerts.wording import counted, moment, number, percent
from monitor import figures
from monitor.checklist.evidence import FRESH, Found, Judge, Shown, Verdict, none_yet, seen
from monitor.checklist.reliability import ENOUGH, in_time, within
from monitor.model import Outcome

BUSY = 60
"""Deliveries of one minute that count as load."""
SOON_MS = 1000.0
"""An answer that leaves within it did not wait for slow work."""


def later(shown: Shown) -> Found:
    accepted = shown.week.outcome(Outcome.ACCEPTED)
    if accepted:
        last = seen(shown.now, lambda one: one.outcome(Outcome.ACCEPTED), shown.days).last
        said = f"{number(accepted)} events acknowledged first and processed later in 7 d"
        return Found(Verdict.PASS, said, last)
    found = within(SOON_MS)(shown)
    if found.verdict is Verdict.UNKNOWN:
        return found
    return replace(found, said=f"processed before the answer; {found.said}")


def loaded(*, anywhere: bool) -> Judge:
    """Whether the busiest hour was answered in time. anywhere: a test of load elsewhere counts, too."""

    def judge(shown: Shown) -> Found:
        mine = [one for one in shown.rushes if anywhere or one.elsewhere is None]
        rush = max(mine, key=lambda one: one.a_minute, default=None)
        if rush is None or rush.a_minute < BUSY:
            most = number(rush.a_minute if rush else 0)
            return none_yet(f"at most {most} deliveries a minute in {FRESH.days} d", shown.now)
        where = f" in {rush.elsewhere}" if rush.elsewhere else ""
        busy = f"{number(rush.a_minute)} deliveries in the busiest minute{where}, {moment(rush.at)}"
        if rush.answers.count < ENOUGH:
            return none_yet(f"{busy}; {counted(rush.answers.count, 'answer')} timed", shown.now)
        found = in_time(rush.answers, shown.terms.ack_deadline.total_seconds() * 1000, rush.at)
        return replace(found, said=f"{busy}; {found.said}")

    return judge


def watched(shown: Shown) -> Found:
    """Errors and times are watched by the rules that are shipped; what may be missing is who is told."""
    if not shown.channels:
        return Found(Verdict.FAIL, "alerts reach nobody: no channel is configured")
    for name, told in shown.channels.items():
        if told is not None and not told.took:
            return Found(Verdict.FAIL, f"{name} gave up a message {moment(told.at)}: {told.error}", told.at)
    for name, told in shown.channels.items():
        if told is None or shown.now - told.at > FRESH:
            said = f"{name} took no message in {FRESH.days} d; try `hookvitals channel test {name}`"
            return none_yet(said, shown.now, told.at if told else None)
    rate = figures.attempt_error_rate(shown.week).share
    now = "no attempt yet" if rate is None else f"error rate {percent(rate)} in 7 d"
    times = {name: told.at for name, told in shown.channels.items() if told is not None}
    arrived = ", ".join(f"{name} took a message {moment(at)}" for name, at in times.items())
    return Found(Verdict.PASS, f"{now}; {arrived}", min(times.values()))
