"""The one outbound request: what it sends, what it reads, what it never does, what its errors never say."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from alerts.egress import Egress
from alerts.errors import EgressRefused, Failure, RequestFailed
from alerts.http import RESPONSE_BYTES, Client
from tests.alerts.certificates import self_signed
from tests.alerts.support import LOOPBACK, Service, loopback_egress, serving
from tests.ports import free_port

SECRET = "T000-very-secret"


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(Service()) as running:
        yield running


def failure_of(client: Client, url: str, timeout_s: float = 5.0) -> RequestFailed:
    with pytest.raises(RequestFailed) as failed:
        client.request("POST", url, {}, b"x", timeout_s)
    return failed.value


def test_request_arrives_with_method_headers_and_body(service: Service) -> None:
    answer = Client(loopback_egress()).request("POST", service.url + "/a?b=c", {"X-One": "1"}, b"hello", 5)
    [seen] = service.seen
    assert (seen.method, seen.path, seen.headers["x-one"], seen.body) == ("POST", "/a?b=c", "1", b"hello")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"ok", "2")
    assert answer.elapsed_ms > 0


def test_host_header_keeps_the_name_although_an_address_is_dialled(service: Service) -> None:
    egress = Egress(LOOPBACK, resolve=lambda host, port: ["127.0.0.1"])
    Client(egress).request("GET", f"http://hooks.example:{service.port}/")
    assert service.seen[0].headers["host"] == f"hooks.example:{service.port}"


def test_redirect_is_returned_and_not_followed(service: Service) -> None:
    service.status, service.headers = 302, {"Location": f"{service.url}/internal"}
    assert Client(loopback_egress()).request("GET", service.url).status == 302
    assert len(service.seen) == 1


def test_proxy_and_netrc_of_the_environment_are_ignored(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    Client(loopback_egress()).request("GET", service.url)
    assert "authorization" not in service.seen[0].headers


def test_no_more_than_64_kib_of_an_answer_is_read(service: Service) -> None:
    service.body = b"x" * (RESPONSE_BYTES * 20)
    assert len(Client(loopback_egress()).request("GET", service.url).body) == RESPONSE_BYTES


def test_address_that_is_not_permitted_is_never_reached(service: Service) -> None:
    failed = failure_of(Client(Egress()), f"{service.url}/{SECRET}")
    assert isinstance(failed, EgressRefused)
    assert service.seen == []


def test_silent_service_is_a_timeout(service: Service) -> None:
    service.stall = threading.Event()
    failed = failure_of(Client(loopback_egress()), f"{service.url}/{SECRET}", timeout_s=0.1)
    assert (failed.reason, failed.retryable) == (Failure.TIMEOUT, True)


def test_body_that_drips_is_cut_off_at_the_time_limit() -> None:
    times = iter([0.0, 0.0, 99.0])
    with serving(Service(body=b"x" * 100_000)) as service:
        client = Client(loopback_egress(), monotonic=lambda: next(times))
        assert failure_of(client, service.url).reason is Failure.TIMEOUT


def test_answer_whose_head_drips_is_left_too() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as dripping:

        def drip() -> None:
            with dripping.accept()[0] as connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        try:
            with pytest.raises(RequestFailed) as failed:
                Client(loopback_egress()).request(
                    "GET", f"http://127.0.0.1:{dripping.getsockname()[1]}/", timeout_s=0.2
                )
        finally:
            over.set()
            thread.join()
    assert failed.value.reason is Failure.TIMEOUT
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://host/{SECRET}",
        f"file:///{SECRET}",
        f"https:///{SECRET}",
        f"https://me:{SECRET}@host/",
        f"http://[::1/{SECRET}",
        f"https://host:port/{SECRET}",
        SECRET,
        "",
    ],
)
def test_unusable_url_is_refused_for_good_without_repeating_it(url: str) -> None:
    failed = failure_of(Client(loopback_egress()), url)
    assert (failed.reason, failed.retryable) == (Failure.BAD_URL, False)
    assert SECRET not in str(failed)


def test_no_error_shows_the_path_of_the_url_not_even_in_its_traceback(service: Service) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as rude:
        threading.Thread(target=lambda: rude.accept()[0].close()).start()
        urls = [f"http://127.0.0.1:{at}/{SECRET}?k={SECRET}" for at in (port, rude.getsockname()[1])]
        for url in [*urls, f"https://127.0.0.1:{service.port}/{SECRET}"]:
            failed = failure_of(Client(loopback_egress()), url)
            assert SECRET not in str(failed)
            assert SECRET not in "".join(traceback.format_exception(failed))


def test_plain_service_behind_https_is_a_tls_failure(service: Service) -> None:
    failed = failure_of(Client(loopback_egress()), f"https://127.0.0.1:{service.port}/")
    assert failed.reason is Failure.TLS


@pytest.fixture
def tls_service(tmp_path: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """(port, certificate file, server names asked for) of an HTTPS service for hooks.example."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    names: list[str] = []
    context, cert_file = self_signed(tmp_path, "hooks.example")
    context.sni_callback = lambda sock, asked, ctx: names.append(asked)

    class QuietServer(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            return  # a client that refuses the certificate is what one test is about

    server = QuietServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], cert_file, names
    server.shutdown()
    thread.join()
    server.server_close()


def example_egress() -> Egress:
    return Egress(LOOPBACK, resolve=lambda host, port: ["127.0.0.1"])


def test_tls_asks_for_and_checks_the_name_of_the_url(tls_service: tuple[int, Path, list[str]]) -> None:
    port, cert_file, names = tls_service
    answer = Client(example_egress(), ca_file=str(cert_file)).request("GET", f"https://hooks.example:{port}/")
    assert answer.status == 204
    assert names == ["hooks.example"]


def test_certificate_for_another_name_is_refused(tls_service: tuple[int, Path, list[str]]) -> None:
    port, cert_file, _ = tls_service
    client = Client(example_egress(), ca_file=str(cert_file))
    failed = failure_of(client, f"https://other.example:{port}/{SECRET}")
    assert failed.reason is Failure.TLS
    assert "other.example" in str(failed)
    assert SECRET not in str(failed)


def test_untrusted_certificate_is_refused_and_says_why(tls_service: tuple[int, Path, list[str]]) -> None:
    port, _, _ = tls_service
    failed = failure_of(Client(example_egress()), f"https://hooks.example:{port}/")
    assert failed.reason is Failure.TLS
    assert "self-signed" in str(failed)
