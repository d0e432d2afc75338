"""The Django adapter beside Django's own guards: allowed hosts, CSRF, transactions, limits, connections."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings

from hookvitals import Event
from hookvitals.integrations.django import fresh_connections
from tests.sdk.integrations.adapters import PATH, django_urls
from tests.sdk.world import World, request


def posted(more: dict[str, str] | None = None) -> HttpResponse:
    """The answer to one signed event."""
    headers, body = request()
    client = Client(enforce_csrf_checks=True)
    answer: HttpResponse = client.post(
        PATH, body, "application/json", headers={**dict(headers), **(more or {})}
    )
    return answer


def test_no_token_against_forged_forms_is_needed(world: World) -> None:
    with django_urls(world.receiver()):
        assert posted().status_code == 200


def test_a_host_that_is_not_allowed_is_answered_by_django(world: World) -> None:
    with django_urls(world.receiver()), override_settings(ALLOWED_HOSTS=["hooks.example.com"], MIDDLEWARE=[]):
        assert posted({"Host": "evil.example.com"}).status_code == 400
        assert posted({"Host": "hooks.example.com"}).status_code == 200
    assert world.outcomes() == ["succeeded"]


def test_the_limit_is_the_receivers_not_djangos(world: World) -> None:
    """Django would answer 400 and the monitor would know nothing of it."""
    with django_urls(world.receiver()), override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        assert posted().status_code == 200
    with django_urls(world.receiver(endpoint="small", max_body_bytes=10)):
        assert posted().status_code == 413


def reads_the_body(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A middleware that looks at every body."""

    def middleware(request: HttpRequest) -> HttpResponse:
        assert request.body
        return get_response(request)

    return middleware


def test_a_request_that_was_read_before_is_still_verified(world: World) -> None:
    with django_urls(world.receiver()), override_settings(MIDDLEWARE=[f"{__name__}.reads_the_body"]):
        assert posted().status_code == 200


def test_a_handler_is_never_in_a_transaction_of_the_request(world: World) -> None:
    """ATOMIC_REQUESTS is on in these tests: the commit would come after the event was noted as handled."""
    inside: list[bool] = []
    world.behave = lambda event: inside.append(transaction.get_connection().in_atomic_block)

    with django_urls(world.receiver()):
        assert posted().status_code == 200

    assert inside == [False]


def test_the_connection_of_a_handler_in_the_inboxs_thread_does_not_stay_open(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "NAME", str(tmp_path / "ledger.db"))
    opened: list[Any] = []

    def handle(event: Event) -> None:
        connection.ensure_connection()
        opened.append(connection.connection)
        opened.append(connections["default"])

    receiver = world.inbox(handle=None)
    receiver.on("*")(fresh_connections(handle))
    headers, body = request()
    receiver.handle("POST", f"http://h{PATH}", headers, body, None)
    world.until(lambda: "succeeded" in world.outcomes())

    raw, wrapper = opened
    assert raw is not None
    assert wrapper.connection is None


def test_the_handler_keeps_its_name_and_its_error() -> None:
    @fresh_connections
    def book(event: Event) -> None:
        raise LookupError("no such invoice")

    assert book.__name__ == "book"
    with pytest.raises(LookupError):
        book(Event("evt_1", "t", {}, b"{}", [], 0))
