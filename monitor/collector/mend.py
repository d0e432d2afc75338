"""Text that JSON or a store forbids, made into what a decoder refuses in one record, so that its neighbours
are taken.

Only for bodies that could not be decoded as they came. It mends nothing so that it could be stored.
"""

import re

import msgspec

NUL = b"\\u0000"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    rb"|.)",
    re.DOTALL,
)
# Possessive and open-ended: a string that never ends is walked once, whatever it holds.
_STRING_OR_NUMBER = re.compile(
    rb'("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))|-?\bInfinity\b|\bNaN\b',
    re.DOTALL,
)
_WRITTEN_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_encode = msgspec.json.Encoder().encode


def mended(body: bytes) -> bytes:
    """The body with half surrogates as NULs, NaN and Infinity as a number out of range."""
    if b"\\ud" in body or b"\\uD" in body:
        body = _ESCAPE.sub(lambda found: NUL if found[1] else found[0], body)
    if b"NaN" in body or b"Infinity" in body:
        body = _STRING_OR_NUMBER.sub(lambda found: found[1] or b"1e999", body)
    return body


def field_with_nul(item: msgspec.Struct) -> str | None:
    """The first field whose text holds a NUL, which PostgreSQL cannot store; None when none does."""
    for name in item.__struct_fields__:
        value = getattr(item, name)
        if value is not None and _WRITTEN_NUL.search(_encode(value)):
            return name
    return None
