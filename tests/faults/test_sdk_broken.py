"""Each thing the SDK leans on, broken in turn: no handler and no sender gets to feel it."""

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hookvitals import Event, Receiver, Recorder, Shipper
from tests.sdk.collector import KEY, Reply, collecting
from tests.sdk.world import NOW, SECRET, URL, Clock, request

pytestmark = pytest.mark.faults

Answers = list[tuple[int, list[tuple[str, str]], bytes]]


class Broken(datetime):
    """A date that no record can hold."""

    def isoformat(self, *_: Any) -> str:
        raise RuntimeError("no words for it")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def answering(stack: ExitStack, reply: Reply | None) -> str:
    """The address of a collector that always answers so; None: as it should."""
    collector, url = stack.enter_context(collecting())
    if reply is not None:
        collector.answer = lambda post: reply
    return url


def never_answering(stack: ExitStack) -> str:
    hole = stack.enter_context(socket.socket())
    hole.bind(("127.0.0.1", 0))
    hole.listen(1)
    return f"http://127.0.0.1:{hole.getsockname()[1]}"


COLLECTORS: dict[str, Callable[[ExitStack], str]] = {
    "away": lambda stack: "http://127.0.0.1:9",
    "never answers": never_answering,
    "talks nonsense": lambda stack: answering(stack, Reply(200, {}, "<html>")),
    "redirects": lambda stack: answering(stack, Reply(302, {"Location": "http://127.0.0.1:9/"})),
    "knows no key": lambda stack: answering(stack, Reply(401)),
    "refuses all": lambda stack: answering(stack, Reply(400)),
    "is overrun": lambda stack: answering(stack, Reply(503, {"Retry-After": "never"})),
}


def file_in_place(spool: Path) -> None:
    spool.write_text("no directory")


def dangling_link(spool: Path) -> None:
    spool.symlink_to(spool.parent / "nowhere" / "at" / "all")


SPOOLS: dict[str, Callable[[Path], None]] = {"a file": file_in_place, "a dangling link": dangling_link}


def shipper_to(url: str, spool: Path | None = None) -> Shipper:
    return Shipper(url, KEY, spool_dir=str(spool) if spool else None, batch_size=2, batch_delay_s=0.01)


def answers(
    shipper: Shipper | None, *, durable: bool = False, between: Callable[[], None] = lambda: None
) -> Answers:
    """What it answers to an event, its copy, one whose handler fails, one nobody handles, a forgery."""
    receiver = Receiver(
        "acme", endpoint="orders", system="standard", secrets=[SECRET], shipper=shipper, durable=durable,
        now=Clock(), monotonic=Clock(),
    )  # fmt: skip

    @receiver.on("invoice.*")
    def handle(event: Event) -> None:
        if event.id == "evt_fails":
            raise LookupError("no such invoice")

    asked = [request("evt_1"), request("evt_1"), request("evt_fails"), request("evt_2", "user.new")]
    asked.append((request("evt_3")[0], b'{"forged": true}'))
    found = []
    for headers, body in asked:
        status, given, answer = receiver.handle("POST", URL, headers, body, "192.0.2.1")
        found.append((status, given, without_error_id(answer)))
        between()
    if shipper is not None:
        shipper.close(0.05)
    return found


def without_error_id(answer: bytes) -> bytes:
    """Each refusal has its own."""
    return re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"", answer)


def expected() -> Answers:
    return answers(None)


def test_the_answers_differ_among_themselves() -> None:
    assert [status for status, _, _ in expected()] == [200, 200, 500, 200, 401]


@pytest.mark.parametrize("broken", COLLECTORS)
@pytest.mark.parametrize("spooled", ["memory", "spool", "durable"])
def test_no_collector_changes_an_answer(stack: ExitStack, tmp_path: Path, broken: str, spooled: str) -> None:
    spool = None if spooled == "memory" else tmp_path / "spool"
    shipper = shipper_to(COLLECTORS[broken](stack), spool)

    assert answers(shipper, durable=spooled == "durable") == expected()


@pytest.mark.parametrize("broken", SPOOLS)
@pytest.mark.parametrize("durable", [False, True])
def test_no_spool_that_cannot_be_made_changes_an_answer(
    stack: ExitStack, tmp_path: Path, broken: str, durable: bool
) -> None:
    SPOOLS[broken](tmp_path / "spool")
    collector, url = stack.enter_context(collecting())

    assert answers(shipper_to(url, tmp_path / "spool"), durable=durable) == expected()
    assert len(collector.stored) == 5


@pytest.mark.parametrize("durable", [False, True])
def test_no_spool_that_vanishes_changes_an_answer(stack: ExitStack, tmp_path: Path, durable: bool) -> None:
    def vanish() -> None:
        shutil.rmtree(tmp_path / "spool", ignore_errors=True)

    shipper = shipper_to("http://127.0.0.1:9", tmp_path / "spool")

    assert answers(shipper, durable=durable, between=vanish) == expected()
    counts = shipper.counts()
    assert counts["produced"] == 5


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"a": object()}},
        {"event_created_at": Broken(2026, 1, 1)},
        {"skew_ms": float("nan")},
        {"labels": {("no", "key"): 1}},
    ],
    ids=["object", "raises", "nan", "key"],
)
def test_nothing_that_cannot_be_encoded_changes_what_the_work_gives(
    stack: ExitStack, tmp_path: Path, durable: bool, fields: dict[str, Any]
) -> None:
    shipper = shipper_to(answering(stack, None), tmp_path / "spool")
    recorder = Recorder("acme", "orders", shipper, durable=durable)

    assert worked(recorder, fields) == "done"
    with pytest.raises(LookupError, match="no such order"):
        worked(recorder, fields, LookupError("no such order"))

    shipper.flush()
    counts = shipper.counts()
    assert counts["produced"] == 2 == counts["accepted"] + sum(counts["dropped"].values())
    assert shipper.close()


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize(
    "now_ns",
    [lambda: 1 // 0, lambda: "noon", lambda: -5, lambda: 2**80],
    ids=["raises", "text", "negative", "far"],
)
def test_no_clock_changes_what_the_work_gives(
    stack: ExitStack, tmp_path: Path, durable: bool, now_ns: Callable[[], Any]
) -> None:
    shipper = shipper_to(answering(stack, Reply(400)), tmp_path / "spool")
    recorder = Recorder("acme", "orders", shipper, durable=durable, now_ns=now_ns)

    assert worked(recorder, {}) == "done"
    recorder.record("succeeded", int(NOW * 1e6), {"event_id": "e", "event_type": "t"})
    with pytest.raises(LookupError, match="no such order"):
        worked(recorder, {}, LookupError("no such order"))
    assert shipper.close()


def worked(recorder: Recorder, fields: dict[str, Any], error: Exception | None = None) -> str:
    with recorder.track("evt_1", "t") as tracked:
        tracked.fields.update(fields)
        if error is not None:
            raise error
        return "done"
