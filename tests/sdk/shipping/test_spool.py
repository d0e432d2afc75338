"""The spool on disk: in order, bounded, private, one owner, and damaged no further than where it was hit."""

import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookvitals.account import taken_over
from hookvitals.spool import Spool, orphans

Made = Callable[..., Spool]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Made]:
    made: list[Spool] = []

    def spool(**bounds: Any) -> Spool:
        made.append(Spool.create(str(tmp_path / "spool"), **bounds))
        return made[-1]

    yield spool
    for one in made:
        one.release()


def adopt(directory: Path, **bounds: Any) -> Spool:
    (spool,) = orphans(str(directory), **bounds)
    return spool


def texts(first: int, number: int, size: int = 40) -> list[bytes]:
    return [f'{{"event_id":"evt_{one}"}}'.encode().ljust(size) for one in range(first, first + number)]


def drained(spool: Spool, batch: int = 7) -> tuple[list[bytes], int]:
    """(all records, how many were lost to damage)."""
    found: list[bytes] = []
    lost = 0
    while spool.waiting():
        taken = spool.take(batch, 1_000_000)
        found += taken.records
        lost += taken.lost
        spool.settle(len(taken.records))
    return found, lost


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


def test_records_come_back_in_the_order_they_were_kept_in(make: Made) -> None:
    spool = make(max_bytes=64_000)
    for first in range(0, 300, 10):
        assert spool.append(texts(first, 10)) == 0
    assert spool.waiting() == 300

    assert drained(spool) == (texts(0, 300), 0)
    assert spool.remove()


def test_what_was_not_settled_is_taken_again(make: Made) -> None:
    spool = make()
    spool.append(texts(0, 10))

    assert spool.take(6, 1_000_000).records == texts(0, 6)
    spool.settle(4)
    assert spool.take(6, 1_000_000).records == texts(4, 6)
    spool.settle(0)
    assert spool.take(6, 1_000_000).records == texts(4, 6)


def test_a_batch_has_its_bounds_and_at_least_one_record(make: Made) -> None:
    spool = make()
    spool.append(texts(0, 10, size=100))

    assert len(spool.take(100, 350).records) == 3
    assert len(spool.take(100, 1).records) == 1


def test_files_are_for_their_owner_alone_and_go_when_they_are_empty(make: Made, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = make(max_bytes=8_000)
        spool.append(texts(0, 100))
        spool.append(texts(100, 10))
    finally:
        os.umask(before)
    directory = tmp_path / "spool"

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    drained(spool)
    assert spool.remove()
    assert list(directory.iterdir()) == []


def test_a_spool_in_which_something_waits_is_not_removed(make: Made) -> None:
    spool = make()
    spool.append(texts(0, 1))

    assert not spool.remove()
    assert drained(spool) == (texts(0, 1), 0)


def test_room_is_bounded_and_the_oldest_go_counted(make: Made, tmp_path: Path) -> None:
    spool = make(max_bytes=20_000)
    lost = sum(spool.append(texts(first, 10)) for first in range(0, 2000, 10))

    on_disk = sum(file.stat().st_size for file in segments(tmp_path / "spool"))
    assert on_disk == spool.size() <= 20_000
    assert drained(spool) == (texts(lost, 2000 - lost), 0)
    assert 2000 - lost > 20_000 / 80 / 2, "at least half the room is used"


def test_what_is_in_flight_is_not_dropped_for_room(make: Made) -> None:
    spool = make(max_bytes=2_000)
    spool.append(texts(0, 10))
    taken = spool.take(10, 1_000_000)
    assert sum(spool.append(texts(first, 10)) for first in range(10, 100, 10)) == 0

    spool.settle(len(taken.records))
    lost = spool.append(texts(100, 10))
    assert drained(spool) == (texts(10 + lost, 100 - lost), 0)


def test_what_is_too_old_goes_counted_and_what_is_not_stays(make: Made) -> None:
    now = [1e9]
    spool = make(max_age_s=800.0, now=lambda: now[0])
    for first in (0, 5, 10):
        spool.append(texts(first, 5))
        now[0] += 500

    assert spool.expire() == 5
    assert drained(spool) == (texts(5, 10), 0)


def test_the_newest_file_expires_too(make: Made, tmp_path: Path) -> None:
    spool = make(max_age_s=800.0)
    spool.append(texts(0, 5))
    (only,) = segments(tmp_path / "spool")
    os.utime(only, (1e9, 1e9))

    assert spool.expire() == 5
    assert spool.waiting() == 0
    spool.append(texts(5, 5))
    assert drained(spool) == (texts(5, 5), 0)


def test_a_disk_that_refuses_leaves_the_spool_as_it_was(make: Made, tmp_path: Path) -> None:
    program = """
        import resource, signal, sys
        from hookvitals.spool import Spool
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        spool = Spool.create(sys.argv[1])
        spool.append([b"{}"] * 10)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        for refused in range(3):
            try:
                spool.append([b"[]" * 1000])
            except OSError:
                pass
            else:
                raise AssertionError("it was taken")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        spool.append([b'"after"'])
        assert spool.take(100, 10**6).records == [b"{}"] * 10 + [b'"after"']
        """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "spool")]
    assert subprocess.run(command, timeout=20, check=False).returncode == 0


# --- orphans ---


def test_an_orphan_goes_on_where_its_writer_was(make: Made, tmp_path: Path) -> None:
    spool = make(max_bytes=16_000)
    for first in range(0, 100, 10):
        spool.append(texts(first, 10))
    spool.take(35, 1_000_000)
    spool.settle(15)
    spool.note({"produced": 100, "accepted": 15, "instance": "writer", "started_at": 5})
    spool.release()

    orphan = adopt(tmp_path / "spool")

    assert orphan.ledger["accepted"] == 15
    assert drained(orphan) == (texts(15, 85), 0)
    orphan.release()


def test_a_spool_whose_writer_lives_is_nobody_elses(make: Made, tmp_path: Path) -> None:
    make().append(texts(0, 1))

    assert list(orphans(str(tmp_path / "spool"))) == []


def test_files_of_others_beside_it_are_neither_taken_over_nor_removed(make: Made, tmp_path: Path) -> None:
    spool = make()
    spool.append(texts(0, 3))
    spool.release()
    directory = tmp_path / "spool"
    theirs = ["poetry.lock", "2024.lock", "5-x.lock", "apt-1-deadbeef.lock", f"{spool.name}.a.b.c.spool"]
    for name in theirs:
        (directory / name).write_text("precious")

    orphan = adopt(directory)

    assert drained(orphan) == (texts(0, 3), 0)
    assert orphan.remove()
    assert {file.name: file.read_text() for file in directory.iterdir()} == dict.fromkeys(theirs, "precious")


@pytest.mark.parametrize("link", ["lock", "00000000.0000000000000000.1700000000.spool"])
def test_a_link_among_its_files_leads_to_no_other_file(tmp_path: Path, link: str) -> None:
    """Whoever may write into the directory could have any file of its owner's cut off."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    name = "1700000000000000-1-deadbeef"
    directory = tmp_path / "spool"
    directory.mkdir()
    (directory / f"{name}.lock").touch()
    (directory / f"{name}.{link}").unlink(missing_ok=True)
    (directory / f"{name}.{link}").symlink_to(precious)

    assert list(orphans(str(directory))) == []
    assert precious.read_text() == "precious"


def test_an_orphan_has_exactly_one_adopter(make: Made, tmp_path: Path) -> None:
    for number in range(20):
        spool = make()
        spool.append(texts(number, 1))
        spool.release()
    program = """
        import sys
        from hookvitals.spool import orphans
        sys.stdin.readline()
        found = list(orphans(sys.argv[1]))
        print(len(found), flush=True)
        sys.stdin.readline()
        """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "spool")]
    adopters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for line in ("go\n", "end\n"):
        for adopter in adopters:
            assert adopter.stdin is not None
            adopter.stdin.write(line)
            adopter.stdin.flush()
        if line == "go\n":
            found = [int(adopter.stdout.readline()) for adopter in adopters if adopter.stdout]
    for adopter in adopters:
        adopter.communicate(timeout=10)

    assert sum(found) == 20


def test_a_torn_end_is_cut_off_and_counted(make: Made, tmp_path: Path) -> None:
    spool = make()
    spool.append(texts(0, 3))
    spool.release()
    (file,) = segments(tmp_path / "spool")
    whole = file.read_bytes()

    for cut in range(1, len(packed_one := texts(2, 1)[0]) + 10):
        file.write_bytes(whole[:-cut])
        orphan = adopt(tmp_path / "spool")
        assert (orphan.torn, orphan.waiting()) == (1, 2), f"{cut} of {len(packed_one)} bytes cut"
        orphan.append(texts(2, 1))
        assert drained(orphan) == (texts(0, 3), 0)
        orphan.release()


def test_a_file_that_is_gone_is_counted_as_damaged(make: Made, tmp_path: Path) -> None:
    spool = make(max_bytes=8_000)
    for first in range(0, 60, 10):
        spool.append(texts(first, 10))
    files = segments(tmp_path / "spool")
    assert len(files) >= 3
    files[1].unlink()

    found, lost = drained(spool)

    assert len(found) + lost == 60
    assert lost > 0
    assert set(found) < set(texts(0, 60))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A spool that its writer left, and its one file's bytes."""
    directory = tmp_path_factory.mktemp("whole")
    spool = Spool.create(str(directory))
    spool.note({"produced": 20, "accepted": 0, "instance": "writer", "started_at": 5})
    for first in range(0, 20, 5):
        spool.append(texts(first, 5))
        spool.note({"produced": 20, "accepted": 0, "instance": "writer", "started_at": 5})
    spool.release()
    (file,) = segments(directory)
    return directory, file.read_bytes()


@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=400, deadline=None)
def test_any_one_flipped_bit_costs_at_most_the_record_it_hits(
    whole: tuple[Path, bytes], position: float, bit: int
) -> None:
    directory, data = whole
    (file,) = segments(directory)
    at = int(position * len(data))
    file.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])

    orphan = adopt(directory)
    account = taken_over(orphan.ledger, orphan.name, orphan.waiting(), orphan.torn)
    found, lost = drained(orphan)
    orphan.release()

    missing = [one for one in texts(0, 20) if one not in found]
    assert len(missing) <= 1
    assert lost + orphan.torn == len(missing), "every loss is counted, and nothing else is"
    assert found == [one for one in texts(0, 20) if one not in missing]
    assert account.produced(len(found) + lost) == 20


@given(junk=st.binary(min_size=1, max_size=300), position=st.floats(0, 1, exclude_max=True))
@settings(max_examples=200, deadline=None)
def test_no_damage_makes_up_a_record_or_stops_the_reading(
    whole: tuple[Path, bytes], junk: bytes, position: float
) -> None:
    directory, data = whole
    (file,) = segments(directory)
    at = int(position * len(data))
    file.write_bytes(data[:at] + junk + data[at + len(junk) :])

    orphan = adopt(directory)
    found, lost = drained(orphan)
    orphan.release()

    assert [one for one in texts(0, 20) if one in found] == found
    assert len(found) + lost + orphan.torn <= 21
