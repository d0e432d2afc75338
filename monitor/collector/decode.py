"""JSON text into wire structs: all at once when all are well formed, else one by one, so that a bad one is
refused alone.

Knows the forms of a body (array, NDJSON, envelope, one object). Whether a record may be stored is
`accept.py`'s.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from monitor.collector.wire import ClientIn, Envelope, ProbeIn, QueueIn, RawEnvelope, RecordIn, RejectedRecord
from monitor.errors import BadRequest, TooLarge

NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_SHAPE = 'send a JSON array, NDJSON, or {"records": [...]}'
_FAULT = re.compile(r"(?P<words>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SAMPLE_BYTES = 64 * 1024

T = TypeVar("T", RecordIn, QueueIn, ProbeIn)

_envelope = msgspec.json.Decoder(Envelope)
_raw_envelope = msgspec.json.Decoder(RawEnvelope)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_plain = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """What a body held. indexes: where each item stood in it, counting from 0."""

    items: Sequence[T]
    indexes: Sequence[int]
    rejected: Sequence[RejectedRecord] = ()
    client: ClientIn | None = None


class BodyDecoder(Generic[T]):
    """Decodes bodies that hold items of one kind."""

    def __init__(self, kind: type[T]) -> None:
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._all: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._has_envelope = kind is RecordIn
        self._known = frozenset(kind.__struct_fields__)

    def decode(self, body: bytes, media_type: str, most: int) -> Decoded[T]:
        """The items of a body. Raises BadRequest when it is none of the forms, TooLarge over `most` items."""
        try:
            found = self._decoded(body, media_type)
        except RecursionError as exc:
            raise BadRequest("the JSON is nested too deeply", _SHAPE) from exc
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise BadRequest(f"the body cannot be decoded: {exc}", _SHAPE) from exc
        if len(found.items) + len(found.rejected) > most:
            raise TooLarge(f"the body holds more than {most} records", "send fewer in a request")
        return found

    def unknown_fields(self, body: bytes) -> int:
        """How many fields of the body's first item are unknown: a sample, as looking at all is dear."""
        try:
            text = body[:_SAMPLE_BYTES].decode("utf-8", "ignore")
            start = text.find('"records"') if self._has_envelope and text.lstrip()[:1] == "{" else 0
            first, _ = _plain.raw_decode(text, text.index("{", max(start, 0)))
        except (ValueError, RecursionError):
            return 0
        return len(first.keys() - self._known)

    def _decoded(self, body: bytes, media_type: str) -> Decoded[T]:
        head = body.lstrip()[:1]
        if media_type in NDJSON_TYPES:
            return self._lines(body)
        if head == b"[":
            try:
                return _whole(self._all.decode(body))
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                return self._each(_raw_array.decode(body))
        if head == b"{":
            return self._object(body)
        raise BadRequest("the body holds no JSON array or object", _SHAPE)

    def _object(self, body: bytes) -> Decoded[T]:
        """An envelope, one record alone, or lines of them."""
        if self._has_envelope:
            try:
                envelope = _envelope.decode(body)
                return _whole(envelope.records, envelope.client)  # type: ignore[arg-type]  # T is RecordIn
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                pass
        try:
            fields = _object.decode(body)
        except msgspec.DecodeError:  # something follows the first object
            return self._lines(body)
        if self._has_envelope and "records" in fields:
            raw = _raw_envelope.decode(body)
            return self._each(raw.records, raw.client)
        return self._each([body])

    def _lines(self, body: bytes) -> Decoded[T]:
        try:
            return _whole(self._one.decode_lines(body))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            found = self._each([line for line in body.split(b"\n") if line.strip()])
            if not found.items and all(entry.code == "malformed" for entry in found.rejected):
                raise BadRequest("no line of the body is JSON", _SHAPE) from None
            return found

    def _each(self, raws: Iterable[msgspec.Raw | bytes], client: ClientIn | None = None) -> Decoded[T]:
        items, indexes, rejected = [], [], []
        for index, raw in enumerate(raws):
            try:
                items.append(self._one.decode(raw))
                indexes.append(index)
            except RecursionError:
                rejected.append(RejectedRecord(index, "", "malformed", "nested too deeply"))
            except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
                rejected.append(_rejection(index, exc))
        return Decoded(items, indexes, rejected, client)


def _whole(items: list[T], client: ClientIn | None = None) -> Decoded[T]:
    return Decoded(items, range(len(items)), (), client)


def _rejection(index: int, error: Exception) -> RejectedRecord:
    """Why one item cannot be decoded, with a JSON pointer to the field at fault."""
    if not isinstance(error, msgspec.ValidationError):
        return RejectedRecord(index, "", "malformed", str(error))
    found = _FAULT.fullmatch(str(error))
    words, path = (found["words"], found["path"] or "") if found else (str(error), "")
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.replace(".", "/"))
    missing = _MISSING.match(words)
    if missing:
        return RejectedRecord(index, f"{pointer}/{missing[1]}", "missing_field", words)
    code = "unknown_outcome" if pointer == "/outcome" else "invalid"
    return RejectedRecord(index, pointer, code, words)
