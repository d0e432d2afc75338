"""How records lie in a spool file: frames, each with a marker, a running number and a checksum.

Pure. A file may be damaged anywhere: reading finds the next whole frame by its marker, which no JSON text
holds, and the numbers tell how many records are missing between two whole ones. The checksum is zlib's
CRC-32: like CRC-32C it finds every single flipped bit, and 500 bytes take 0.2 µs of it, against 48 µs of a
table of CRC-32C in Python.
"""

import struct
import zlib
from typing import Iterator, NamedTuple, Optional

MARKER = b"\xff\xfa\xf5\xfe"
RECORD, LEDGER = b"R", b"L"
LONGEST = 64 << 20
_FACTS = struct.Struct("<cQI")  # kind, number, length of the payload
_CHECKSUM = struct.Struct("<I")
_HEAD_BYTES = len(MARKER) + _FACTS.size + _CHECKSUM.size


class Frame(NamedTuple):
    """number: of this record, or, of a ledger, of the record after it. start, end: its place in the file."""

    kind: bytes
    number: int
    payload: bytes
    start: int
    end: int


def packed(kind: bytes, number: int, payload: bytes) -> bytes:
    """One frame."""
    facts = _FACTS.pack(kind, number, len(payload))
    return MARKER + facts + _CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(facts))) + payload


def frames(data: bytes, at: int = 0) -> Iterator[Frame]:
    """The whole frames from `at` on, in order; what is damaged between them is passed over."""
    while 0 <= at < len(data):
        frame = _frame_at(data, at)
        if frame is None:
            at = data.find(MARKER, at + 1)
        else:
            yield frame
            at = frame.end


def torn_records(tail: bytes) -> int:
    """How many records began in what follows the last whole frame, as far as that can be told."""
    if not tail:
        return 0
    starts = {0}
    at = tail.find(MARKER)
    while at >= 0:
        starts.add(at)
        at = tail.find(MARKER, at + 1)
    return sum(not _was_ledger(tail[start + len(MARKER) :][:1]) for start in starts)


def _was_ledger(kind: bytes) -> bool:
    """Also with one bit flipped: the two kinds are four bits apart."""
    return kind != b"" and bin(kind[0] ^ LEDGER[0]).count("1") <= 1


def _frame_at(data: bytes, at: int) -> Optional[Frame]:
    """The frame here if it is whole; its marker may be damaged, since the checksum has the last word."""
    begin = at + _HEAD_BYTES
    if begin > len(data):
        return None
    facts = data[at + len(MARKER) : begin - _CHECKSUM.size]
    kind, number, length = _FACTS.unpack(facts)
    if kind not in (RECORD, LEDGER) or length > LONGEST or begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    (checksum,) = _CHECKSUM.unpack_from(data, begin - _CHECKSUM.size)
    if zlib.crc32(payload, zlib.crc32(facts)) != checksum:
        return None
    return Frame(kind, number, payload, at, begin + length)
