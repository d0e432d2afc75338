"""JSON text into wire structs: all at once when all are well formed, else one by one, so that a bad one is
refused alone.

Knows the forms of a body (array, NDJSON, envelope, one object). Whether a record may be stored is
`accept.py`'s.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import msgspec

from monitor.collector.mend import NUL, field_with_nul, mended
from monitor.collector.wire import (
    ClientIn,
    Envelope,
    ProbeIn,
    QueueIn,
    RawEnvelope,
    RecordIn,
    RejectedPart,
    RejectedRecord,
)
from monitor.errors import BadRequest, TooLarge, UnsupportedMedia

NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_OTHER_TYPES = (
    "",
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",  # what curl says when it is told nothing
)
_SHAPE = 'send a JSON array, NDJSON, or {"records": [...]}'
_FAULT = re.compile(r"(?P<words>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_SAMPLE_BYTES = 64 * 1024
_WORDS_CHARS = 300  # of a decoder's words, which may quote what it was given
_BOM = b"\xef\xbb\xbf"
_RECORDS = b'"records"'

T = TypeVar("T", RecordIn, QueueIn, ProbeIn)

_envelope = msgspec.json.Decoder(Envelope)
_raw_envelope = msgspec.json.Decoder(RawEnvelope)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])
_client = msgspec.json.Decoder(ClientIn)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_plain = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Decoded(Generic[T]):
    """What a body held. indexes: where each item stood in it, counting from 0.

    client_fault: why the client's own counts could not be read, though its records could.
    """

    items: Sequence[T]
    indexes: Sequence[int]
    rejected: Sequence[RejectedRecord] = ()
    client: ClientIn | None = None
    client_fault: RejectedPart | None = None


class BodyDecoder(Generic[T]):
    """Decodes bodies that hold items of one kind."""

    def __init__(self, kind: type[T]) -> None:
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._all: msgspec.json.Decoder[list[T]] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._has_envelope = kind is RecordIn
        self._known = frozenset(kind.__struct_fields__)

    def decode(self, body: bytes, media_type: str, most: int) -> Decoded[T]:
        """The items of a body.

        Raises BadRequest when it is none of the forms, UnsupportedMedia when it says that it is something
        else, TooLarge over `most` items.
        """
        if not _is_json(media_type):
            raise UnsupportedMedia(f"a body of type {media_type[:60]} is not taken", _SHAPE)
        if body.startswith(_BOM):
            raise BadRequest("the body begins with a byte order mark", "send UTF-8 without one")
        try:
            found = self._at_once(body, media_type) or self._one_by_one(mended(body), media_type)
        except RecursionError as exc:
            raise BadRequest("the JSON is nested too deeply", _SHAPE) from exc
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            words = str(exc)[:_WORDS_CHARS]
            raise BadRequest(f"the body cannot be decoded: {words}", _SHAPE) from exc
        if len(found.items) + len(found.rejected) > most:
            raise TooLarge(f"the body holds more than {most} records", f"send at most {most} in a request")
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

    def _at_once(self, body: bytes, media_type: str) -> Decoded[T] | None:
        """Everything in one go; None when something in it is not well formed, or may hold a NUL."""
        if b"\\" in body and body.rfind(NUL) >= 0:  # of the ways to look, the fastest by four times
            return None
        head = body.lstrip()[:1]
        try:
            if media_type in NDJSON_TYPES:
                return _whole(self._one.decode_lines(body))
            if head == b"[":
                return _whole(self._all.decode(body))
            if head == b"{" and self._has_envelope and body.find(_RECORDS) == body.rfind(_RECORDS):
                envelope = _envelope.decode(body)
                return _whole(envelope.records, envelope.client)  # type: ignore[arg-type]  # T is RecordIn
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass
        return None

    def _one_by_one(self, body: bytes, media_type: str) -> Decoded[T]:
        head = body.lstrip()[:1]
        if media_type in NDJSON_TYPES:
            return self._lines(body)
        if head == b"[":
            return self._each(_raw_array.decode(body))
        if head == b"{":
            return self._object(body)
        raise BadRequest("the body holds no JSON array or object", _SHAPE)

    def _object(self, body: bytes) -> Decoded[T]:
        """An envelope, one record alone, or lines of them."""
        try:
            fields = _object.decode(body)
        except msgspec.DecodeError:  # something follows the first object
            return self._lines(body)
        if not self._has_envelope or "records" not in fields:
            return self._each([body])
        if _is_doubled(body):
            raise BadRequest("the body holds `records` more than once", "put all of them into one array")
        found = self._each(_raw_envelope.decode(body).records)
        client, fault = _client_of(fields.get("client"))
        return replace(found, client=client, client_fault=fault)

    def _lines(self, body: bytes) -> Decoded[T]:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if self._has_envelope and any(_RECORDS in line and _is_envelope(line) for line in lines):
            raise BadRequest("an envelope stands alone in its body", _SHAPE)
        found = self._each(lines)
        if not found.items and all(entry.code == "malformed" for entry in found.rejected):
            raise BadRequest("no line of the body is JSON", _SHAPE)
        return found

    def _each(self, raws: Iterable[msgspec.Raw | bytes]) -> Decoded[T]:
        items, indexes, rejected = [], [], []
        for index, raw in enumerate(raws):
            try:
                item = self._one.decode(raw)
            except RecursionError:
                rejected.append(RejectedRecord(index, "", "malformed", "nested too deeply"))
            except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
                rejected.append(RejectedRecord(index, *_fault(exc)))
            else:
                field = field_with_nul(item) if NUL in bytes(raw) else None
                if field is None:
                    items.append(item)
                    indexes.append(index)
                else:
                    rejected.append(RejectedRecord(index, f"/{field}", *_UNSTORABLE))
        return Decoded(items, indexes, rejected)


_UNSTORABLE = ("unstorable_text", "a text holds a NUL or half a surrogate pair, which no store can keep")


def _whole(items: list[T], client: ClientIn | None = None) -> Decoded[T]:
    return Decoded(items, range(len(items)), (), client)


def _is_json(media_type: str) -> bool:
    """Whether a body of this type may be JSON; many clients name none, or a plain one."""
    return (
        media_type in _OTHER_TYPES
        or media_type in NDJSON_TYPES
        or media_type.startswith("text/")
        or media_type.endswith("+json")
    )


def _is_envelope(line: bytes) -> bool:
    """Whether the line begins with an object that has `records`, whatever follows it."""
    try:
        first, _ = _plain.raw_decode(line.decode("utf-8", "replace").lstrip())
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and "records" in first


def _is_doubled(body: bytes) -> bool:
    """Whether the outermost object names `records` twice: decoders keep one and drop the other."""
    outermost: list[str] = []

    def kept(pairs: list[tuple[str, object]]) -> None:
        outermost[:] = [name for name, _ in pairs]  # the last one told of is the outermost

    if body.count(_RECORDS) > 1:
        text = body.decode("utf-8", "replace")
        json.loads(text, object_pairs_hook=kept, parse_int=str, parse_float=str, strict=False)
    return outermost.count("records") > 1


def _client_of(raw: msgspec.Raw | None) -> tuple[ClientIn | None, RejectedPart | None]:
    """The client, or why it is none: the records beside it are worth more than its counts."""
    if raw is None or bytes(raw) == b"null":
        return None, None
    try:
        client = _client.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        pointer, code, detail = _fault(exc)
        return None, RejectedPart(f"/client{pointer}", code, detail)
    field = field_with_nul(client) if NUL in bytes(raw) else None
    return (client, None) if field is None else (None, RejectedPart(f"/client/{field}", *_UNSTORABLE))


def _fault(error: Exception) -> tuple[str, str, str]:
    """(pointer, code, detail): why one item cannot be decoded, with a JSON pointer to the field at fault."""
    if isinstance(error, UnicodeDecodeError):
        return "", "unstorable_text", "a text is not UTF-8"
    if not isinstance(error, msgspec.ValidationError):
        return "", "malformed", str(error)[:_WORDS_CHARS]
    found = _FAULT.fullmatch(str(error))
    words, path = (found["words"], found["path"] or "") if found else (str(error), "")
    words = words[:_WORDS_CHARS]
    pointer = re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.replace(".", "/"))
    missing = _MISSING.match(words)
    if missing:
        return f"{pointer}/{missing[1]}", "missing_field", words
    return pointer, "unknown_outcome" if pointer == "/outcome" else "invalid", words
