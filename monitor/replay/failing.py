"""What the feed tells of failures, for the issues they are counted into. Pure: no store, no clock."""

from alerts.issues import Kin, alike
from monitor.model import Outcome
from monitor.store.control.issues import Failure
from monitor.store.facts.protocol import FeedRow

FAILURES = (Outcome.FAILED, Outcome.DEAD_LETTERED)


def failure_of(row: FeedRow) -> Failure | None:
    """The failures that the row stands for; None where it is of a replay, a canary, or something that worked.

    What an operator tries again is that operator's to judge; a canary's failure is nobody's event.
    """
    record = row.record
    if record.outcome not in FAILURES or record.replay_id or record.canary:
        return None
    kin = Kin(
        record.environment,
        record.source,
        record.endpoint,
        record.event_type,
        record.error_class or "",
        alike(record.error_message),
    )
    return Failure(kin, str(record.record_id), record.recorded_at, row.records)
