"""What a sender is told: the status, the problem document, and in which order a request is judged."""

import json
from typing import Any

import pytest

from hookvitals import Receiver, Shipper
from tests.sdk.collector import KEY
from tests.sdk.schemes.oracles import OrumLike
from tests.sdk.schemes.test_standard import SECRET as STANDARD_SECRET
from tests.sdk.world import NOW, SECRET, URL, Answered, Headers, World, deliver, request

INFINITE = float("inf")
"""No state can hold it: what should be remembered for ever would be forgotten at once."""


def changed(headers: Headers, name: str, value: str) -> Headers:
    return [(found, value if found.lower() == name else kept) for found, kept in headers]


def test_an_event_is_handled_and_answered_with_the_sources_status(world: World) -> None:
    answer = deliver(world.receiver(), "evt_7", data={"amount": 5})

    assert (answer.status, answer.body) == (200, b'{"ok":true}')
    (event,) = world.handled
    assert (event.id, event.type, event.data["amount"], event.attempt) == ("evt_7", "invoice.paid", 5, 1)
    assert event.received_at.timestamp() == NOW


def test_scalekit_is_answered_201(world: World) -> None:
    receiver = world.receiver("scalekit", system=None)

    assert deliver(receiver, system="scalekit").status == 201


def test_a_status_of_ones_own_may_have_no_body(world: World) -> None:
    answer = deliver(world.receiver(profile={"ack_status": 204}))

    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("status", [199, 300, 500, "200", None])
def test_an_acknowledgement_that_is_no_2xx_is_refused_at_once(world: World, status: Any) -> None:
    with pytest.raises(ValueError, match="ack_status"):
        world.receiver(profile={"ack_status": status})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "", "gët"])
def test_anything_but_post_is_told_405_with_the_method_to_use(world: World, method: str) -> None:
    answer = Answered(world.receiver().handle(method, URL, [], b"", "192.0.2.1"))

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.problem["code"] == "method_not_allowed"


def test_each_refusal_names_its_code_and_the_record_that_knows_more(world: World) -> None:
    receiver = world.receiver()
    headers, body = request()

    answer = Answered(receiver.handle("POST", URL, headers, body + b" ", "192.0.2.9"))

    assert answer.status == 401
    problem = answer.problem
    assert problem["type"] == "urn:hookvitals:problem:bad_signature"
    assert (problem["status"], problem["code"]) == (401, "bad_signature")
    (record,) = world.records()
    assert record["record_id"] == problem["error_id"]
    assert problem["instance"] == f"urn:uuid:{record['record_id']}"
    assert (record["outcome"], record["reason"], record["http_status"]) == ("rejected", "bad_signature", 401)
    assert record["remote_ip"] == "192.0.2.9"


def test_no_refusal_and_no_record_shows_a_signature_a_secret_or_a_stack(world: World) -> None:
    def explode(event: Any) -> None:
        raise RuntimeError(f"cannot sign with {SECRET}")

    world.behave = explode
    receiver = world.receiver(capture="all")
    headers, body = request()
    signature = dict(headers)["webhook-signature"].removeprefix("v1,")
    credentials = [("cookie", "session=1"), ("authorization", "Basic QQ==")]
    answers = [
        Answered(receiver.handle("POST", URL, [*headers, *credentials], body)),
        Answered(receiver.handle("POST", URL, changed(headers, "webhook-timestamp", "1"), body)),
        Answered(receiver.handle("POST", URL, headers, b"x" + body)),
    ]

    assert [answer.status for answer in answers] == [500, 401, 401]
    told = b"".join(answer.body for answer in answers).decode() + json.dumps(world.records())
    for secret in (
        signature,
        SECRET,
        SECRET.removeprefix("whsec_"),
        "session=1",
        "QQ==",
        "webhook-signature",
    ):
        assert secret not in told
    assert "Traceback" not in "".join(answer.body.decode() for answer in answers)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_body"),
        (b"{", "malformed_body"),
        (b"\xff\xfe\xfa", "malformed_body"),
        (b"[" * 100_000, "malformed_body"),
        (b'{"type": NaN}', "malformed_body"),
        (b"[]", "invalid_payload"),
        (b"null", "invalid_payload"),
        (b"{}", "invalid_payload"),
        (b'{"type": ""}', "invalid_payload"),
        (b'{"type": true}', "invalid_payload"),
        (b'{"type": {"a": 1}}', "invalid_payload"),
        (b'{"type": "a\\ud800"}', "invalid_payload"),
        (b'{"type": "a\\u0000b"}', "invalid_payload"),
        (b'{"type": "' + b"x" * 257 + b'"}', "invalid_payload"),
    ],
)
def test_a_signed_body_that_is_no_event_is_told_400(world: World, body: bytes, code: str) -> None:
    receiver = world.receiver()
    headers = [*receiver.settings.scheme.sign(body, NOW)]

    answer = Answered(receiver.handle("POST", URL, headers, body))

    assert (answer.status, answer.problem["code"]) == (400, code)
    (record,) = world.records()
    assert (record["outcome"], record["reason"]) == ("rejected", code)
    assert not {"event_id", "event_type", "resource"} & set(record)


def test_an_id_that_is_a_number_is_taken_as_its_text(world: World) -> None:
    receiver = world.receiver(profile={"id_path": "data.no"})

    deliver(receiver, data={"data": {"no": 10**200}})
    deliver(receiver, data={"data": {"no": 7}})

    assert [event.id for event in world.handled] == [str(10**200), "7"]


def test_size_is_judged_before_the_signature(world: World) -> None:
    receiver = world.receiver(max_body_bytes=100)

    assert Answered(receiver.handle("POST", URL, [], b"x" * 100)).problem["code"] == "missing_signature"
    assert Answered(receiver.handle("POST", URL, [], b"x" * 101)).problem["code"] == "too_large"
    assert Answered(receiver.handle("GET", URL, [], b"x" * 101)).problem["code"] == "method_not_allowed"


def test_the_address_is_judged_before_the_signature_and_after_the_size(world: World) -> None:
    receiver = world.receiver(max_body_bytes=100, allow_from=["10.0.0.0/8"])

    assert Answered(receiver.handle("POST", URL, [], b"", "192.0.2.1")).problem["code"] == "ip_not_allowed"
    assert Answered(receiver.handle("POST", URL, [], b"", "192.0.2.1")).status == 403
    assert Answered(receiver.handle("POST", URL, [], b"", "10.1.2.3")).problem["code"] == "missing_signature"
    assert Answered(receiver.handle("POST", URL, [], b"x" * 101, "192.0.2.1")).problem["code"] == "too_large"


def test_no_forgery_uses_up_the_rate_of_the_source(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 2})
    headers, body = request()

    for _ in range(50):
        assert Answered(receiver.handle("POST", URL, headers, body + b" ")).status == 401
    assert deliver(receiver).status == 200


def test_the_rate_is_judged_before_the_body(world: World) -> None:
    receiver = world.receiver(profile={"rate_per_minute": 1})
    sign = receiver.settings.scheme.sign

    assert Answered(receiver.handle("POST", URL, sign(b"{", NOW), b"{")).problem["code"] == "malformed_body"
    assert Answered(receiver.handle("POST", URL, sign(b"{", NOW), b"{")).problem["code"] == "rate_limited"


def test_an_unknown_type_is_acknowledged_and_recorded_as_unhandled(world: World) -> None:
    receiver = world.receiver(handle="invoice.*")

    assert deliver(receiver, event_type="customer.created").status == 200
    assert world.handled == []
    (record,) = world.records()
    assert (record["outcome"], record["event_type"]) == ("unhandled", "customer.created")


@pytest.mark.parametrize(
    "headers", [None, 5, ["x"], [("a",)], {"a": None}, [(None, None)], [(b"\xff", b"\xff")]]
)
def test_headers_of_any_kind_get_an_answer_and_no_exception(world: World, headers: Any) -> None:
    assert Answered(world.receiver().handle("POST", URL, headers, b"{}")).status in (401, 500)


def test_orum_is_received_with_its_own_paths_and_order(world: World) -> None:
    orum = OrumLike()
    receiver = world.receiver("orum", system=None, endpoint="transfers", secrets=[orum.pem], allow_from=[])

    def send(event_id: str, updated_at: str) -> Answered:
        created = "2027-01-15T07:59:58.000000+00:00"
        body = json.dumps(
            {
                "event_id": event_id,
                "event_type": "transfer_updated",
                "created_at": created,
                "event_data": {"id": "tr_1", "updated_at": updated_at},
            }
        ).encode()
        return Answered(receiver.handle("POST", URL, [("Signature", orum.signature(body, created))], body))

    assert send("evt_2", "2027-01-15T07:59:00Z").status == 200
    assert send("evt_1", "2027-01-15T07:58:00Z").status == 200

    done, stale = world.records()
    assert (done["outcome"], stale["outcome"]) == ("succeeded", "stale")
    assert (done["event_id"], done["resource"], done["version"]) == ("evt_2", "tr_1", "2027-01-15T07:59:00Z")
    assert done["event_created_at"] == 1_799_999_998_000_000


def test_orum_in_production_takes_its_published_addresses_alone(world: World) -> None:
    receiver = world.receiver("orum", system=None, secrets=[OrumLike().pem])

    assert Answered(receiver.handle("POST", URL, [], b"{}", "192.0.2.1")).problem["code"] == "ip_not_allowed"
    assert (
        Answered(receiver.handle("POST", URL, [], b"{}", "54.221.230.177")).problem["code"]
        == "missing_signature"
    )


def test_a_time_in_a_body_that_signs_no_other_has_a_largest_age(world: World) -> None:
    receiver = world.receiver("hopnow", system=None, secrets=["k"], profile={"max_age_s": 3600.0})

    def send(event_id: str, created: float) -> Answered:
        return deliver(receiver, event_id, system="hopnow", secret="k", data={"created": created})

    assert send("evt_1", NOW - 3600).status == 200
    assert send("evt_2", NOW - 3601).problem["code"] == "timestamp_too_old"
    assert send("evt_3", NOW + 301).problem["code"] == "timestamp_in_future"


@pytest.mark.parametrize("created", ["abc", "", "NaN", None, True, [], {}, 1e300, "2027-13-01T00:00:00Z"])
def test_what_is_no_time_does_not_pass_for_a_young_one(world: World, created: Any) -> None:
    """The bug of a guide: its not-a-number is never greater than five minutes."""
    receiver = world.receiver("hopnow", system=None, secrets=["k"])

    answer = deliver(receiver, system="hopnow", secret="k", data={"created": created})

    assert (answer.status, answer.problem["code"]) == (400, "invalid_payload")
    assert world.handled == []


def test_without_a_largest_age_the_time_may_be_missing(world: World) -> None:
    receiver = world.receiver("hopnow", system=None, secrets=["k"], profile={"max_age_s": None})

    assert deliver(receiver, system="hopnow", secret="k", data={"created": None}).status == 200


def test_a_record_that_cannot_be_noted_does_not_undo_a_success(world: World) -> None:
    """The bug of a guide: what fails after the work turns its success into a failure."""

    asked: list[str] = []

    class Broken(Shipper):
        def put(self, noted: Any) -> None:
            asked.append(noted[2])
            raise KeyError("duration")

    shipper = Broken(world.url, KEY)
    receiver = world.receiver(shipper=shipper)

    answers = [deliver(receiver).status for _ in range(2)]
    shipper.close()

    assert answers == [200, 200]
    assert len(world.handled) == 1
    assert asked == ["succeeded", "duplicate"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"source": ""}, "source"),
        ({"source": "x" * 65}, "source"),
        ({"source": "a\nb"}, "source"),
        ({"endpoint": "x" * 129}, "endpoint"),
        ({"environment": ""}, "environment"),
        ({"secrets": STANDARD_SECRET}, "list"),
        ({"secrets": []}, "secret"),
        ({"system": "stripee"}, "known are"),
        ({"profile": {"deadline": 5}}, "unknown field"),
        ({"capture": "some"}, "capture must be one of"),
        ({"replay_secret": "no base64!"}, "base64"),
        ({"replay_secret": ""}, "empty"),
        ({"allow_from": ["10.0.0.0/99"]}, "10.0.0.0/99"),
        ({"trusted_proxies": ["localhost"]}, "localhost"),
        ({"inbox": True}, "state_path"),
        ({"collector": "http://127.0.0.1:1"}, "key"),
        ({"collector": "127.0.0.1:8700", "key": "hv_1"}, "http"),
        ({"state_path": "/nowhere/at/all.db"}, "/nowhere/at/all.db"),
        ({"labels": {str(number): "" for number in range(17)}}, "labels"),
        ({"max_body_bytes": 0}, "max_body_bytes"),
        ({"public_url": "http://["}, "public_url"),
        ({"public_url": "hooks.example.com"}, "public_url"),
        ({"lease_s": 0.0}, "lease_s"),
        ({"profile": {"rate_per_minute": 0}}, "rate"),
        ({"profile": {"rate_burst": INFINITE}}, "rate_burst"),
        ({"profile": {"retry_horizon_s": INFINITE}}, "retry_horizon_s"),
        ({"profile": {"retry_horizon_s": 1e15}}, "retry_horizon_s"),
        ({"profile": {"tolerance_s": INFINITE}}, "tolerance_s"),
        ({"profile": {"max_age_s": INFINITE}}, "max_age_s"),
        ({"profile": {"max_age_s": -1.0}}, "max_age_s"),
        ({"lease_s": INFINITE}, "lease_s"),
        ({"failures_per_minute": float("nan")}, "failures_per_minute"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once_by_name(settings: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {
        "source": "acme",
        "endpoint": "e",
        "secrets": [STANDARD_SECRET],
        "system": "standard",
    }

    with pytest.raises(ValueError, match=said):
        Receiver(**{**given, **settings})


def test_a_coroutine_cannot_be_a_handler_because_nobody_would_await_it(world: World) -> None:
    async def handler(event: object) -> None:
        """Would never run."""

    with pytest.raises(ValueError, match="async"):
        world.receiver(handle=None).on("*")(handler)
