"""Requests to the collector: records of 20 fields, 50 routes, one in twenty failing, encoded beforehand."""

import random
import time
from collections.abc import Sequence
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

BATCH = 500
ENDPOINTS, TYPES = 10, 5
FAILING = 0.05
WINDOW_MS = 180_000
SECRET = "secret"
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_DIGITS = [place for place in range(36) if place not in (8, 13, 18, 23)]
"""Where the digits of a UUID stand in its text."""


def made(
    count: int, seed: int, windows_ago: int = 1, failing_share: float = FAILING, texts: int = 1
) -> list[dict[str, object]]:
    """Records over three minutes: those before now, or those so many times three minutes ago. texts: how many
    error messages the failed ones have between them."""
    chance = random.Random(seed)
    start_ms = time.time_ns() // 1_000_000 - windows_ago * WINDOW_MS
    found = []
    for number in range(count):
        ms = start_ms + number * WINDOW_MS // count
        process_ms = round(chance.lognormvariate(3, 1), 3)
        failing = chance.random() < failing_share
        record = {
            "record_id": str(UUID(int=ms << 80 | 7 << 76 | 2 << 62 | chance.getrandbits(61))),
            "event_id": f"evt_{chance.getrandbits(64):016x}",
            "source": f"source-{number % ENDPOINTS // 2}",
            "environment": "production",
            "endpoint": f"endpoint-{number % ENDPOINTS}",
            "event_type": f"type-{number // ENDPOINTS % TYPES}.updated",
            "received_at": ms * 1000 - 5_000,
            "outcome": "failed" if failing else "succeeded",
            "attempt": 1,
            "ack_ms": round(process_ms + 1.5, 3),
            "latency_ms": round(process_ms + 1.0, 3),
            "verify_ms": 0.112,
            "queue_ms": 0.251,
            "process_ms": process_ms,
            "http_status": 500 if failing else 200,
            "secret_id": "k-4f2a",
            "receiver": "payments-7d9f4",
            "remote_ip": "203.0.113.9",
        }
        if failing:
            record |= {
                "error_class": f"Error{number % 7}",
                "error_message": f"upstream {number % texts} did not answer in time",
            }
        found.append(record)
    return found


def request_of(records: Sequence[dict[str, object]]) -> bytes:
    body = msgspec.json.encode(records)
    head = (
        f"POST /api/v1/records HTTP/1.1\r\nHost: collector\r\nAuthorization: Bearer hv_bench_{SECRET}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Endless:
    """The same request again and again, each time of other records made now: new ids, new event ids.

    Making one takes a tenth of what it takes to answer it, so a client may go on for as long as it likes.
    """

    def __init__(self, records: Sequence[dict[str, object]], seed: int) -> None:
        self._request = np.frombuffer(request_of(records), dtype=np.uint8)
        self._dice = np.random.default_rng(seed)
        self._ids = _places(self._request, b'"record_id":"', _DIGITS)
        self._events = _places(self._request, b'"event_id":"evt_', list(range(16)))

    def next(self) -> bytes:
        found = self._request.copy()
        count = len(self._ids)
        ids = self._dice.integers(0, 256, (count, 16), dtype=np.uint8)
        stamp = (time.time_ns() // 1_000_000).to_bytes(6, "big")
        ids[:, :6] = np.frombuffer(stamp, dtype=np.uint8)
        ids[:, 6] = ids[:, 6] & 0x0F | 0x70
        ids[:, 8] = ids[:, 8] & 0x3F | 0x80
        found[self._ids] = _hex(ids)
        found[self._events] = _hex(self._dice.integers(0, 256, (count, 8), dtype=np.uint8))
        return found.tobytes()


def _hex(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two digits a byte, a row of digits a row of bytes."""
    digits = np.stack([_HEX[values >> 4], _HEX[values & 15]], axis=2)
    return digits.reshape(len(values), -1)


def _places(request: NDArray[np.uint8], before: bytes, digits: Sequence[int]) -> NDArray[np.int64]:
    """Where the digits after each `before` stand in the request, a row each."""
    text, found, at = request.tobytes(), [], 0
    while (at := text.find(before, at)) >= 0:
        at += len(before)
        found.append(at)
    return np.array(found, dtype=np.int64)[:, None] + np.array(digits, dtype=np.int64)
