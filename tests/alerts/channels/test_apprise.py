"""Apprise: what reaches a service, what its failures mean, and what it cannot do in its process."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence

import pytest

from alerts.channels.apprise import Apprise
from alerts.errors import ChannelError, Failure, SettingInvalid
from alerts.model import State, Why
from tests.alerts.samples import EVIDENCE, alert, message
from tests.alerts.support import LOOPBACK, Service, serving

needs_apprise = pytest.mark.skipif(
    importlib.util.find_spec("apprise") is None, reason="apprise is not installed"
)


def failure_of(url: str, allow: Sequence[str] = LOOPBACK) -> ChannelError:
    with pytest.raises(ChannelError) as failed:
        Apprise("any", url, allow).send(message())
    assert "s3cret" not in str(failed.value)
    return failed.value


@needs_apprise
def test_message_reaches_the_service() -> None:
    with serving(Service()) as service:
        Apprise("any", f"json://127.0.0.1:{service.port}/s3cret", LOOPBACK).send(message())
    said = json.loads(service.seen[0].body)
    assert service.seen[0].path == "/s3cret"
    assert (said["title"], said["type"]) == ("Error: error_rate at stripe/payments", "failure")
    assert EVIDENCE.summary in said["message"]
    assert f"Alert: https://monitor.example/hooks/alerts/{alert().fingerprint}" in said["message"]


@needs_apprise
def test_nothing_of_our_environment_gets_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(Service()) as service:
        Apprise("any", f"json://127.0.0.1:{service.port}/", LOOPBACK).send(message())
    assert len(service.seen) == 1


@needs_apprise
def test_end_is_a_success() -> None:
    with serving(Service()) as service:
        channel = Apprise("any", f"json://127.0.0.1:{service.port}/", LOOPBACK)
        channel.send(message(alert(state=State.RESOLVED), Why.RESOLVED))
    assert json.loads(service.seen[0].body)["type"] == "success"


@needs_apprise
@pytest.mark.parametrize(
    ("status", "retryable", "reason"),
    [
        (400, False, Failure.CLIENT_ERROR),
        (401, False, Failure.AUTHENTICATION),
        (429, True, Failure.RATE_LIMITED),
        (503, True, Failure.SERVER_ERROR),
    ],
)
def test_status_that_apprise_tells_of_decides_whether_to_try_again(
    status: int, retryable: bool, reason: Failure
) -> None:
    with serving(Service(status=status)) as service:
        failed = failure_of(f"json://127.0.0.1:{service.port}/s3cret")
    assert (failed.retryable, failed.reason) == (retryable, reason)


@needs_apprise
def test_redirect_is_not_followed() -> None:
    with serving(Service()) as elsewhere:
        there = {"Location": f"{elsewhere.url}/"}
        with serving(Service(status=302, headers=there)) as service:
            failure_of(f"json://127.0.0.1:{service.port}/s3cret")
    assert elsewhere.seen == []


@needs_apprise
def test_cloud_metadata_is_never_dialled() -> None:
    failed = failure_of("json://169.254.169.254/s3cret", ["169.254.0.0/16"])
    assert (failed.reason, failed.retryable) == (Failure.REFUSED_ADDRESS, False)


@needs_apprise
def test_nothing_leaves_but_over_ip() -> None:
    failed = failure_of("syslog://")
    assert (failed.reason, failed.retryable) == (Failure.REFUSED_ADDRESS, False)


@needs_apprise
@pytest.mark.parametrize("url", ["", "nothing://s3cret", "s3cret"])
def test_url_that_apprise_does_not_know_is_given_up(url: str) -> None:
    failed = failure_of(url)
    assert (failed.reason, failed.retryable) == (Failure.BAD_URL, False)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingInvalid, match=r"pip install 'hookvitals-server\[apprise\]'"):
        Apprise("any", "json://s3cret", ())
