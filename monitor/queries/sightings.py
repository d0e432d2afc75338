"""What the newest records show of their senders: types, addresses and secrets, by endpoint. Read only.

Which types there are is known exactly, at any rate and however late they came: the rollups are by type.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from alerts.sightings import SHAPES, Aspect, Sighting
from monitor.clock import from_us, to_us
from monitor.model import CANARY_TYPE, OTHER, UNVERIFIED, Outcome, Record, SeriesKey
from monitor.rollup import Rollup
from monitor.store.facts.protocol import FactReader, Parts, RecordFilter, pages

MINUTE_US = 60_000_000
LOOKED_AT, AT_ONCE = 20_000, 1_000
"""Records of one look, and of one read. With a look each 15 s every record is seen up to 1,300 a second;
beyond it a sample is: what is sent as a rule is seen at once, what is sent now and then in time."""
NO_TYPE = (UNVERIFIED, CANARY_TYPE, OTHER)
VERIFIED = tuple(outcome for outcome in Outcome if outcome is not Outcome.REJECTED)

Key = tuple[SeriesKey, Aspect, str]


def seen_since(reader: FactReader, since: datetime, known: Container[Key] = ()) -> Mapping[Key, Sighting]:
    """All: what records show, what receivers tell, and every type of every endpoint that is not known."""
    found = {**told(reader, since), **sighted(reader, since)}
    for key, one in typed(reader, since, known).items():
        seen = found.get(key)
        found[key] = one if seen is None else replace(seen, first_at=min(seen.first_at, one.first_at))
    return found


def typed(reader: FactReader, since: datetime, known: Container[Key] = ()) -> Mapping[Key, Sighting]:
    """Every type but the known ones: from when it was stored first, which was long ago of most when a store
    is looked at anew, until the newest minute of it. sample: of what came since then; else "", for its
    records may be long gone."""
    keys = {key: found for key in reader.series().values() if (found := _type(key)) and found not in known}
    first, last = reader.first_seen(list(keys)), reader.last_seen(list(keys))
    start_us = to_us(since.replace(second=0, microsecond=0))
    recent = [key for key, us in last.items() if us >= start_us]
    end_us = max(last.values(), default=0) + MINUTE_US
    totals = reader.total(recent, start_us, end_us, Parts((), exemplars=True)) if recent else {}
    seen: dict[Key, Sighting] = {}
    for key, us in last.items():
        first_at, last_at = from_us(first[key]), from_us(max(us, first[key]))
        seen[keys[key]] = Sighting(Aspect.TYPE, keys[key][2], first_at, last_at, _sample(totals.get(key)))
    return seen


def sighted(reader: FactReader, since: datetime) -> Mapping[Key, Sighting]:
    """Of the newest records since then: rejections, canaries and replays show nothing of the sender."""
    found: dict[Key, Sighting] = {}
    wanted = RecordFilter(outcomes=VERIFIED, since_us=to_us(since))
    for record in islice(pages(reader, wanted, AT_ONCE), LOOKED_AT):  # newest first
        if record.canary or record.replay_id is not None:
            continue
        for aspect, value in _values(record).items():
            key = SeriesKey(record.environment, record.source, record.endpoint), aspect, value
            at, sample = record.recorded_at, str(record.record_id)
            known = found.get(key)
            found[key] = (
                Sighting(aspect, value, at, at, sample)
                if known is None
                else replace(known, first_at=at, sample=sample)
            )
    return found


def told(reader: FactReader, since: datetime) -> Mapping[Key, Sighting]:
    """What receivers that were heard of since then tell of the shape of their requests."""
    found: dict[Key, Sighting] = {}
    for client in reader.clients(to_us(since)):
        said: Any = client.state.get("types", ())
        at = from_us(client.seen_at_us)
        for each in said:
            place = SeriesKey(each["environment"], each["source"], each["endpoint"])
            for aspect in SHAPES:
                for value, event_id in each.get("seen", {}).get(aspect.value, {}).items():
                    found[place, aspect, value] = Sighting(aspect, value, at, at, event_id)
    return found


def _type(key: SeriesKey) -> Key | None:
    name, endpoint = key.event_type, key.parent
    return None if endpoint is None or name is None or name in NO_TYPE else (endpoint, Aspect.TYPE, name)


def _sample(rollup: Rollup | None) -> str:
    shown = (rollup or Rollup()).exemplars
    ids = [*shown.failures.values(), *([shown.slowest[1]] if shown.slowest else [])]
    return str(UUID(bytes=max(ids))) if ids else ""


def _values(record: Record) -> Mapping[Aspect, str]:
    said = {
        Aspect.TYPE: record.event_type if record.event_type != OTHER else None,
        Aspect.ADDRESS: record.remote_ip,
        Aspect.SECRET: record.secret_id,
    }
    return {aspect: value for aspect, value in said.items() if value}
