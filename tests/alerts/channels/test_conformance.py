"""What every channel must do when its service fails: retry or not, keep to the time asked for, tell no
secret."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts.channels.channel import Channel, Receipt
from alerts.channels.email import Email
from alerts.channels.slack import Slack
from alerts.channels.smtp import Mailer
from alerts.channels.webhook import Webhook
from alerts.egress import Egress
from alerts.errors import ChannelError, Failure
from alerts.http import Client
from tests.alerts.samples import T0, message
from tests.alerts.support import LOOPBACK, Service, serving

PATH = "services/T0SECRET/B0SECRET/xoxSECRET"
KEY = "whsec_U0VDUkVUU0VDUkVUU0VDUkVUU0VDUkVUU0VDUkVU"
PASSWORD = "hunter2-SECRET"
SECRETS = ("SECRET", KEY.removeprefix("whsec_"), PASSWORD)

Make = Callable[[int, Egress, float], Channel]


def slack(port: int, egress: Egress, timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}/{PATH}"
    return Slack("ops", url, Client(egress), now=lambda: T0, timeout_s=timeout_s)


def webhook(port: int, egress: Egress, timeout_s: float) -> Channel:
    url = f"http://127.0.0.1:{port}/{PATH}"
    return Webhook("ops", url, KEY, Client(egress), now=lambda: T0, timeout_s=timeout_s)


def mail(port: int, egress: Egress, timeout_s: float) -> Channel:
    mailer = Mailer(
        "ops",
        "127.0.0.1",
        egress,
        port=port,
        security="tls",
        username="monitor",
        password=PASSWORD,
        timeout_s=timeout_s,
    )
    return Email("ops", mailer, "monitor@example.com", ["ann@example.com"])


over_http = pytest.mark.parametrize("make", [slack, webhook])
every_channel = pytest.mark.parametrize("make", [slack, webhook, mail])


def failure_of(
    make: Make, port: int, *, allow: tuple[str, ...] = LOOPBACK, timeout_s: float = 5
) -> ChannelError:
    """The error of one sending, seen to hold no secret in its text, its parts or its traceback."""
    channel = make(port, Egress(allow), timeout_s)
    with pytest.raises(ChannelError) as failed:
        channel.send(message())
    shown = [str(failed.value), repr(failed.value), *traceback.format_exception(failed.value), repr(channel)]
    assert not [secret for secret in SECRETS for text in shown if secret in text]
    assert "ops" in str(failed.value)
    return failed.value


@over_http
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_taken(make: Make, status: int) -> None:
    with serving(Service(status=status, body=b"")) as service:
        assert isinstance(make(service.port, Egress(LOOPBACK), 5).send(message()), Receipt)
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
    make: Make, status: int, retryable: bool, reason: Failure
) -> None:
    with serving(Service(status=status, headers={"Location": f"/{PATH}"})) as service:
        failed = failure_of(make, service.port)
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
    make: Make, status: int, header: str, seconds: float | None
) -> None:
    with serving(Service(status=status, headers={"Retry-After": header})) as service:
        assert failure_of(make, service.port).retry_after_s == seconds


@over_http
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"invalid_token", True),
        (b"no_service\n", True),
        (f"POST /{PATH} not found".encode(), False),
        (b'{"error": "xoxSECRET"}', False),
        (b"\xff\xfe", False),
    ],
)
def test_error_repeats_a_services_code_word_and_nothing_else_it_says(
    make: Make, body: bytes, shown: bool
) -> None:
    with serving(Service(status=400, body=body)) as service:
        text = str(failure_of(make, service.port))
    assert (body.decode(errors="ignore").strip() in text) is shown or body == b"\xff\xfe"


@every_channel
def test_service_that_is_not_there_is_tried_again(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
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
