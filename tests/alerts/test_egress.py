"""Which addresses may be dialled, and that the address looked at is the one dialled."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import pytest

from alerts.egress import Egress
from alerts.errors import EgressRefused, Failure, RequestFailed, SettingInvalid

INTERNAL = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "100::1",
    "5f00::1",
]
METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]


def resolving_to(*addresses: str) -> Egress:
    return Egress(resolve=lambda host, port: addresses)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("address", INTERNAL + METADATA)
def test_internal_address_is_refused_by_default(address: str) -> None:
    assert not Egress().permits(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_is_permitted(address: str) -> None:
    assert Egress().permits(address)


@pytest.mark.parametrize("address", METADATA)
def test_no_setting_opens_metadata_and_link_local(address: str) -> None:
    assert not Egress(["0.0.0.0/0", "::/0"]).permits(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"])
def test_allowed_range_opens_the_address_in_each_of_its_forms(address: str) -> None:
    assert Egress(["10.0.0.0/8"]).permits(address)


def test_allowed_range_opens_nothing_else() -> None:
    assert not Egress(["10.0.0.0/8"]).permits("192.168.0.1")


def test_one_bad_address_among_good_ones_refuses_the_name() -> None:
    with pytest.raises(EgressRefused, match=r"egress\.allow"):
        resolving_to("8.8.8.8", "127.0.0.1").addresses("rebind.example", 443)


def test_refusal_names_the_setting_and_the_range_to_add() -> None:
    with pytest.raises(EgressRefused) as refused:
        resolving_to("10.0.0.7").addresses("intra.example", 443)
    assert str(refused.value) == (
        "intra.example resolves to 10.0.0.7, which is not a public address: "
        'if this is meant, add "10.0.0.7/32" or its range to egress.allow in hookvitals.toml'
    )


def test_refusal_of_metadata_says_that_no_setting_opens_it() -> None:
    with pytest.raises(EgressRefused, match="cannot open them"):
        resolving_to("169.254.169.254").addresses("meta.example", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "017700000001"])
def test_every_spelling_of_loopback_is_refused_undialled(host: str, listener: socket.socket) -> None:
    listener.settimeout(0.05)
    with pytest.raises(EgressRefused):
        Egress().connect(host, listener.getsockname()[1])
    with pytest.raises(TimeoutError):
        listener.accept()


def test_name_is_resolved_once_and_the_resolved_address_is_dialled(listener: socket.socket) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    connection = Egress(["127.0.0.0/8"], resolve=rebinding).connect("a.example", listener.getsockname()[1])
    connection.close()
    assert asked == ["a.example"]


def test_second_address_is_tried_when_the_first_refuses(listener: socket.socket) -> None:
    egress = Egress(["127.0.0.0/8"], resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    with egress.connect("two.example", listener.getsockname()[1]) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"


def test_closed_port_is_a_retryable_connect_failure(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(RequestFailed) as failed:
        Egress(["127.0.0.0/8"]).connect("127.0.0.1", port)
    assert (failed.value.reason, failed.value.retryable) == (Failure.CONNECT, True)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example", "bad\0name"])
def test_name_that_does_not_resolve_is_a_dns_failure(host: str) -> None:
    def resolve(name: str, port: int) -> Sequence[str]:
        if name.endswith(".invalid"):
            raise socket.gaierror(-2, "Name or service not known")
        return [str(entry[4][0]) for entry in socket.getaddrinfo(name, port, flags=socket.AI_NUMERICHOST)]

    with pytest.raises(RequestFailed) as failed:
        Egress(resolve=resolve).connect(host, 443)
    assert failed.value.reason is Failure.DNS


def test_malformed_range_is_refused_with_the_expected_form() -> None:
    with pytest.raises(SettingInvalid, match=r'"10\.0\.0\.0/99".*10\.0\.0\.0/8'):
        Egress(["10.0.0.0/99"])


def test_time_spent_on_one_address_is_taken_from_the_next() -> None:
    times = iter([0.0, 11.0])
    egress = Egress(["127.0.0.0/8"], resolve=lambda h, p: ["127.0.0.1"], monotonic=lambda: next(times))
    with pytest.raises(RequestFailed) as failed:
        egress.connect("slow.example", 1, timeout_s=10)
    assert failed.value.reason is Failure.TIMEOUT
