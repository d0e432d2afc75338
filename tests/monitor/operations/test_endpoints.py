import pytest

from monitor.errors import Conflict, Unprocessable
from monitor.operations import endpoints
from monitor.operations.endpoints import EndpointChange
from monitor.replay.secrets import opened_secret
from monitor.store.control.catalog import Endpoint, ManagedBy
from tests.control import everything_in
from tests.monitor.operations.people import ADMIN
from tests.monitor.replay.world import SEALER, SECRET, World

KEY = ("production", "orum", "transfers")
URL = "https://receiver.example/hooks/orum"


def test_an_endpoint_is_registered_with_its_secret_sealed(world: World) -> None:
    stored = endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=URL, replay_secret=SECRET))

    assert stored.replay_secret is not None
    assert opened_secret(SEALER, stored.replay_secret, *KEY) == SECRET
    assert world.control.catalog.endpoint(*KEY) == stored
    assert SECRET.removeprefix("whsec_").encode() not in everything_in(world.control)
    assert SECRET not in repr(world.control.audit.page())
    assert SECRET not in repr(EndpointChange(*KEY, replay_secret=SECRET))


def test_a_change_keeps_the_secret_and_an_empty_one_removes_it(world: World) -> None:
    first = endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=URL, replay_secret=SECRET))

    kept = endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=f"{URL}/v2"))
    removed = endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=URL, replay_secret=""))

    assert kept.replay_secret == first.replay_secret
    assert removed.replay_secret is None


def test_what_the_file_declares_is_changed_in_the_file_alone(world: World) -> None:
    with world.control.write() as tx:
        world.control.catalog.register_within(tx, KEY, world.clock.now())
        declared = Endpoint(*KEY, ManagedBy.FILE, world.clock.now(), url=URL)
        world.control.catalog.put_endpoint(tx, declared, world.clock.now())

    with pytest.raises(Conflict, match=r"hookvitals\.toml"):
        endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url="https://elsewhere.example/"))

    assert world.control.catalog.endpoint(*KEY) == declared


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "https://",
        "https://user:password@host/",
        "javascript:alert(1)",
        "https://host:99999/",
        "https://ho st/",
        "https://[::1",
        "//host/path",
        "",
    ],
)
def test_a_url_that_cannot_be_dialled_is_refused(world: World, url: str) -> None:
    with pytest.raises(Unprocessable):
        endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=url))


def test_plain_http_is_refused_unless_it_is_meant(world: World) -> None:
    plain = "http://receiver.example/"
    with pytest.raises(Unprocessable, match="insecure = true"):
        endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=plain))

    assert endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, url=plain, insecure=True)).url == plain
    assert (
        endpoints.put(world.desk, ADMIN, EndpointChange("dev", "orum", "transfers", url=plain)).url == plain
    )


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "not base64!", "plain-secret"])
def test_a_replay_secret_that_is_too_weak_or_malformed_is_refused_unseen(world: World, secret: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        endpoints.put(world.desk, ADMIN, EndpointChange(*KEY, replay_secret=secret))

    assert secret == "whsec_" or secret not in str(refusal.value)
