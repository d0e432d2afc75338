"""A request's body within its bounds: read and inflated. Never decodes JSON.

One layer of gzip at most; a body that inflates more than a hundredfold is a bomb, not a batch.
"""

import zlib
from typing import BinaryIO

from monitor.errors import BadRequest, TooLarge

RATIO = 100
RATIO_FROM_BYTES = 64 * 1024
"""The ratio is judged once this much has come out."""
_CHUNK_BYTES = 64 * 1024


def read(stream: BinaryIO, encoding: str, body_bytes: int, compressed_bytes: int) -> bytes:
    """The body as it was before it was packed.

    encoding: the Content-Encoding header, "" for none. Raises TooLarge, or BadRequest for an encoding
    that is not gzip, or is broken.
    """
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        body = stream.read(body_bytes + 1)
        if len(body) > body_bytes:
            raise _too_large(body_bytes)
    elif kind == "gzip":
        body = _inflated(stream, body_bytes, compressed_bytes)
    else:
        raise BadRequest(f"Content-Encoding {encoding!r:.40} is not understood", "send gzip once, or nothing")
    return body


def discard(stream: BinaryIO, most_bytes: int) -> None:
    """Reads what is left, so much at most: a client that is still sending would not see the answer."""
    while most_bytes > 0 and (chunk := stream.read(_CHUNK_BYTES)):
        most_bytes -= len(chunk)


def _inflated(stream: BinaryIO, body_bytes: int, compressed_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    taken = out = 0
    try:
        while not inflater.eof:
            chunk = inflater.unconsumed_tail or stream.read(_CHUNK_BYTES)
            taken += 0 if inflater.unconsumed_tail else len(chunk)
            if taken > compressed_bytes:
                raise TooLarge(
                    f"the compressed body is larger than {compressed_bytes} bytes", "send fewer records"
                )
            if not chunk:
                raise BadRequest("the gzip body is cut off", "send it whole")
            parts.append(inflater.decompress(chunk, _CHUNK_BYTES))
            out += len(parts[-1])
            if out > body_bytes:
                raise _too_large(body_bytes)
            if out > RATIO_FROM_BYTES and out > RATIO * taken:
                raise TooLarge(
                    f"the body inflates more than {RATIO}-fold", "send plain JSON, or real records"
                )
    except zlib.error as exc:
        raise BadRequest("the body is not gzip", "send gzip, or leave Content-Encoding out") from exc
    if inflater.unused_data or stream.read(1):
        raise BadRequest("something follows the gzip body", "send one gzip member")
    return b"".join(parts)


def _too_large(body_bytes: int) -> TooLarge:
    return TooLarge(f"the body is larger than {body_bytes} bytes", "send fewer records in a request")
