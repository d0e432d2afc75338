"""Values as table rows: each field's raw value, and beside it the text, tone and link its cell shows."""

from collections.abc import Mapping
from datetime import datetime

from alerts.issues import OTHER_MESSAGE
from dashboard import format as fmt
from dashboard.links import endpoint_link, event_link, issue_link
from dashboard.palette import OUTCOME_TONES, Tone
from dashboard.scope import Scope
from dashboard.views import EndpointLine, IssueLine, LetterLine
from monitor.model import Record

Row = dict[str, object]
ISSUE_TONES: Mapping[str, Tone] = {
    "new": Tone.ERROR,
    "regressed": Tone.CRITICAL,
    "ongoing": Tone.WARNING,
    "resolved": Tone.OK,
}
_CERT_DAYS = ((1, Tone.CRITICAL), (7, Tone.ERROR), (14, Tone.WARNING))


def endpoint_row(line: EndpointLine, scope: Scope, now: datetime, threshold: float | None) -> Row:
    """One endpoint of the overview."""
    figures = line.figures
    status, tone = endpoint_status(line, threshold)
    days = None if line.cert_not_after is None else (line.cert_not_after - now).total_seconds() / 86_400
    return {
        "id": f"{line.source}/{line.endpoint}",
        "endpoint": line.endpoint,
        "endpoint_under": line.source,
        "endpoint_href": endpoint_link(line.source, line.endpoint, scope.bare()),
        "status": status,
        "status_tone": tone.value,
        **_shown("deliveries", figures.deliveries, fmt.count(figures.deliveries)),
        **_shown("success", figures.event_success, fmt.percent(figures.event_success)),
        **_shown("error_rate", figures.error_rate, fmt.percent(figures.error_rate)),
        **({"error_rate_class": "worse"} if _burns(line, threshold) else {}),
        **_shown("p95", figures.p95_ms, fmt.millis(figures.p95_ms)),
        **_shown("ack", figures.ack_success, fmt.percent(figures.ack_success)),
        **_queue(line),
        **_shown("letters", line.dead_letters, fmt.count(line.dead_letters)),
        **_probe(line),
        **_certificate(days),
        "last": line.last_record_at and line.last_record_at.isoformat(),
        "last_text": fmt.minute_ago(line.last_record_at, now),
        "last_title": fmt.moment(line.last_record_at),
    }


def endpoint_status(line: EndpointLine, threshold: float | None) -> tuple[str, Tone]:
    """One word for an endpoint, worst first."""
    if line.firing:
        return f"{line.firing} firing", Tone.CRITICAL
    if line.healthy is False:
        return "down", Tone.CRITICAL
    if _burns(line, threshold):
        return "failing", Tone.ERROR
    if line.dead_letters:
        return "dead letters", Tone.WARNING
    if not line.figures.records:
        return fmt.NO_DATA, Tone.NEUTRAL
    return "healthy", Tone.OK


def record_row(record: Record, scope: Scope) -> Row:
    """One record of the events page."""
    event = record.event_id
    return {
        "id": str(record.record_id),
        "at": record.recorded_at.isoformat(),
        "at_text": fmt.moment(record.recorded_at),
        "at_title": fmt.precise(record.recorded_at),
        "at_class": "mono",
        "outcome": record.outcome.value,
        "outcome_text": fmt.words(record.outcome.value),
        "outcome_tone": OUTCOME_TONES[record.outcome].value,
        "event": event or fmt.NONE,
        "event_class": "mono",
        **(
            {"event_href": event_link(record.environment, record.source, event, scope.bare())}
            if event
            else {}
        ),
        "type": record.event_type,
        "where": record.endpoint,
        "where_under": record.source,
        "attempt": record.attempt,
        "attempt_text": fmt.NONE if record.attempt is None else str(record.attempt),
        "status": record.http_status,
        "status_text": fmt.NONE if record.http_status is None else str(record.http_status),
        "process": record.process_ms,
        "process_text": fmt.NONE if record.process_ms is None else fmt.millis(record.process_ms),
        "error": record.error_class or (record.reason and fmt.words(record.reason.value)) or "",
        "error_title": record.error_message or "",
    }


def issue_row(issue: IssueLine, scope: Scope, now: datetime) -> Row:
    """One issue. Its error leads to its page."""
    ended = f" by {issue.resolved_by}" if issue.resolved_by else ""
    return {
        "id": issue.id,
        "state": issue.state,
        "state_tone": ISSUE_TONES.get(issue.state, Tone.NEUTRAL).value,
        "state_title": f"{issue.state}{ended}",
        "error": issue.error_class or "no error class",
        "error_under": issue_message(issue),
        "error_title": issue_message(issue),
        "error_href": issue_link(issue.id, scope.bare()),
        "where": issue.endpoint,
        "where_under": issue.source,
        "where_href": endpoint_link(issue.source, issue.endpoint, scope.bare()),
        "type": issue.event_type,
        "failures": issue.failures,
        "failures_text": fmt.count(issue.failures),
        **_moment("first", issue.first_seen_at, now),
        **_moment("last", issue.last_seen_at, now),
    }


def issue_message(issue: IssueLine) -> str:
    """What its failures say; those of a place that has too many different ones share a line."""
    return "further messages of this kind" if issue.message == OTHER_MESSAGE else issue.message


def letter_row(letter: LetterLine, scope: Scope, now: datetime) -> Row:
    """One dead letter."""
    tone = {"open": Tone.WARNING, "resolved": Tone.OK, "permanent": Tone.CRITICAL}
    return {
        "id": letter.id,
        "state": letter.state,
        "state_text": fmt.words(letter.state),
        "state_tone": tone.get(letter.state, Tone.NEUTRAL).value,
        "event": letter.event_id,
        "event_class": "mono",
        "event_href": event_link(scope.environment, letter.source, letter.event_id, scope.bare()),
        "type": letter.event_type,
        "where": letter.endpoint,
        "where_under": letter.source,
        "error": letter.error_class or fmt.NONE,
        "error_under": letter.error_message,
        "attempts": letter.attempts,
        "replays": letter.replays,
        **_moment("died", letter.died_at, now),
        "refusal": letter.refusal or "",
        "refusal_text": fmt.words(letter.refusal) if letter.refusal else "can be replayed",
        "refusal_class": "absent",
    }


def _shown(field: str, value: object, text: str) -> Row:
    absent = text in (fmt.NO_DATA, fmt.NONE, "0")
    return {field: value, f"{field}_text": text, **({f"{field}_class": "absent"} if absent else {})}


def _moment(field: str, at: datetime, now: datetime) -> Row:
    return {
        field: at.isoformat(),
        f"{field}_text": fmt.ago(at, now),
        f"{field}_title": fmt.precise(at),
    }


def _burns(line: EndpointLine, threshold: float | None) -> bool:
    return threshold is not None and (line.figures.error_rate or 0.0) > threshold


def _queue(line: EndpointLine) -> Row:
    if line.queue_depth is None:
        return _shown("queue", None, fmt.NONE)
    row = _shown("queue", line.queue_depth, fmt.count(line.queue_depth))
    if line.oldest_age_s is not None:
        row["queue_title"] = f"oldest waits {fmt.seconds(line.oldest_age_s)}"
    return row


def _probe(line: EndpointLine) -> Row:
    if line.healthy is None:
        return {"probe": "", "probe_text": "not probed", "probe_class": "absent"}
    if line.healthy:
        return {"probe": "up", "probe_tone": Tone.OK.value}
    return {"probe": "down", "probe_tone": Tone.CRITICAL.value, "probe_title": line.probe_error or ""}


def _certificate(days: float | None) -> Row:
    if days is None:
        return _shown("certificate", None, fmt.NONE)
    text = "expired" if days < 0 else f"{days:.0f} d"
    tone = next((tone for limit, tone in _CERT_DAYS if days < limit), None)
    row: Row = {"certificate": days, "certificate_text": text}
    return {**row, "certificate_tone": tone.value} if tone else row
