import pytest

from alerts.egress import Egress
from alerts.errors import Failure, RequestFailed
from alerts.http import Client, Response
from hookvitals.replay import replay_item
from monitor.model import Capture
from monitor.replay.sender import Arrival, Outgoing, Requests, headers_of, send
from tests.alerts.support import Service, loopback_egress, serving
from tests.facts import NOON
from tests.monitor.replay.world import BODY, SECRET, verified

HEADERS = {
    "X-Request-Id": "r1",
    "X-Orum-Signature": "forged?",
    "Authorization": "Bearer x",
    "Cookie": "a=b",
    "Host": "elsewhere",
    "Hookvitals-Replay": "planted",
}
CAPTURE = Capture(HEADERS, BODY, "application/json", False)
NOW_S = NOON.timestamp()


def outgoing(url: str = "https://receiver.example/hook") -> Outgoing:
    return Outgoing("ri_1", url, CAPTURE, SECRET)


class Answering:
    def __init__(self, answer: Response | RequestFailed) -> None:
        self.answer = answer

    def request(
        self, method: str, url: str, headers: dict[str, str] | None, body: bytes, timeout_s: float
    ) -> Response:
        if isinstance(self.answer, RequestFailed):
            raise self.answer
        return self.answer


def sent(requests: Requests) -> tuple[Arrival, int | None]:
    found = send(outgoing(), requests, NOW_S, 5)
    return found.arrival, found.http_status


def test_the_signature_is_what_standard_webhooks_asks_for() -> None:
    assert verified(headers_of(outgoing(), NOW_S), BODY)


def test_the_receivers_kit_takes_it_for_a_replay_and_a_changed_body_not() -> None:
    headers = [(name.lower(), value) for name, value in headers_of(outgoing(), NOW_S).items()]

    assert replay_item(headers, BODY, SECRET, NOW_S) == "ri_1"
    assert replay_item(headers, BODY + b" ", SECRET, NOW_S) is None


def test_identities_and_signatures_of_the_original_delivery_stay_behind() -> None:
    headers = {name.lower(): value for name, value in headers_of(outgoing(), NOW_S).items()}

    assert headers["x-request-id"] == "r1"
    assert headers["content-type"] == "application/json"
    assert headers["hookvitals-replay"] == "ri_1"
    assert not headers.keys() & {"authorization", "cookie", "host", "x-orum-signature"}


def test_the_captured_bytes_arrive_unchanged_at_a_real_server() -> None:
    with serving(Service(status=202)) as service:
        target = outgoing(f"{service.url}/hook")
        found = send(target, Client(loopback_egress()), NOW_S, 5)

    assert (found.arrival, found.http_status) == (Arrival.ANSWERED, 202)
    assert (service.seen[0].method, service.seen[0].path, service.seen[0].body) == ("POST", "/hook", BODY)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_any_answer_but_2xx_is_a_refusal(status: int) -> None:
    assert sent(Answering(Response(status, {}, b"", 1.0))) == (Arrival.REFUSED, status)


@pytest.mark.parametrize(
    ("failure", "arrival"),
    [
        (Failure.CONNECT, Arrival.REFUSED),
        (Failure.DNS, Arrival.REFUSED),
        (Failure.TLS, Arrival.REFUSED),
        (Failure.REFUSED_ADDRESS, Arrival.REFUSED),
        (Failure.TIMEOUT, Arrival.UNKNOWN),
        (Failure.BROKEN_RESPONSE, Arrival.UNKNOWN),
    ],
)
def test_only_a_request_that_cannot_have_arrived_counts_as_failed(failure: Failure, arrival: Arrival) -> None:
    assert sent(Answering(RequestFailed(failure, "no", retryable=True)))[0] is arrival


def test_an_internal_address_is_refused_and_the_setting_named() -> None:
    with serving(Service()) as service:
        found = send(outgoing(f"{service.url}/hook?token=s3cret"), Client(Egress()), NOW_S, 5)

    assert found.arrival is Arrival.REFUSED
    assert "egress.allow" in found.reason
    assert "s3cret" not in found.reason
    assert service.seen == []


def test_neither_secret_nor_body_shows_in_a_repr() -> None:
    shown = repr(outgoing())

    assert SECRET not in shown
    assert "amount" not in shown


def test_a_secret_that_cannot_sign_is_a_refusal_that_does_not_show_it() -> None:
    target = Outgoing("ri_1", "https://receiver.example/hook", CAPTURE, "not base64 at all!")

    found = send(target, Answering(Response(200, {}, b"", 1.0)), NOW_S, 5)

    assert (found.arrival, found.http_status) == (Arrival.REFUSED, None)
    assert "not base64 at all!" not in found.reason
