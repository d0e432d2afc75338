"""How many records each minute has, for each environment."""

from collections.abc import Mapping
from datetime import datetime

from monitor.clock import from_us, to_us
from monitor.model import Grain, Outcome, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import COUNTED, FactReader


def records_by_minute(
    reader: FactReader, start_at: datetime, end_at: datetime
) -> Mapping[tuple[datetime, str], int]:
    """(minute, environment) → records in the minutes of [start_at, end_at); those without one are left out.

    Replays and canaries are not among them: no rule counts them.
    """
    environments = sorted({key.environment for key in reader.series().values()})
    keys = [SeriesKey(environment) for environment in environments]
    found = reader.rollups(keys, Grain.MINUTE, to_us(start_at), to_us(end_at), parts=COUNTED)
    return {
        (from_us(minute), key.environment): records
        for key, minutes in found.items()
        for minute, rollup in minutes.items()
        if (records := _records(rollup))
    }


def _records(rollup: Rollup) -> int:
    return sum(rollup.outcome(outcome) for outcome in Outcome)
