"""Parts of a batch: some of its records with all that belongs to them. Values only."""

from collections.abc import Sequence
from dataclasses import replace

from monitor.store.facts.protocol import Batch, ClientCounts


def heard(batches: Sequence[Batch], fresh: Sequence[Batch]) -> list[ClientCounts]:
    """What the clients of these batches said, with how many of their records were stored and known.

    fresh: the same batches with only the records that are stored.
    """
    return [
        replace(new.client, accepted=len(new.rows), duplicates=len(batch.rows) - len(new.rows))
        for batch, new in zip(batches, fresh, strict=True)
        if new.client
    ]


def taken(batch: Batch, indexes: Sequence[int]) -> Batch:
    """The batch with only the records at `indexes`, in that order, and the same client."""
    place = {index: at for at, index in enumerate(indexes)}
    return Batch(
        rows=[batch.rows[index] for index in indexes],
        deltas=batch.deltas[list(indexes)],
        captures=[replace(c, index=place[c.index]) for c in batch.captures if c.index in place],
        fed=[kept for group in batch.fed if (kept := tuple(place[i] for i in group if i in place))],
        client=batch.client,
        bare=[place[index] for index in batch.bare if index in place],
    )
