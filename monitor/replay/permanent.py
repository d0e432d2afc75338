"""The alert about letters that five replays could not mend: one an endpoint. Pure: no store, no clock."""

from dataclasses import replace
from datetime import datetime

from alerts.model import Alert, Change, Evidence, Severity, State, Transition, fingerprint_of
from monitor.dead_letters import PERMANENT_LETTER

RULE = PERMANENT_LETTER


def fingerprint(environment: str, source: str, endpoint: str) -> str:
    return fingerprint_of(RULE, _labels(environment, source, endpoint))


def permanent_alert(
    known: Alert | None, environment: str, source: str, endpoint: str, letters: int, now: datetime
) -> tuple[Alert, Transition | None] | None:
    """The alert once the endpoint has `letters` permanent ones; None when there is no alert to make.

    The transition is None when it fires already and only its number changes.
    """
    if letters == 0:
        return _resolved(known, now) if known is not None and known.state is State.FIRING else None
    which = "1 event" if letters == 1 else f"{letters} events"
    evidence = Evidence(
        f"{which} of {source}/{endpoint} set aside after five failed replays",
        value=float(letters),
        threshold=0.0,
        unit="events",
    )
    if known is not None and known.state is State.FIRING:
        return replace(known, evidence=evidence, last_evaluated_at=now, last_breach_at=now), None
    labels = _labels(environment, source, endpoint)
    alert = Alert(
        fingerprint=fingerprint_of(RULE, labels),
        rule=RULE,
        kind=PERMANENT_LETTER,
        severity=Severity.ERROR,
        labels=labels,
        state=State.FIRING,
        since=now,
        last_evaluated_at=now,
        evidence=evidence,
        firing_since=now,
        last_breach_at=now,
        revision=1 if known is None else known.revision + 1,
        episode=1 if known is None else known.episode + 1,
    )
    return alert, _transition(alert, State.INACTIVE if known is None else known.state, Change.BREACH_STARTED)


def _resolved(known: Alert, now: datetime) -> tuple[Alert, Transition]:
    evidence = replace(known.evidence, summary="No event is set aside any more", value=0.0)
    alert = replace(
        known,
        state=State.RESOLVED,
        since=now,
        resolved_at=now,
        last_evaluated_at=now,
        evidence=evidence,
        revision=known.revision + 1,
    )
    return alert, _transition(alert, State.FIRING, Change.RECOVERED)


def _transition(alert: Alert, before: State, why: Change) -> Transition:
    return Transition(
        alert.fingerprint,
        alert.revision,
        before,
        alert.state,
        alert.severity,
        alert.since,
        why,
        alert.evidence.summary,
    )


def _labels(environment: str, source: str, endpoint: str) -> dict[str, str]:
    return {"environment": environment, "source": source, "endpoint": endpoint}
