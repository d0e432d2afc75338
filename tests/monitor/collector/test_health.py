import shutil
from pathlib import Path

from monitor.collector.counters import NAMES, Counters, cleared, totals
from tests.monitor.collector.fronts import DirectLink, Stand, key, stand


def reasons(collector: Stand) -> list[str]:
    response = collector.client.get("/readyz")
    if response.status_code == 200:
        assert response.get_json() == {"status": "ready"}
        return []
    assert response.status_code == 503
    found: list[str] = response.get_json()["reasons"]
    return found


def test_working_collector_is_alive_ready_and_names_its_version(collector: Stand) -> None:
    assert collector.client.get("/healthz").get_json() == {"status": "ok"}
    assert reasons(collector) == []
    assert collector.client.get("/version").get_json() == {"version": "0.1.0", "facts_schema": 1}


def test_writer_that_is_away_is_a_reason_and_a_503(collector: Stand) -> None:
    link = collector.front.writer
    assert isinstance(link, DirectLink)

    def away(question: bytes, wait_s: float) -> tuple[object, ...]:
        raise ConnectionRefusedError

    link._exchange = away  # type: ignore[method-assign]  # as a closed socket would answer
    (reason,) = reasons(collector)
    assert "not there" in reason
    response = collector.post([collector.record()])
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.get_json()["code"] == "unavailable"
    assert collector.client.get("/healthz").status_code == 200
    assert "hookvitals_collector_writer_up 0.0" in collector.client.get("/metrics").text


def test_full_disk_is_a_503_and_a_reason_until_it_has_room(collector: Stand) -> None:
    pages = collector.store._db.execute("PRAGMA page_count").fetchone()[0]
    collector.store._db.execute(f"PRAGMA max_page_count={pages}").fetchall()
    records = [collector.record(event_id=f"{i}" * 50, error_class=None) for i in range(4000)]
    collector.send(collector.record())

    response = collector.post(records)
    assert (response.status_code, response.get_json()["code"]) == (503, "store_full")
    assert int(response.headers["Retry-After"]) > 0
    assert "retention" in response.get_json()["hint"]
    assert len(reasons(collector)) == 1

    collector.store._db.execute("PRAGMA max_page_count=1000000").fetchall()
    assert collector.send(*records)["accepted"] == 4000
    assert reasons(collector) == []


def test_little_room_left_is_said_before_it_is_gone(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    collector = stand(tmp_path, disk_reserve_bytes=2 * free)
    (reason,) = reasons(collector)
    collector.store.close()
    assert "bytes are free" in reason


def test_keys_not_yet_read_are_a_reason(tmp_path: Path) -> None:
    collector = stand(tmp_path, [key()])
    collector.front.keys.is_loaded = False
    (reason,) = reasons(collector)
    collector.store.close()
    assert "keys" in reason


def test_counts_of_all_processes_are_summed_and_outlive_them(tmp_path: Path) -> None:
    directory = cleared(tmp_path / "counts")
    Counters(directory).add({("commits", ""): 3})
    (own,) = directory.iterdir()
    shutil.copy(own, directory / "99999999.counts")  # a process that has ended
    Counters(directory).add({("commits", ""): 1})

    assert totals(directory)["commits", ""] == 7
    assert set(totals(directory)) == set(NAMES)
    assert totals(cleared(directory))["commits", ""] == 0
