"""Security: signatures, HTTPS, who gets in, and that no login stands before the endpoint."""

from datetime import timedelta

from alerts.sightings import Aspect
from alerts.wording import counted, moment, number
from monitor import figures
from monitor.checklist.evidence import FRESH, Found, Shown, Verdict, latest, none_yet, seen
from monitor.model import ProbeKind, Reason
from monitor.rollup import Rollup

CERTIFICATE_LEFT = timedelta(days=14)
FORGED = (Reason.MISSING_SIGNATURE, Reason.MALFORMED_SIGNATURE, Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY)


def signatures(shown: Shown) -> Found:
    week, probe = shown.week, shown.probes.get(ProbeKind.UNSIGNED)
    refused = seen(shown.now, forged, shown.days)
    taken = sum(n for status, n in week.statuses(rejected=True).items() if 200 <= status < 300)
    known = [one.last_at for one in shown.sightings if one.aspect is Aspect.SECRET]
    used = max(known, default=None)
    if probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300:
        said = f"an unsigned POST was answered {probe.http_status} {moment(probe.checked_at)}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    if figures.verification_failures(week) and taken:
        return Found(Verdict.FAIL, f"{number(taken)} rejected deliveries were answered 2xx in 7 d", shown.now)
    asked = probe if probe is not None and probe.ok else None
    verified = used if used is not None and shown.now - used <= FRESH else None
    if verified is None and asked is None and not refused.times:
        said = "no delivery said which secret verified it; probe_exposure = true would ask"
        return none_yet(said, shown.now, latest(used, refused.last))
    whole = figures.deliveries(week) - figures.verification_failures(week)
    parts = [f"{number(whole)} deliveries verified in 7 d"]
    if refused.times:
        parts.append(f"{counted(refused.times, 'forged request')} refused {refused.lately}")
    if asked is not None:
        parts.append(f"an unsigned POST was answered {asked.http_status} {moment(asked.checked_at)}")
    newest = latest(verified, refused.last, asked.checked_at if asked else None)
    return Found(Verdict.PASS, ", ".join(parts), newest)


def encrypted(shown: Shown) -> Found:
    if shown.url is not None and not shown.url.startswith("https://"):
        return Found(Verdict.FAIL, "the endpoint's address is plain http", shown.now)
    probe = shown.probes.get(ProbeKind.TLS)
    if probe is None:
        return none_yet("no certificate was looked at in 3 d; give the endpoint its url", shown.now)
    ends_at, on = probe.cert_not_after, probe.checked_at
    if not probe.ok:
        said = f"the certificate does not hold: {probe.error or 'see the probes'}"
        return Found(Verdict.FAIL, said, on)
    if ends_at is not None and ends_at - shown.now < CERTIFICATE_LEFT:
        return Found(Verdict.FAIL, f"the certificate ends {moment(ends_at)}", on)
    until = f", valid until {moment(ends_at)}" if ends_at is not None else ""
    return Found(Verdict.PASS, f"the certificate holds{until}, looked at {moment(on)}", on)


def addresses(shown: Shown) -> Found:
    refused = seen(shown.now, lambda one: one.reasons().get(Reason.IP_NOT_ALLOWED, 0), shown.days)
    known = sum(one.aspect is Aspect.ADDRESS for one in shown.sightings)
    if refused.times:
        said = f"{counted(refused.times, 'request')} from foreign addresses refused {refused.lately}"
        return Found(Verdict.PASS, said, refused.last)
    said = f"no foreign address was refused in {FRESH.days} d, {number(known)} addresses are known"
    return none_yet(said, shown.now, refused.last)


def no_login(shown: Shown) -> Found:
    probe = shown.probes.get(ProbeKind.UNSIGNED)
    accepted = probe is not None and probe.http_status is not None and 200 <= probe.http_status < 300
    if probe is not None and not probe.ok and not accepted:
        said = f"an unsigned POST did not reach the receiver: {probe.error or probe.http_status}"
        return Found(Verdict.FAIL, said, probe.checked_at)
    verified = figures.deliveries(shown.week) - figures.verification_failures(shown.week)
    last = seen(shown.now, figures.deliveries, shown.days).last
    if verified:
        said = f"{number(verified)} deliveries of the provider came through in 7 d"
        return Found(Verdict.PASS, said, last)
    return none_yet("nothing was delivered in 7 d", shown.now, last)


def forged(one: Rollup) -> int:
    """Refused for its signature."""
    return sum(n for reason, n in one.reasons().items() if reason in FORGED)
