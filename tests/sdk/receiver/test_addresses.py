"""Whose request it is: the address behind trusted proxies, and the list of who may send (practice 8)."""

import pytest

from hookvitals import Receiver
from hookvitals.addresses import networks, sender_url
from tests.sdk.world import URL, Answered, Headers, World

PROXIES = ["10.0.0.0/8", "::1"]


def judged(receiver: Receiver, remote: str | None, *forwarded: str) -> str:
    """The code of the refusal of an unsigned request: `missing_signature` when the address may send."""
    headers: Headers = [("X-Forwarded-For", line) for line in forwarded]
    return str(Answered(receiver.handle("POST", URL, headers, b"{}", remote)).problem["code"])


@pytest.fixture
def behind(world: World) -> Receiver:
    return world.receiver(allow_from=["192.0.2.7"], trusted_proxies=PROXIES)


@pytest.mark.parametrize(
    ("remote", "forwarded"),
    [
        ("192.0.2.7", []),
        ("::ffff:192.0.2.7", []),
        ("10.0.0.1", ["192.0.2.7"]),
        ("::1", ["192.0.2.7"]),
        ("10.0.0.1", ["192.0.2.7, 10.0.0.2"]),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.7"]),
        ("10.0.0.1", ["6.6.6.6", "192.0.2.7"]),  # the proxy adds a line of its own
        ("10.0.0.1", ["192.0.2.7:50123"]),
        ("10.0.0.1", ["[::ffff:192.0.2.7]:50123"]),
    ],
)
def test_the_one_who_connected_to_the_outermost_trusted_proxy_counts(
    behind: Receiver, remote: str, forwarded: list[str]
) -> None:
    assert judged(behind, remote, *forwarded) == "missing_signature"


@pytest.mark.parametrize(
    ("remote", "forwarded"),
    [
        ("6.6.6.6", ["192.0.2.7"]),  # not a proxy of ours
        ("10.0.0.1", ["192.0.2.7, 6.6.6.6"]),  # what the client wrote itself
        ("10.0.0.1", ["192.0.2.7", "6.6.6.6"]),
        ("10.0.0.1", ["unknown"]),
        ("10.0.0.1", [""]),
        ("10.0.0.1", []),
        ("10.0.0.1", ["10.0.0.9"]),
        (None, []),
        ("", []),
        ("not an address", []),
        ("192.0.2.8", []),
    ],
)
def test_nobody_can_write_himself_onto_the_list(
    behind: Receiver, remote: str | None, forwarded: list[str]
) -> None:
    assert judged(behind, remote, *forwarded) == "ip_not_allowed"


def test_without_trusted_proxies_the_header_means_nothing(world: World) -> None:
    receiver = world.receiver(allow_from=["192.0.2.7"])

    assert judged(receiver, "192.0.2.8", "192.0.2.7") == "ip_not_allowed"
    assert judged(receiver, "192.0.2.7", "6.6.6.6") == "missing_signature"


def test_an_empty_list_lets_everybody_in(world: World) -> None:
    assert judged(world.receiver(allow_from=[]), "6.6.6.6") == "missing_signature"


def test_a_record_says_who_sent_it_and_never_more_than_fits(world: World) -> None:
    behind = world.receiver(trusted_proxies=PROXIES)
    judged(behind, "10.0.0.1", "192.0.2.7")
    judged(behind, "10.0.0.1", "x" * 5000)
    judged(behind, None)

    addresses = [record.get("remote_ip") for record in world.records()]

    assert addresses[0] == "192.0.2.7"
    assert all(address is None or len(address) <= 64 for address in addresses)


INSIDE = "http://app:8000/hooks?x=1"


@pytest.mark.parametrize(
    ("public", "remote", "expected"),
    [
        (None, "10.0.0.1", "https://hooks.example.com/hooks?x=1"),
        (None, "6.6.6.6", INSIDE),  # anybody can write these headers
        ("https://other.example.com", "6.6.6.6", "https://other.example.com/hooks?x=1"),
        ("https://other.example.com/in", "10.0.0.1", "https://other.example.com/in?x=1"),
    ],
)
def test_the_url_that_was_signed_is_the_one_before_trusted_proxies(
    public: str | None, remote: str, expected: str
) -> None:
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "hooks.example.com"}

    assert sender_url(INSIDE, public, headers.get, remote, networks(PROXIES)) == expected


def test_what_is_no_url_is_left_alone() -> None:
    assert sender_url("http://[", None, lambda name: None, None, ()) == "http://["
