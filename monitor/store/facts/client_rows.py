"""What SDK instances say of themselves, as rows: cumulative counts keep the largest seen. No SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from monitor.store.facts.protocol import ClientCounts

KEY = ("name", "instance", "started_at_us")
VALUES = (
    "version",
    "seen_at_us",
    "skew_us",
    "produced",
    "spooled",
    "dropped",
    "state",
    "accepted",
    "duplicates",
)
"""The columns of a row: first those of its key, then these."""

MOST_ENDPOINTS = 64
"""Of one instance, whose types are kept."""

Stored = Sequence[Any]
"""A row without its key."""

_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(dict[str, Any]).decode
_decode_counts = msgspec.msgpack.Decoder(dict[str, int]).decode


def key_of(client: ClientCounts) -> tuple[str, str, int]:
    return client.name, client.instance, client.started_at_us


def merged(stored: Stored | None, client: ClientCounts) -> Stored:
    """The row once `client` has been heard too: no count falls, and a late batch changes nothing else.

    What was stored of the batch is added. spooled goes with the produced it was said with: the larger one.
    """
    dropped = dict(client.dropped)
    if stored is None:
        state = _with_drops(dict(client.state), client, {}, None)
        said = (client.version, client.seen_at_us, client.skew_us)
        counts = (client.produced, client.spooled, _encode(dropped), _encode(state))
        return (*said, *counts, client.accepted, client.duplicates)
    version, seen_at_us, skew_us, produced, spooled, known, old_state, accepted, duplicates = stored
    if (client.produced, client.seen_at_us) >= (produced, seen_at_us):
        spooled = client.spooled
    if client.seen_at_us >= seen_at_us:
        version, seen_at_us, skew_us = client.version, client.seen_at_us, client.skew_us
        before = _decode_state(old_state)
        state = _with_drops(dict(client.state), client, _decode_counts(known), before.get("dropped_at_us"))
        old_state = _encode(_with_types(state, before))
    return (
        version,
        seen_at_us,
        skew_us,
        max(produced, client.produced),
        spooled,
        _encode(_largest(dropped, _decode_counts(known))),
        old_state,
        accepted + client.accepted,
        duplicates + client.duplicates,
    )


def _with_drops(
    state: dict[str, Any], client: ClientCounts, known: Mapping[str, int], grew_us: int | None
) -> dict[str, Any]:
    """The state with when the instance last dropped more than was known."""
    more = any(n > known.get(reason, 0) for reason, n in client.dropped.items())
    at_us = client.seen_at_us if more else grew_us
    return state if at_us is None else {**state, "dropped_at_us": at_us}


def _with_types(state: dict[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state with what was said of other endpoints' types before: they are not said each time."""
    said = {_endpoint(each): each for each in [*before.get("types", ()), *state.get("types", ())]}
    return {**state, "types": list(said.values())[-MOST_ENDPOINTS:]} if said else state


def _endpoint(said: Mapping[str, Any]) -> tuple[Any, ...]:
    return said["environment"], said["source"], said["endpoint"]


def _largest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {reason: max(one.get(reason, 0), other.get(reason, 0)) for reason in {**one, **other}}
