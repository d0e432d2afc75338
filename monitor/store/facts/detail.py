"""The part of a record that no column holds: packed by the front, unpacked when a record is read.

An array on disk: append fields with a default, never reorder.
"""

import msgspec


class Detail(msgspec.Struct, array_like=True, gc=False):
    """Durations are integer microseconds; `reason` is a reason code; `named_*` keep text over a name cap.

    bare: a rejection over its bound a minute, without texts; it is thinned later (thinning.py).
    """

    event_id: str | None = None
    ack_us: int | None = None
    queue_us: int | None = None
    verify_us: int | None = None
    latency_us: int | None = None
    attempt: int | None = None
    receiver: str | None = None
    secret_id: str | None = None
    reason: int | None = None
    error_message: str | None = None
    error_stack: str | None = None
    canary: bool = False
    replay_id: str | None = None
    skew_us: int | None = None
    cause: str | None = None
    event_created_at_us: int | None = None
    resource: str | None = None
    version: str | None = None
    remote_ip: str | None = None
    user_agent: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    labels: dict[str, str] | None = None
    named_type: str | None = None
    named_error: str | None = None
    has_capture: bool = False
    bare: bool = False


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Detail).decode
