"""The receiver's own log: which event a line is about, one line an outcome, none that a stranger wrote."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookvitals import Event, JsonFormatter, LogContext, RetryPolicy
from hookvitals.log import OutcomeLog, handling, logfmt
from tests.sdk.world import NOW, SECRET, URL, World, deliver, request


class Kept(logging.Handler):
    """Formatted lines, as a file would hold them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.addFilter(LogContext())
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self.format(record))


def listening(name: str, formatter: logging.Formatter) -> Iterator[Kept]:
    logger = logging.getLogger(name)
    kept, before = Kept(formatter), logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(before)
    logger.propagate = True


@pytest.fixture
def outcomes() -> Iterator[Kept]:
    yield from listening("hookvitals.events", logging.Formatter("%(levelname)s %(message)s"))


@pytest.fixture
def app() -> Iterator[Kept]:
    formatter = "%(event_id)s %(event_type)s %(source)s/%(endpoint)s %(attempt)s: %(message)s"
    yield from listening("the.application", logging.Formatter(formatter))


@pytest.fixture
def as_json() -> Iterator[Kept]:
    yield from listening("the.application", JsonFormatter())


LOG = logging.getLogger("the.application")


def fields_of(line: str) -> dict[str, str]:
    """The pairs of a line, its level left out."""
    return {name: text.strip('"') for name, text in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)}


# --- which event a line is about ---


def test_what_a_handler_logs_says_which_event_it_is_about(world: World, app: Kept) -> None:
    """practice 37: id and type on every line."""
    world.behave = lambda event: LOG.info("charging %s", "a card")
    LOG.info("before")

    deliver(world.receiver())

    LOG.info("after")
    assert app.lines == [
        "- - -/- -: before",
        "evt_1 invoice.paid acme/orders 1: charging a card",
        "- - -/- -: after",
    ]


def test_so_does_each_attempt_from_the_inbox(world: World, app: Kept) -> None:
    def fail_once(event: Event) -> None:
        LOG.info("trying")
        if event.attempt == 1:
            raise RuntimeError("not yet")

    world.behave = fail_once
    receiver = world.inbox()

    deliver(receiver)
    world.until(lambda: len(app.lines) == 2)

    assert app.lines == [f"evt_1 invoice.paid acme/orders {attempt}: trying" for attempt in (1, 2)]


def test_a_handler_that_failed_leaves_nothing_behind(world: World, app: Kept) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no")

    world.behave = fail
    deliver(world.receiver())

    LOG.info("after")

    assert app.lines == ["- - -/- -: after"]


def test_a_field_of_the_callers_own_is_kept(world: World, app: Kept) -> None:
    world.behave = lambda event: LOG.info("mine", extra={"source": "a file"})

    deliver(world.receiver())

    assert "a file/orders" in app.lines[0]


# --- one line an outcome ---


def test_each_outcome_has_its_line_and_its_level(world: World, outcomes: Kept) -> None:
    def fail(event: Event) -> None:
        if event.id == "evt_bad":
            raise RuntimeError("no such order")

    world.behave = fail
    receiver = world.receiver(handle="invoice.*")
    for event_id, event_type in (
        ("evt_1", "invoice.paid"),
        ("evt_1", "invoice.paid"),
        ("evt_2", "nobody.asked"),
    ):
        deliver(receiver, event_id, event_type=event_type)
    deliver(receiver, "evt_bad")
    deliver(receiver, "evt_3", at=NOW - 400)

    told = [(line.split(" ")[0], fields_of(line)["outcome"]) for line in outcomes.lines]
    assert told == [
        ("INFO", "succeeded"),
        ("INFO", "duplicate"),
        ("WARNING", "unhandled"),  # practice 18
        ("ERROR", "failed"),
        ("WARNING", "rejected"),
    ]
    succeeded, failed, rejected = (fields_of(outcomes.lines[place]) for place in (0, 3, 4))
    assert succeeded.items() >= {
        "event_id": "evt_1", "event_type": "invoice.paid", "source": "acme", "endpoint": "orders",
        "attempt": "1", "http_status": "200", "remote_ip": "192.0.2.1",
    }.items()  # fmt: skip
    assert float(succeeded["process_ms"]) >= 0
    assert (failed["error_class"], failed["event_id"]) == ("RuntimeError", "evt_bad")
    assert (rejected["reason"], "event_id" in rejected) == ("timestamp_too_old", False)


def test_the_line_names_the_record_that_the_answer_named(world: World, outcomes: Kept) -> None:
    """practice 16"""
    answer = deliver(world.receiver(), at=NOW - 400)

    assert fields_of(outcomes.lines[0])["record_id"] == answer.problem["error_id"]


def test_an_inbox_tells_of_the_answer_and_of_the_work(world: World, outcomes: Kept) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no")

    world.behave = fail
    receiver = world.inbox(retry=RetryPolicy(attempts=2, uniform=lambda low, high: 0.0))

    deliver(receiver)
    world.until(lambda: len(outcomes.lines) == 3)

    assert [fields_of(line)["outcome"] for line in outcomes.lines] == ["accepted", "failed", "dead_lettered"]
    assert outcomes.lines[2].startswith("ERROR ")


def test_without_a_collector_the_log_is_there_all_the_same(world: World, outcomes: Kept) -> None:
    deliver(world.receiver(shipper=None))

    assert fields_of(outcomes.lines[0])["outcome"] == "succeeded"


def test_work_above_5000_ms_is_a_warning_with_id_and_type(outcomes: Kept) -> None:
    """practice 32"""
    log = OutcomeLog("acme", "orders", "production")
    for process_ms in (5000.0, 5000.1):
        log.tell("succeeded", {"event_id": "evt_1", "event_type": "t", "process_ms": process_ms}, 0)

    assert [line.split(" ")[0] for line in outcomes.lines] == ["INFO", "WARNING"]
    assert (
        fields_of(outcomes.lines[1]).items()
        >= {"event_id": "evt_1", "event_type": "t", "slow": "true"}.items()
    )


def test_rejections_of_one_kind_warn_once_a_minute_and_are_counted(world: World, outcomes: Kept) -> None:
    outcomes.setLevel(logging.WARNING)
    receiver = world.receiver()

    def forge(number: int) -> None:
        headers, body = request(at=world.clock.now)
        for _ in range(number):
            receiver.handle("POST", URL, headers, body + b" ", "192.0.2.1")

    forge(5)
    receiver.handle("POST", URL, [], b"{}", "192.0.2.1")
    world.clock.now += 60
    forge(2)

    told = [fields_of(line) for line in outcomes.lines]
    assert [one["reason"] for one in told] == ["bad_signature", "missing_signature", "bad_signature"]
    assert [one.get("more") for one in told] == [None, None, "4"]


def test_the_table_of_kinds_is_bounded(outcomes: Kept) -> None:
    log = OutcomeLog("acme", "orders", "production")
    for number in range(5000):
        log.tell("unhandled", {"event_type": f"t{number}"}, 0)

    assert len(log._kept_down) <= 256


# --- what must not be there ---


def test_no_line_has_a_secret_a_signature_or_a_body(world: World, outcomes: Kept) -> None:
    def explode(event: Event) -> None:
        raise RuntimeError(f"cannot sign with {SECRET}; password=hunter22")

    world.behave = explode
    receiver = world.receiver(capture="all")
    headers, body = request(data={"iban": "DE00 1234"})
    signature = dict(headers)["webhook-signature"].removeprefix("v1,")
    receiver.handle("POST", URL, [*headers, ("authorization", "Basic QQ==")], body)
    receiver.handle("POST", URL, headers, body + b" ")

    told = "\n".join(outcomes.lines)
    assert len(outcomes.lines) == 2
    for secret in (SECRET, SECRET.removeprefix("whsec_"), signature, "hunter22", "DE00", "QQ=="):
        assert secret not in told


@given(st.dictionaries(st.sampled_from(["event_id", "error_message", "remote_ip"]), st.text(max_size=600)))
def test_text_from_outside_stays_in_its_line_and_its_field(fields: dict[str, str]) -> None:
    line = logfmt(fields)

    assert line.isprintable()
    assert line.isascii()
    parsed: dict[str, str] = {}
    rest = line
    while rest:
        name, rest = rest.split("=", 1)
        if rest.startswith('"'):
            parsed[name], end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:].lstrip(" ")
        else:
            parsed[name], _, rest = rest.partition(" ")
    assert parsed == fields


def test_an_error_text_cannot_begin_a_line_or_move_the_cursor(world: World, outcomes: Kept) -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no\r\nINFO outcome=succeeded event_id=evt_9\x1b[2J\u2028\u202e" + "x" * 5000)

    world.behave = fail
    deliver(world.receiver())

    (line,) = outcomes.lines
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 1500
    assert 'error_message="no\\r\\nINFO outcome=succeeded' in line


def test_an_id_with_control_characters_is_shown_escaped(app: Kept) -> None:
    event = Event("evt\n1\x1b", "a" * 900, {}, b"", [], 0)
    with handling("acme", "orders", event):
        LOG.info("here")

    assert app.lines[0].startswith("evt\\n1\\x1b aaa")
    assert len(app.lines[0]) < 400


def test_a_batch_is_told_by_its_first_event_and_its_number(app: Kept) -> None:
    batch = [Event(f"evt_{number}", "invoice.paid", {}, b"", [], 0) for number in range(3)]
    with handling("acme", "orders", *batch):
        LOG.info("here")

    assert app.lines == ["evt_0 and 2 more invoice.paid acme/orders 1: here"]


def test_what_the_handler_of_a_batch_logs_says_which_events_it_had(world: World, app: Kept) -> None:
    """practice 37; a batch that fails is halved, and each half is told of by its own first event."""

    def handle(events: list[Event]) -> None:
        LOG.info("storing")
        if len(events) == 2:
            raise ValueError("poison")

    receiver = world.inbox(handle=None)
    receiver.batch("*", size=2)(handle)
    for number in range(2):
        deliver(receiver, f"evt_{number}")
    inbox = receiver.inbox
    assert inbox is not None
    world.until(lambda: inbox.depth() == 0)

    assert app.lines == [
        "evt_0 and 1 more invoice.paid acme/orders 1: storing",
        "evt_0 invoice.paid acme/orders 1: storing",
        "evt_1 invoice.paid acme/orders 1: storing",
    ]


def test_a_filter_that_breaks_changes_no_answer(world: World, outcomes: Kept) -> None:
    """The guide's `result["duration"]` that raised after success turned the success into a failure."""

    def broken(record: logging.LogRecord) -> bool:
        raise KeyError("duration")

    logger = logging.getLogger("hookvitals.events")
    logger.addFilter(broken)
    try:
        assert [deliver(world.receiver(), f"evt_{number}").status for number in range(3)] == [200] * 3
    finally:
        logger.removeFilter(broken)
    assert world.outcomes() == ["succeeded"] * 3


# --- as JSON ---


def test_a_dict_in_place_of_arguments_is_not_lost(world: World, as_json: Kept) -> None:
    """The guide's `logger.info(msg, {...})`: plain formatters drop the dict."""
    world.behave = lambda event: LOG.info("processed", {"amount": 5})

    deliver(world.receiver())

    line = json.loads(as_json.lines[0])
    assert line.items() >= {
        "message": "processed", "level": "INFO", "logger": "the.application", "data": {"amount": 5},
        "event_id": "evt_1", "attempt": 1,
    }.items()  # fmt: skip
    assert line["time"].endswith("+00:00")


def test_outcomes_as_json_have_their_fields_with_their_types(world: World, outcomes: Kept) -> None:
    outcomes.setFormatter(JsonFormatter())

    deliver(world.receiver())

    line = json.loads(outcomes.lines[0])
    assert line["message"] == "webhook succeeded"
    assert (line["event_id"], line["http_status"], line["attempt"]) == ("evt_1", 200, 1)
    assert isinstance(line["process_ms"], float)


class Mute:
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    "extra",
    [
        {"n": float("nan")},
        {"o": object()},
        {"m": Mute()},
        {"d": {("a", 1): 2}},
        {"bytes": b"\xff"},
        {"s": "\ud800"},
    ],
)
def test_whatever_is_logged_one_line_of_json_comes_out(as_json: Kept, extra: dict[str, Any]) -> None:
    LOG.info("a\nb", extra=extra)

    (line,) = as_json.lines
    assert "\n" not in line
    assert set(json.loads(line)) >= {"message", *extra}


def test_arguments_that_do_not_fit_leave_the_text() -> None:
    record = logging.makeLogRecord({"msg": "%d apples", "args": ("some",)})

    assert json.loads(JsonFormatter().format(record))["message"] == "%d apples"


def test_an_error_is_told_with_its_stack_and_without_its_password(as_json: Kept) -> None:
    try:
        raise RuntimeError("postgres://app:hunter22@db/x")
    except RuntimeError:
        LOG.exception("failed")

    line = json.loads(as_json.lines[0])
    assert line["error_class"] == "RuntimeError"
    assert "Traceback" in line["error_stack"]
    assert "hunter22" not in as_json.lines[0]
