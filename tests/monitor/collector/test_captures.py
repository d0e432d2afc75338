"""Captures through the collector: sealed before they are stored, first one kept, credentials left out."""

import base64
from pathlib import Path
from typing import Any

from monitor.model import Capture
from monitor.seal import Sealer, capture_context, opened_capture
from monitor.store.facts.sqlite.reader import SqliteFactReader
from tests.monitor.collector.fronts import Stand, stand

BODY = b'{"account": "4242"}'


def letter(collector: Stand, **capture: Any) -> dict[str, Any]:
    stated = {
        "headers": {"X-Id": "1"},
        "body": base64.b64encode(BODY).decode(),
        "content_type": "application/json",
    }
    return collector.record(outcome="dead_lettered", error_class="E", capture=stated | capture)


def kept(collector: Stand, event_id: str = "evt_1") -> tuple[Capture, bool] | None:
    reader = SqliteFactReader(collector.front.settings.facts_path)
    found = reader.capture("production", "orum", "payouts", event_id)
    reader.close()
    if found is None:
        return None
    sealed, redacted = found
    assert BODY not in sealed
    context = capture_context("production", "orum", "payouts", event_id)
    return opened_capture(Sealer(bytes(32)), sealed, context), redacted


def test_capture_is_stored_sealed_and_opens_to_the_bytes_received(collector: Stand) -> None:
    collector.send(letter(collector))

    assert kept(collector) == (Capture({"X-Id": "1"}, BODY, "application/json", False), False)


def test_signatures_and_credentials_are_left_out_whatever_the_client_allows(collector: Stand) -> None:
    headers = {
        "X-Id": "1",
        "Webhook-Signature": "v1,x",
        "X-Hub-Signature-256": "x",
        "AUTHORIZATION": "x",
        "Cookie": "x",
    }
    collector.send(letter(collector, headers=headers))

    found = kept(collector)
    assert found is not None
    assert found[0].headers == {"X-Id": "1"}


def test_first_capture_of_an_event_wins(collector: Stand) -> None:
    collector.send(letter(collector))
    later = letter(collector, body=base64.b64encode(b"second").decode()) | {"attempt": 2}
    collector.send(later)

    found = kept(collector)
    assert found is not None
    assert found[0].body == BODY


def test_digest_in_place_of_a_body_can_never_be_replayed(collector: Stand) -> None:
    collector.send(letter(collector, body=None, sha256="ab" * 32, length=19))

    found = kept(collector)
    assert found is not None
    assert (found[0].body, found[1]) == (b"sha256:" + b"ab" * 32 + b" length:19", True)


def test_nothing_of_a_capture_lies_open_in_the_files(tmp_path: Path) -> None:
    collector = stand(tmp_path)
    collector.send(letter(collector))
    collector.store.fold()
    content = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    collector.store.close()

    assert b"evt_1" in content
    assert b"4242" not in content
