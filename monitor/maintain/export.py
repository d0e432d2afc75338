"""Stored records as lines for other programs: one JSON object each, or CSV that no spreadsheet executes.

Newest first, a page at a time, so that it takes the same memory however many there are. A captured payload
is never among them.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum, StrEnum
from itertools import islice
from typing import Protocol

import msgspec

from monitor.model import Record
from monitor.store.facts.protocol import FactReader, RecordFilter, pages

COLUMNS: Sequence[str] = tuple(Record.__slots__)
"""The columns of the CSV and the keys of each object, in order; they only grow at the end."""
PAGE = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_encode = msgspec.json.Encoder().encode


class Form(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class Out(Protocol):
    """Takes bytes: a file opened for them."""

    def write(self, content: bytes, /) -> object: ...


def export(
    reader: FactReader,
    wanted: RecordFilter,
    form: Form,
    out: Out,
    told: Callable[[int], None] = lambda records: None,
) -> int:
    """Writes every matching record; how many. told: of some more that were written."""
    out.write(head(COLUMNS, form))
    total = 0
    records = pages(reader, wanted, PAGE)
    while some := list(islice(records, PAGE)):
        out.write(lines(some, COLUMNS, form))
        total += len(some)
        told(len(some))
    return total


def head(columns: Sequence[str], form: Form) -> bytes:
    """What comes before the first line."""
    return _csv([columns]) if form is Form.CSV else b""


def lines(items: Iterable[object], columns: Sequence[str], form: Form) -> bytes:
    """A line for each, of the attributes that the columns name."""
    if form is Form.CSV:
        return _csv([_cell(getattr(one, name)) for name in columns] for one in items)
    return b"".join(_encode({name: getattr(one, name) for name in columns}) + b"\n" for one in items)


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as RFC 4180 has them: CRLF, and quotes where a cell needs them."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    """Nothing for None. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, int | float):
        return str(value)  # a number below 0 is a number
    if isinstance(value, Mapping):
        value = _encode(dict(value)).decode() if value else ""
    text = str(value.value if isinstance(value, Enum) else value)
    return f"'{text}" if text.startswith(_FORMULA) else text
