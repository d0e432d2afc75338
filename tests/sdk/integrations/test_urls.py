"""Every adapter passes the URL that the sender wrote, for the providers that sign it."""

from typing import Any

import pytest

from hookvitals import Receiver, make
from hookvitals.integrations.asgi import application
from tests.sdk.integrations.adapters import ADAPTERS, PATH, serving
from tests.sdk.integrations.serving import sent, served_asgi
from tests.sdk.world import NOW, SECRET, World


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


BODY = b'{"id": "evt_1", "type": "invoice.paid"}'


SIGNS_THE_URL = {"template": "{method} {url} {body}"}


def by_url(world: World, **settings: Any) -> Receiver:
    """A receiver whose sender signs method, URL and body."""
    return world.receiver(system="hmac", profile={"scheme_settings": SIGNS_THE_URL}, **settings)


def signature(url: str) -> tuple[str, str]:
    scheme: Any = make("hmac", [SECRET], **SIGNS_THE_URL)
    ((name, value),) = scheme.sign(BODY, NOW, url=url, method="POST")
    return name, value


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        (PATH, PATH),
        (PATH, f"{PATH}?b=2&a=%20x+y&a=%C3%AB%2F"),
        ("/webhooks/café~1", "/webhooks/caf%C3%A9%7E1"),
        ("/webhooks/a b;v=1", "/webhooks/a%20b;v=1?x"),
    ],
    ids=["plain", "query", "above-ascii", "reserved"],
)
def test_the_url_is_the_one_that_the_sender_wrote(
    adapter: str, world: World, path: str, target: str, prefix: str
) -> None:
    with serving(adapter, by_url(world), path=path, prefix=prefix) as port:
        url = f"http://127.0.0.1:{port}{prefix}{target}"

        assert sent(port, "POST", prefix + target, [signature(url)], BODY).status == 200
        assert sent(port, "POST", prefix + target, [signature(url + "x")], BODY).status == 401


@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_proxy_forwards_is_believed_of_a_trusted_one_alone(
    world: World, adapter: str, trusted: bool
) -> None:
    receiver = by_url(world, trusted_proxies=["127.0.0.1"] if trusted else [])
    forwarded = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "hooks.example.com"),
    ]

    with serving(adapter, receiver) as port:
        outside, inside = f"https://hooks.example.com{PATH}", f"http://127.0.0.1:{port}{PATH}"
        wrong = sent(port, "POST", PATH, [*forwarded, signature(inside if trusted else outside)], BODY)
        right = sent(port, "POST", PATH, [*forwarded, signature(outside if trusted else inside)], BODY)

    assert (wrong.status, right.status) == (401, 200)
    assert {record["remote_ip"] for record in world.records()} == {"203.0.113.7" if trusted else "127.0.0.1"}


def test_a_server_that_judges_proxies_itself_has_the_say(world: World) -> None:
    """uvicorn does by default: it believes scheme and address, not host, of connections from this machine."""
    forwarded = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "h"),
    ]

    with served_asgi(application(by_url(world)), proxy_headers=True) as port:
        url = f"https://127.0.0.1:{port}{PATH}"
        assert sent(port, "POST", PATH, [*forwarded, signature(url)], BODY).status == 200

    assert [record["remote_ip"] for record in world.records()] == ["203.0.113.7"]
