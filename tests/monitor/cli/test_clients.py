"""`hookvitals clients` over a real store."""

from datetime import UTC, datetime
from pathlib import Path

from monitor.clock import SystemClock, to_us
from monitor.store.facts.protocol import ClientCounts
from monitor.store.facts.sqlite.writer import SqliteFactWriter, create
from tests.facts import Filled, RecordFactory
from tests.monitor.cli.running import run


def test_clients_are_listed_with_what_is_missing(tmp_path: Path) -> None:
    create(tmp_path / "facts.db")
    writer = SqliteFactWriter(tmp_path / "facts.db", SystemClock())
    now = datetime.now(UTC)
    counts = ClientCounts("shop", "1.0", "pod-1", 0, to_us(now), None, 20, 3, {"full": 4}, {})
    make = RecordFactory()
    Filled(writer, now).add([make(at=now) for _ in range(7)], client=counts)
    writer.close()

    result = run("clients", data_dir=tmp_path)

    assert result.exit_code == 0, result.stderr
    header, line = result.stdout.splitlines()
    shown = dict(
        zip(
            header.replace("WHY DROPPED", "WHY").split(),
            line.replace("shop 1.0", "shop").split(),
            strict=False,
        )
    )
    assert (shown["PRODUCED"], shown["STORED"], shown["SPOOLED"], shown["DROPPED"]) == ("20", "7", "3", "4")
    assert shown["MISSING"] == "6"
    assert "full 4" in line


def test_store_without_clients_says_so(tmp_path: Path) -> None:
    create(tmp_path / "facts.db")
    assert run("clients", "--over", "2h", data_dir=tmp_path).stdout == "no client was heard of within 2h\n"
