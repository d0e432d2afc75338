"""What every channel must do when its service fails: retry or not, keep to the time asked for, tell no
secret."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts.channels.channel import Receipt
from alerts.errors import ChannelError, Failure
from tests.alerts.channels.cases import ALL, OVER_HTTP, PATH, SECRETS, Case, Make
from tests.alerts.samples import T0, message
from tests.alerts.support import LOOPBACK, Service, serving
from tests.ports import free_port

over_http = pytest.mark.parametrize("case", OVER_HTTP.values(), ids=OVER_HTTP.keys())
every_channel = pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
QUICK_S = 20.0
LIMIT_S = 1.0


def failure_of(
    make: Make, port: int, *, allow: tuple[str, ...] = LOOPBACK, timeout_s: float = QUICK_S
) -> ChannelError:
    """The error of one sending, seen to hold no secret in its text, its parts or its traceback."""
    channel = make(port, allow, timeout_s)
    with pytest.raises(ChannelError) as failed:
        channel.send(message())
    shown = [str(failed.value), repr(failed.value), *traceback.format_exception(failed.value), repr(channel)]
    assert not [secret for secret in SECRETS for text in shown if secret in text]
    assert "ops" in str(failed.value)
    return failed.value


@over_http
@pytest.mark.parametrize("status", [200, 201, 202])
def test_2xx_is_taken(case: Case, status: int) -> None:
    with serving(Service(status=status, body=case.taken)) as service:
        assert isinstance(case.make(service.port, LOOPBACK, QUICK_S).send(message()), Receipt)
    assert len(service.seen) == 1


@over_http
@pytest.mark.parametrize(
    ("status", "retryable", "reason"),
    [
        (301, False, Failure.REDIRECT),
        (302, False, Failure.REDIRECT),
        (400, False, Failure.CLIENT_ERROR),
        (401, False, Failure.AUTHENTICATION),
        (403, False, Failure.AUTHENTICATION),
        (404, False, Failure.CLIENT_ERROR),
        (408, True, Failure.SERVER_ERROR),
        (410, False, Failure.CLIENT_ERROR),
        (413, False, Failure.CLIENT_ERROR),
        (425, True, Failure.SERVER_ERROR),
        (429, True, Failure.RATE_LIMITED),
        (500, True, Failure.SERVER_ERROR),
        (502, True, Failure.SERVER_ERROR),
        (503, True, Failure.SERVER_ERROR),
        (504, True, Failure.SERVER_ERROR),
    ],
)
def test_status_decides_whether_to_try_again(
    case: Case, status: int, retryable: bool, reason: Failure
) -> None:
    with serving(Service(status=status, headers={"Location": f"/{PATH}"})) as service:
        failed = failure_of(case.make, service.port)
    assert (failed.retryable, failed.reason) == (retryable, reason)
    assert str(status) in str(failed)
    assert len(service.seen) == 1


@over_http
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("-7", 0.0),
        ("1.5", 1.5),
        (format_datetime(T0 + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_time_the_service_asks_for_is_passed_on(
    case: Case, status: int, header: str, seconds: float | None
) -> None:
    with serving(Service(status=status, headers={"Retry-After": header})) as service:
        assert failure_of(case.make, service.port).retry_after_s == seconds


@over_http
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"invalid_token", True),
        (b"no_service\n", True),
        (f"POST /{PATH} not found".encode(), False),
        (b'{"error": "xoxSECRET"}', False),
        (b"a0secret9key", False),
        (b"\xff\xfe", False),
    ],
)
def test_error_repeats_a_services_code_word_and_nothing_else_it_says(
    case: Case, body: bytes, shown: bool
) -> None:
    with serving(Service(status=400, body=body)) as service:
        text = str(failure_of(case.make, service.port))
    assert (body.decode(errors="ignore").strip() in text) is shown or body == b"\xff\xfe"


@every_channel
def test_service_that_is_not_there_is_tried_again(make: Make) -> None:
    port = free_port()
    failed = failure_of(make, port)
    assert (failed.reason, failed.retryable) == (Failure.CONNECT, True)


@every_channel
def test_service_that_says_nothing_is_left_after_the_time_limit_and_tried_again(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = failure_of(make, silent.getsockname()[1], timeout_s=0.1)
    assert (failed.reason, failed.retryable) == (Failure.TIMEOUT, True)


@every_channel
def test_service_that_hangs_up_is_tried_again(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def hang_up() -> None:
            connection = rude.accept()[0]
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        failed = failure_of(make, rude.getsockname()[1])
        thread.join()
    assert failed.retryable


@every_channel
def test_address_that_may_not_be_dialled_is_given_up_and_names_the_setting(make: Make) -> None:
    with serving(Service()) as service:
        failed = failure_of(make, service.port, allow=())
    assert (failed.reason, failed.retryable) == (Failure.REFUSED_ADDRESS, False)
    assert 'add "127.0.0.1/32" or its range to egress.allow' in str(failed)
    assert service.seen == []


@over_http
def test_nothing_that_is_logged_holds_a_secret(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (200, 404, 500):
        with serving(Service(status=status, body=case.taken)) as service:
            channel = case.make(service.port, LOOPBACK, QUICK_S)
            try:
                channel.send(message())
            except ChannelError:
                assert status != 200
    assert not [secret for secret in SECRETS if secret in caplog.text]


@over_http
def test_second_copy_carries_the_same_key_where_the_service_knows_keys(case: Case) -> None:
    with serving(Service(body=case.taken)) as service:
        channel = case.make(service.port, LOOPBACK, QUICK_S)
        channel.send(message())
        channel.send(message())
    first, second = service.seen
    assert first.body == second.body
    said = first.body.decode() + str(first.headers)
    assert any(key in said for key in (message().key, message().thread, '"alertname"')) is case.keyed


@over_http
def test_answer_without_an_end_is_left_when_it_grows_large(case: Case) -> None:
    with endless(status=500) as flood:
        failed = failure_of(case.make, flood.port)
    assert failed.retryable
    assert flood.sent_bytes < 16 * 1024 * 1024


@every_channel
def test_message_is_taken_or_refused_within_the_time_limit(make: Make) -> None:
    with endless(status=200, pause_s=0.05) as drip:
        channel = make(drip.port, LOOPBACK, LIMIT_S)
        began = time.monotonic()
        with pytest.raises(ChannelError):
            channel.send(message())
    assert time.monotonic() - began < 5 * LIMIT_S


@dataclass(slots=True)
class Flood:
    """A service whose answer never ends. sent_bytes: what it could send before its client left."""

    port: int = 0
    sent_bytes: int = 0


@contextmanager
def endless(status: int, pause_s: float = 0.0) -> Iterator[Flood]:
    flood, over = Flood(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        flood.port = server.getsockname()[1]

        def pour() -> None:
            connection = server.accept()[0]
            piece = b" " * (1 if pause_s else 65536)
            try:
                connection.recv(65536)
                connection.sendall(f"HTTP/1.1 {status} Words\r\n\r\n".encode())
                while not over.is_set():
                    connection.sendall(piece)
                    flood.sent_bytes += len(piece)
                    over.wait(pause_s)
            except OSError:
                pass  # the client has had enough
            finally:
                connection.close()

        thread = threading.Thread(target=pour)
        thread.start()
        try:
            yield flood
        finally:
            over.set()
            with suppress(OSError):  # a client that was ended early never came: nobody waits for it now
                socket.create_connection(("127.0.0.1", flood.port), 1).close()
            thread.join()
