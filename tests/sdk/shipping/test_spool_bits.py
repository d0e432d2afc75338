"""Every single bit of a small spool, flipped in turn: all other records come back, the loss is counted."""

from pathlib import Path

from hookvitals.account import taken_over
from hookvitals.spool import Spool, orphans

RECORDS = [f'{{"event_id":"evt_{number}"}}'.encode() for number in range(3)]


def left(directory: Path) -> Path:
    """The one file of a spool that its writer left."""
    spool = Spool.create(str(directory))
    ledger = {"produced": len(RECORDS), "accepted": 0, "instance": "w", "started_at": 5}
    spool.note(ledger)
    for record in RECORDS:
        spool.append([record])
    spool.note(ledger)
    spool.release()
    (file,) = directory.glob("*.spool")
    return file


def drained(spool: Spool) -> tuple[list[bytes], int]:
    """(all records, how many were lost to damage)."""
    found: list[bytes] = []
    lost = 0
    while spool.waiting():
        taken = spool.take(100, 1_000_000)
        found += taken.records
        lost += taken.lost
        spool.settle(len(taken.records))
    return found, lost


def test_no_flipped_bit_costs_more_than_the_record_it_hits(tmp_path: Path) -> None:
    file = left(tmp_path / "spool")
    data = file.read_bytes()
    costs = {0: 0, 1: 0}

    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)

        (spool,) = orphans(str(file.parent))
        account = taken_over(spool.ledger, spool.name, spool.waiting(), spool.torn)
        found, lost = drained(spool)
        spool.release()

        missing = [record for record in RECORDS if record not in found]
        assert found == [record for record in RECORDS if record not in missing], bit
        assert lost + spool.torn == len(missing), (bit, lost, spool.torn)
        assert account.produced(len(found) + lost) == len(RECORDS), bit
        costs[len(missing)] += 1

    assert costs[1] >= 8 * sum(map(len, RECORDS)), "each bit of a record costs that record"
    assert costs[0] > 0, "those of the counts cost none"
