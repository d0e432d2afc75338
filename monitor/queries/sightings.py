"""What the newest records show of their senders: types, addresses and secrets, by endpoint. Read only."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from alerts.sightings import SHAPES, Aspect, Sighting
from monitor.clock import from_us, to_us
from monitor.model import OTHER, Outcome, Record, SeriesKey
from monitor.store.facts.protocol import FactReader, RecordFilter, pages

LOOKED_AT, AT_ONCE = 20_000, 1_000
"""Records of one look, and of one read. With a look each 15 s every record is seen up to 1,300 a second;
beyond it a sample is: what is sent as a rule is seen at once, what is sent now and then in time."""
VERIFIED = tuple(outcome for outcome in Outcome if outcome is not Outcome.REJECTED)

Key = tuple[SeriesKey, Aspect, str]


def seen_since(reader: FactReader, since: datetime) -> Mapping[Key, Sighting]:
    """Both: what records show, and what receivers tell."""
    return {**told(reader, since), **sighted(reader, since)}


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


def _values(record: Record) -> Mapping[Aspect, str]:
    said = {
        Aspect.TYPE: record.event_type if record.event_type != OTHER else None,
        Aspect.ADDRESS: record.remote_ip,
        Aspect.SECRET: record.secret_id,
    }
    return {aspect: value for aspect, value in said.items() if value}
