"""What one event's records mean together: the two truths, and its time drawn as bars. Pure.

The acknowledgement is what the sender saw; the processing is what became of it. They are kept apart because
they differ exactly when somebody is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import format as fmt
from dashboard.figures.gantt import Bar
from dashboard.palette import Tone
from monitor.model import ATTEMPTS, Outcome, Record


@dataclass(frozen=True, slots=True)
class Truth:
    word: str
    tone: Tone
    text: str


def acknowledgement(records: Sequence[Record]) -> Truth:
    """What the sender was answered; records oldest first, at least one."""
    deliveries = [record for record in records if record.http_status is not None and not record.replay_id]
    if not deliveries:
        return Truth("unknown", Tone.NEUTRAL, "No record says what was answered.")
    best = next(
        (r for r in deliveries if r.http_status is not None and 200 <= r.http_status < 300), deliveries[-1]
    )
    times = f"{len(deliveries)} deliveries" if len(deliveries) > 1 else "1 delivery"
    after = "" if best.ack_ms is None else f" after {fmt.millis(best.ack_ms)}"
    answered = f"{times}; answered {best.http_status}{after}."
    if best.http_status is not None and 200 <= best.http_status < 300:
        return Truth("delivered", Tone.OK, answered)
    return Truth("refused", Tone.ERROR, answered)


def processing(records: Sequence[Record]) -> Truth:
    """What became of the event; records oldest first, at least one."""
    attempts = [record for record in records if record.outcome in ATTEMPTS]
    times = f"{len(attempts)} attempts" if len(attempts) != 1 else "1 attempt"
    done = next((record for record in attempts if record.outcome is Outcome.SUCCEEDED), None)
    if done is not None:
        by = "by a replay " if done.replay_id else ""
        return Truth("succeeded", Tone.OK, f"{times}; done {by}at {fmt.precise(done.recorded_at)}.")
    if attempts:
        last = attempts[-1]
        if last.outcome is Outcome.DEAD_LETTERED:
            return Truth(
                "dead lettered", Tone.CRITICAL, f"{times}; given up: {last.error_class or 'no error class'}."
            )
        return Truth("failing", Tone.WARNING, f"{times}; will be tried again.")
    last = records[-1]
    if last.outcome is Outcome.ACCEPTED:
        return Truth("waiting", Tone.INFO, "Accepted; no attempt has been reported yet.")
    if last.outcome is Outcome.REJECTED:
        return Truth(
            "rejected", Tone.ERROR, f"Refused before any work: {fmt.words(last.reason or 'no reason')}."
        )
    return Truth(fmt.words(last.outcome.value), Tone.NEUTRAL, "The handler was not run for it.")


def row_names(records: Sequence[Record]) -> list[str]:
    """One name a record, unique: it is the line its bars are drawn on."""
    names = []
    for i, record in enumerate(records, start=1):
        attempt = f" {record.attempt}" if record.attempt is not None and record.outcome in ATTEMPTS else ""
        names.append(f"{i}. {fmt.words(record.outcome.value)}{attempt}")
    return names


def bars(records: Sequence[Record]) -> list[Bar]:
    """Each record's reported durations, in milliseconds since the event was first received."""
    if not records:
        return []
    origin = min(record.received_at for record in records)
    drawn = []
    for name, record in zip(row_names(records), records, strict=True):
        received = (record.received_at - origin).total_seconds() * 1000
        for phase, start, length in _phases(record):
            drawn.append(Bar(name, phase, received + start, length))
    return drawn


def _phases(record: Record) -> list[tuple[str, float, float]]:
    """(phase, start, length) in milliseconds since the record's receipt."""
    found: list[tuple[str, float, float]] = []
    if record.outcome in ATTEMPTS and (record.queue_ms is not None or record.process_ms is not None):
        wait = record.queue_ms
        if wait is None and record.latency_ms is not None and record.process_ms is not None:
            wait = max(0.0, record.latency_ms - record.process_ms)
        if wait:
            found.append(("wait", 0.0, wait))
        if record.process_ms is not None:
            found.append(("process", wait or 0.0, record.process_ms))
    elif record.ack_ms is not None:
        found.append(("acknowledge", 0.0, record.ack_ms))
    elif record.latency_ms is not None:
        found.append(("other", 0.0, record.latency_ms))
    if record.verify_ms is not None:
        found.append(("verify", 0.0, record.verify_ms))
    return found
