"""What a body says: JSON or a form, one event or a list of them, each with a body of its own."""

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookvitals.answers import Refused
from hookvitals.bodies import data_of, parts_of, read
from tests.sdk.world import NOW, URL, Answered, World

values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    events=st.lists(values, max_size=6),
    around=st.dictionaries(st.text(max_size=6), values, max_size=4),
    path=st.sampled_from([".", "events", "data.events", "a.b.c"]),
    indent=st.sampled_from([None, 0, 3]),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_each_event_has_a_body_that_holds_it_alone(
    events: list[Any], around: dict[str, Any], path: str, indent: int | None, ascii_only: bool, encoding: str
) -> None:
    document: Any = events
    for step in reversed([] if path == "." else path.split(".")):
        document = {**around, step: document, "z": "]"}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    body = text.encode(encoding, *(["surrogatepass"] if encoding == "utf-8" else []))

    parts = parts_of(body, read(body, "json"), path)

    assert [part.data for part in parts] == events
    for part, event in zip(parts, events, strict=True):
        assert json.loads(part.own) == event
        assert data_of(part.body, "json", path) == event
        (again,) = parts_of(part.body, read(part.body, "json"), path)
        assert (again.own, again.data, again.body) == (part.own, event, part.body)


def test_of_two_lists_of_one_name_the_last_counts_as_for_json() -> None:
    body = b'{"events": [1, 2], "x": {"events": [9]}, "events": [3,  4]}'

    parts = parts_of(body, json.loads(body), "events")

    assert [(part.data, part.own) for part in parts] == [(3, b"3"), (4, b"4")]
    assert parts[1].body == b'{"events": [1, 2], "x": {"events": [9]}, "events": [4]}'


def test_what_stands_around_an_event_and_in_it_is_left_as_it_was() -> None:
    body = b'[ {"n":1.10e0,"u":"\\u00e9"} ,\n{"n": 1E400, "a" :0.10}]'

    first, second = parts_of(body, read(body, "json"), ".")

    assert first.body == b'[ {"n":1.10e0,"u":"\\u00e9"}]'
    assert second.body == b'[ {"n": 1E400, "a" :0.10}]'


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"events":' * 100_000, b"\xff", b'"\xed', b"NaN"])
def test_what_cannot_be_read_is_refused_and_nothing_else(deep: bytes) -> None:
    with pytest.raises(Refused, match="malformed_body"):
        read(deep, "json")


def test_a_form_says_its_fields_and_which_are_given_more_than_once() -> None:
    assert read(b"From=%2B1415&Body=a+b%C3%A9&Empty=&MediaUrl=1&MediaUrl=2", "form") == {
        "From": "+1415", "Body": "a bé", "Empty": "", "MediaUrl": ["1", "2"],
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"\xff=1", b"&".join(b"a%d=1" % number for number in range(1001))])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refused, match="malformed_body"):
        read(body, "form")


def test_a_form_reaches_its_handler_inline_and_from_the_inbox(world: World) -> None:
    form = {"body": "form", "id_path": "MessageSid", "type_path": "SmsStatus"}
    body = b"MessageSid=SM1&SmsStatus=received&Body=hello"
    inline = world.receiver(system="hmac", secrets=["s"], profile=form)
    inbox = world.inbox(system="hmac", secrets=["s"], profile=form, endpoint="queued")

    for receiver in (inline, inbox):
        headers = receiver.settings.scheme.sign(body, NOW)
        assert Answered(receiver.handle("POST", URL, headers, body)).status == 200
    world.until(lambda: len(world.handled) == 2)

    for event in world.handled:
        assert (event.id, event.type, event.data["Body"], event.body) == ("SM1", "received", "hello", body)


def test_a_form_is_left_out_of_captures_where_something_must_not_be_shown(world: World) -> None:
    form = {"body": "form", "id_path": "MessageSid", "type_path": "SmsStatus"}
    body = b"MessageSid=SM1&SmsStatus=received&Body=4111"
    for redact in (None, ["Body"]):
        receiver = world.receiver(
            system="hmac", secrets=["s"], profile=form, capture="all", redact=redact, endpoint=str(redact)
        )
        receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body)

    plain, hidden = (record["capture"] for record in world.records())
    assert base64.b64decode(plain["body"]) == body
    assert "body" not in hidden
    assert hidden["redacted"]


def test_the_digest_of_an_event_is_its_own_in_whatever_company_it_comes(world: World) -> None:
    listed = {"events_path": ".", "id_path": "body:sha256"}
    receiver = world.receiver(system="hmac", secrets=["s"], profile=listed)
    one, other = b'{"type": "t", "n": 1}', b'{"type": "t", "n": 2}'

    for body in (b"[%b,%b]" % (one, other), b"[ %b ]" % other):
        receiver.handle("POST", URL, receiver.settings.scheme.sign(body, NOW), body)

    assert [event.id for event in world.handled] == [
        hashlib.sha256(each).hexdigest() for each in (one, other)
    ]
    assert sorted(world.outcomes()) == ["duplicate", "succeeded", "succeeded"]


def test_several_paths_make_one_name(world: World) -> None:
    receiver = world.receiver(
        system="hmac", secrets=["s"], profile={"id_path": "ref+header:x-part", "type_path": "kind+code"}
    )
    body = b'{"ref": 7, "kind": "ITEM", "code": "ERROR"}'
    signed = receiver.settings.scheme.sign(body, NOW)

    whole = receiver.handle("POST", URL, [*signed, ("X-Part", "b")], body)
    partial = receiver.handle("POST", URL, signed, body)

    assert (whole[0], partial[0]) == (200, 400)
    assert [(event.id, event.type) for event in world.handled] == [("7.b", "ITEM.ERROR")]
    assert "x-part" in receiver.settings.capture_headers
