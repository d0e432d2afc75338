"""Fetching a key over real TLS on loopback, and everything that must not be dialled, followed or read."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from ssl import SSLContext, create_default_context

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.egress import Egress
from hookvitals.egress import EgressRefused, connect, permitted
from hookvitals.key_fetch import HttpsFetch, KeyUnavailable
from hookvitals.schemes.paypal import CERTIFICATE_URL as PAYPAL_URLS
from hookvitals.schemes.sns import CERTIFICATE_URL as SNS_URLS
from tests.alerts.certificates import self_signed

HOST = "keys.example"
Answer = Callable[[BaseHTTPRequestHandler], None]


def sent(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class Provider:
    """A TLS server on loopback for HOST; `answer` may be changed; `seen` is what was asked."""

    def __init__(self, directory: Path) -> None:
        self.answer: Answer = sent(200, b"the key")
        self.seen: list[tuple[str, str, bytes]] = []
        context, cert_file = self_signed(directory, HOST)
        self.trust = create_default_context(cafile=str(cert_file))
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                provider.seen.append((self.command, self.path, self.rfile.read(length)))
                provider.answer(self)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                return

        class Quiet(HTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                return  # a client that hangs up is what some tests are about

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"https://{HOST}:{self.port}/key.pem"

    def fetch(self, *, context: SSLContext | None = None, **settings: object) -> HttpsFetch:
        given = {"allow": ["127.0.0.0/8"], "resolve": lambda host, port: ["127.0.0.1"], **settings}
        return HttpsFetch(rf"https://{HOST}:\d+/.*", context=context or self.trust, **given)  # type: ignore[arg-type]


@contextmanager
def serving(directory: Path) -> Iterator[Provider]:
    provider = Provider(directory)
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        thread.join()
        provider.server.server_close()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with serving(tmp_path) as found:
        yield found


def test_a_key_is_fetched_over_tls(provider: Provider) -> None:
    assert provider.fetch()(provider.url) == b"the key"
    assert provider.seen == [("GET", "/key.pem", b"")]


def test_a_question_is_posted_as_json(provider: Provider) -> None:
    assert provider.fetch()(provider.url, b'{"key_id": "1"}') == b"the key"
    assert provider.seen == [("POST", "/key.pem", b'{"key_id": "1"}')]


def test_no_proxy_of_the_environment_is_asked(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    assert provider.fetch()(provider.url) == b"the key"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(provider: Provider, status: int) -> None:
    provider.answer = sent(status, Location=f"https://{HOST}:{provider.port}/other")

    with pytest.raises(KeyUnavailable, match=str(status)):
        provider.fetch()(provider.url)
    assert len(provider.seen) == 1


@pytest.mark.parametrize("status", [204, 404, 500])
def test_anything_but_a_200_is_no_key(provider: Provider, status: int) -> None:
    provider.answer = sent(status, b"")

    with pytest.raises(KeyUnavailable, match=str(status)):
        provider.fetch()(provider.url)


def test_64_kib_are_read_and_not_one_byte_more(provider: Provider) -> None:
    provider.answer = sent(200, b"k" * 65_536)
    assert len(provider.fetch()(provider.url)) == 65_536

    provider.answer = sent(200, b"k" * 65_537)
    with pytest.raises(KeyUnavailable, match="more than 65536 bytes"):
        provider.fetch()(provider.url)


def test_an_answer_that_drips_is_given_up(provider: Provider) -> None:
    given_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not given_up.wait(0.02):
            handler.wfile.write(b".")

    provider.answer = drip
    try:
        with pytest.raises(KeyUnavailable, match=r"in time|TimeoutError"):  # one wait may be too long as well
            provider.fetch(timeout_s=0.3)(provider.url)
    finally:
        given_up.set()


def test_a_server_that_says_nothing_is_given_up(provider: Provider) -> None:
    given_up = threading.Event()

    def keep_silent(handler: BaseHTTPRequestHandler) -> None:
        given_up.wait(10)

    provider.answer = keep_silent
    try:
        with pytest.raises(KeyUnavailable, match=r"TimeoutError|timeout"):
            provider.fetch(timeout_s=0.2)(provider.url)
    finally:
        given_up.set()


def test_a_certificate_that_is_not_trusted_is_no_key(provider: Provider) -> None:
    with pytest.raises(KeyUnavailable, match="SSLCertVerificationError"):
        provider.fetch(context=create_default_context())(provider.url)
    assert provider.seen == []


def test_a_certificate_of_another_host_is_no_key(provider: Provider) -> None:
    fetch = HttpsFetch(
        r"https://other\.example:\d+/.*",
        allow=["127.0.0.0/8"],
        resolve=lambda host, port: ["127.0.0.1"],
        context=provider.trust,
    )

    with pytest.raises(KeyUnavailable, match="SSLCertVerificationError"):
        fetch(f"https://other.example:{provider.port}/key.pem")
    assert provider.seen == []


def test_a_name_that_leads_to_loopback_is_not_dialled(provider: Provider) -> None:
    with pytest.raises(KeyUnavailable, match="EgressRefused"):
        provider.fetch(allow=[])(provider.url)
    assert provider.seen == []


def test_one_private_address_among_public_ones_is_enough_to_refuse(provider: Provider) -> None:
    fetch = provider.fetch(allow=[], resolve=lambda host, port: ["8.8.8.8", "127.0.0.1"])

    with pytest.raises(KeyUnavailable, match="EgressRefused"):
        fetch(provider.url)


def test_the_address_that_was_looked_at_is_the_one_that_is_dialled(provider: Provider) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    fetch = provider.fetch(resolve=lambda host, port: answers.pop(0))

    assert fetch(provider.url) == b"the key"
    assert len(answers) == 1  # one lookup a fetch: a second one could say otherwise


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evil.example/https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://apixpaypal.com/v1/notifications/certs/CERT-1",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/evil/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem.exe",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "",
        "\u0661",
    ],
)
def test_a_url_that_is_not_quite_the_providers_is_not_asked(url: str) -> None:
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return []

    for pattern in (PAYPAL_URLS, SNS_URLS):
        with pytest.raises(KeyUnavailable, match="not one of the provider's"):
            HttpsFetch(pattern, resolve=resolve)(url)
    assert looked_up == []


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270", PAYPAL_URLS),
        ("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1", PAYPAL_URLS),
        ("https://api-m.paypal.com/v1/notifications/certs/CERT-1", PAYPAL_URLS),
        ("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem", SNS_URLS),
        ("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0123456789abcdef.pem", SNS_URLS),
    ],
)
def test_the_urls_that_the_providers_publish_at_are_permitted(url: str, pattern: str) -> None:
    assert HttpsFetch(pattern).permits(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "192.0.2.1", "224.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200", "::1", "::",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1",
        "::127.0.0.1", "not an address", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_not_permitted(address: str) -> None:
    assert not permitted(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert permitted(address)


ANY_ADDRESS = st.one_of(
    st.ip_addresses(),
    st.sampled_from(["::ffff:", "64:ff9b::", "::"]).flatmap(
        lambda head: st.ip_addresses(v=4).map(lambda inner: IPv6Address(head + str(inner)))
    ),
    st.ip_addresses(v=4).map(lambda inner: IPv6Address((0x2002 << 112) + (int(inner) << 80))),
    st.ip_addresses(network="10.0.0.0/7"),
    st.ip_addresses(network="169.254.0.0/15"),
    st.ip_addresses(network="2001::/16"),
)


@settings(deadline=None, max_examples=400)
@given(address=ANY_ADDRESS, allow=st.sampled_from([(), ("10.0.0.0/8",), ("0.0.0.0/0", "::/0")]))
def test_the_monitor_would_dial_the_same_addresses(address: object, allow: tuple[str, ...]) -> None:
    networks = [ip_network(text) for text in allow]

    assert permitted(str(address), networks) == Egress(allow).permits(str(address))


def test_a_name_that_cannot_be_one_is_refused_like_any_other() -> None:
    with pytest.raises(OSError):
        connect("a" * 70, 443, 1.0)
    with pytest.raises(EgressRefused):
        connect("localhost", 443, 1.0, resolve=lambda host, port: ["127.0.0.1"])
