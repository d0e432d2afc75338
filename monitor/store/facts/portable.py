"""The tables of the facts as a backup carries them, alike for every database.

Ids are 16 bytes, flags 0 or 1, times integer microseconds. Not carried, because the store that takes them in
has its own: its id, the numbers of feed and delta rows (their order is kept), and indexes. A store that has a
table or a column not named here refuses to be dumped: a backup that leaves something out is worse than none.
"""

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np

from monitor.errors import WrongSchema
from monitor.rollup import DELTA, Deltas
from monitor.store.facts.record_rows import COLUMNS
from monitor.store.facts.rollup_rows import COLUMNS as BLOBS
from monitor.store.portable import Row, Table

_DELTA_FIELDS = DELTA.names or ()


def _table(name: str, columns: str) -> Table:
    return Table(name, tuple(columns.split()))


TABLES = (
    _table("series", "code parent environment source endpoint event_type first_seen_us"),
    _table("error_class", "code endpoint name"),
    Table("record", COLUMNS),
    _table("capture", "endpoint event_id record_id redacted sealed"),
    _table("feed", "record_id records"),
    Table("delta", _DELTA_FIELDS),
    Table("rollup", ("series", "grain", "start", *BLOBS)),
    Table("thinned", ("series", "start", *BLOBS)),
    _table("bare_minute", "minute due_us after"),
    _table("queue_sample", "endpoint queue sampled_at_us depth oldest_age_us"),
    _table(
        "probe_result",
        "endpoint kind checked_at_us ok http_status latency_us error cert_not_after_us cert_subject"
        " cert_issuer",
    ),
    _table("heartbeat", "collector beat_at_us"),
    _table(
        "client",
        "name instance started_at_us version seen_at_us skew_us produced spooled accepted duplicates dropped"
        " state",
    ),
)
DELTA_BLOB = "items"
"""The column that holds deltas in every store; carried field by field, so that the layout may change."""
FLOOR, STORE_ID = "floor_us", "store_id"
"""What `Dump.about` of the facts says."""


def delta_rows(items: bytes) -> Iterator[Row]:
    """The deltas of one stored blob, a row each."""
    deltas = np.frombuffer(items, dtype=DELTA)
    columns = [deltas[name].tolist() for name in _DELTA_FIELDS]
    return zip(*columns, strict=True)


def deltas_of(rows: Sequence[Row]) -> Deltas:
    """The deltas of these rows."""
    found = np.zeros(len(rows), dtype=DELTA)
    for name, values in zip(_DELTA_FIELDS, zip(*rows, strict=True), strict=True):
        found[name] = np.frombuffer(b"".join(values), dtype="V16") if name == "record_id" else values
    return found


def require_known(found: Mapping[str, Set[str]], left_out: Mapping[str, Set[str]], whole: Set[str]) -> None:
    """Raises WrongSchema unless every table and column is carried or left out on purpose.

    found: the store's tables and their columns. left_out: columns that are not carried. whole: tables that
    are not carried at all.
    """
    known = {table.name: {*table.columns, *left_out.get(table.name, ())} for table in TABLES}
    strange = sorted(
        name if name not in known else f"{name}.{column}"
        for name, columns in found.items()
        if name not in whole
        for column in columns
        if column not in known.get(name, ())
    )
    missing = sorted(known.keys() - found.keys())
    if strange or missing:
        named = ", ".join(dict.fromkeys(strange + missing))
        raise WrongSchema(
            f"the facts store has other tables than a backup knows: {named}",
            "run `hookvitals db upgrade`, or the version of hookvitals that made the store",
        )
