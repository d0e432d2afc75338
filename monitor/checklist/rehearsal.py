"""Testing: events that were made up, other environments, what must be refused."""

from alerts.wording import counted, moment
from monitor import figures
from monitor.checklist.evidence import FRESH, Found, Shown, Verdict, latest, none_yet, seen
from monitor.checklist.reliability import copied
from monitor.checklist.security import forged
from monitor.model import Outcome, ProbeKind
from monitor.rollup import Rollup

BROKEN = (Outcome.FAILED, Outcome.DEAD_LETTERED, Outcome.REJECTED)


def rehearsed(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.CANARY)
    if probe is not None and not probe.ok:
        said = f"a signed test event did not come through: {probe.error or probe.http_status}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    if probe is not None:
        said = f"a signed test event came through {moment(probe.checked_at)}"
        return Found(Verdict.PASS, said, probe.checked_at)
    sent = seen(shown.now, _canaries, shown.days, *shown.elsewhere.values())
    if sent.times:
        return Found(
            Verdict.PASS, f"{counted(sent.times, 'signed test event')} came through {sent.lately}", sent.last
        )
    return none_yet("no test event was seen; probe_canary = true sends them", shown.now, sent.last)


def _canaries(one: Rollup) -> int:
    """Those that came through."""
    ended = figures.outcomes(one, figures.CANARIES)
    return sum(n for outcome, n in ended.items() if outcome not in BROKEN)


def staged(shown: Shown) -> Found:
    found = {name: seen(shown.now, Rollup.records, days) for name, days in sorted(shown.elsewhere.items())}
    last = latest(*(one.last for one in found.values()))
    fresh = [
        f"{name}: {counted(one.times, 'record')} {one.lately}" for name, one in found.items() if one.times
    ]
    if fresh:
        return Found(Verdict.PASS, ", ".join(fresh), last)
    return none_yet(f"no record in another environment in {FRESH.days} d", shown.now, last)


def refusals(shown: Shown) -> Found:
    """`hookvitals send` tries both, in production or elsewhere."""
    kept = shown.days, *shown.elsewhere.values()
    forgeries = seen(shown.now, forged, *kept)
    copies = seen(shown.now, copied, *kept)
    last = min(filter(None, (forgeries.last, copies.last)), default=None)
    if forgeries.times and copies.times:
        said = (
            f"{counted(forgeries.times, 'forged request')} refused {forgeries.lately};"
            f" {counted(copies.times, 'duplicate')} recognised {copies.lately}"
        )
        return Found(Verdict.PASS, said, last)
    lacking = " and no ".join(
        name for name, one in (("forgery", forgeries), ("copy", copies)) if not one.times
    )
    return none_yet(f"no {lacking} was seen in {FRESH.days} d", shown.now, last)
