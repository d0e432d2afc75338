"""What verified requests look like is told with the declarations: names, and no value of a payload."""

from typing import Any

from hookvitals.event import Event
from hookvitals.shapes import CHARS, MOST, Shapes
from tests.sdk.world import World, deliver

SIGNED = [("webhook-id", "evt_1"), ("webhook-signature", "v1,secret-looking"), ("user-agent", "x")]


def event(data: Any, event_id: str = "evt_1") -> Event:
    return Event(event_id, "a", data, b"", (), 0)


def test_fields_version_and_signature_headers_are_named_with_the_first_event_that_showed_them() -> None:
    """practice 46, 19"""
    shapes = Shapes()
    shapes.note(event({"id": "secret value", "spec_version": "1"}), SIGNED)
    shapes.note(event({"id": 2, "card": {"number": "4242"}, "spec_version": "2"}, "evt_2"), SIGNED)

    assert shapes.said() == {
        "field": {"id": "evt_1", "spec_version": "evt_1", "card": "evt_2"},
        "spec_version": {"1": "evt_1", "2": "evt_2"},
        "signature_headers": {"webhook-id, webhook-signature": "evt_1"},
    }


def test_what_is_no_object_has_no_fields() -> None:
    shapes = Shapes()
    for data in (None, [1], "text", 5):
        shapes.note(event(data), [])
    assert shapes.said() == {}


def test_names_are_bounded_in_number_and_length() -> None:
    shapes = Shapes()
    shapes.note(event({f"key_{number}": 1 for number in range(MOST + 50)}), [])
    assert len(shapes.said()["field"]) == MOST
    other = Shapes()
    other.note(event({"x" * (CHARS + 1): 1, "": 1, "short": 1}, "e" * 300), [])
    assert other.said() == {"field": {"short": "e" * CHARS}}


def test_a_forged_request_shows_nothing(world: World) -> None:
    receiver = world.receiver()
    headers = {"webhook-id": "evt_0", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    receiver.handle("POST", "https://hooks.example/orders", headers, b'{"type": "a", "planted": 1}')
    deliver(receiver)
    world.records()

    told = [each for post in world.collector.posts for each in post.document["client"].get("types", [])]
    fields = {name for each in told for name in each.get("seen", {}).get("field", {})}
    assert "type" in fields
    assert "planted" not in fields
    assert any(each.get("seen", {}).get("signature_headers") for each in told)
