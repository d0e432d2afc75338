"""The form of a payload, checked before anything is claimed (practice 19): refused, recorded, not retried."""

import subprocess
import sys
from typing import Any

import pytest

from hookvitals import Receiver, replay_headers
from tests.sdk.world import NOW, REPLAY_SECRET, SECRET, URL, Answered, World, deliver, request

AMOUNT = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer"}, "spec_version": {"const": "1"}},
}


def receiving(world: World, schema: Any, inbox: bool = False) -> Receiver:
    receiver = world.inbox(handle=None) if inbox else world.receiver(handle=None)
    receiver.on("invoice.*", schema=schema)(world.handled.append)
    return receiver


@pytest.mark.parametrize("schema", [AMOUNT, lambda data: isinstance(data.get("amount"), int)])
@pytest.mark.parametrize("inbox", [False, True])
def test_a_payload_of_another_form_is_refused_and_its_corrected_copy_is_handled(
    world: World, schema: Any, inbox: bool
) -> None:
    receiver = receiving(world, schema, inbox)

    refused = deliver(receiver, "evt_1", data={"amount": "12"})
    taken = deliver(receiver, "evt_1", data={"amount": 12})
    world.until(lambda: len(world.handled) == 1)

    assert (refused.status, refused.problem["code"]) == (400, "invalid_payload")
    assert taken.status == 200
    assert [event.data["amount"] for event in world.handled] == [12]
    first = world.records()[0]
    assert (first["outcome"], first["reason"]) == ("rejected", "invalid_payload")
    assert not {"event_id", "event_type", "attempt"} & set(first)


def test_the_record_names_the_type_and_the_place_and_no_value(world: World) -> None:
    receiver = receiving(world, AMOUNT)
    deliver(receiver, "evt_1", data={"amount": "4111 1111 1111 1111"})
    deliver(receiver, "evt_2", data={"amount": 1, "spec_version": "2"})

    said = [record["error_message"] for record in world.records()]

    assert said == ["invoice.paid: $.amount breaks 'type'", "invoice.paid: $.spec_version breaks 'const'"]


def test_a_function_says_no_by_raising_too_and_its_words_stay_here(world: World) -> None:
    def check(data: Any) -> Any:
        raise ValueError(f"not a good amount: {data['amount']}")

    deliver(receiving(world, check), "evt_1", data={"amount": "4111"})

    (record,) = world.records()
    assert record["error_message"].endswith("check raised ValueError")
    assert "4111" not in record["error_message"]


@pytest.mark.parametrize("answer", [None, False, 0, "", {}])
def test_what_a_function_gives_must_be_true(world: World, answer: Any) -> None:
    assert deliver(receiving(world, lambda data: answer)).problem["code"] == "invalid_payload"


def test_types_without_a_schema_and_types_without_a_handler_are_not_checked(world: World) -> None:
    receiver = receiving(world, AMOUNT)
    receiver.on("order.*")(world.handled.append)

    assert deliver(receiver, "evt_1", event_type="order.made").status == 200
    assert deliver(receiver, "evt_2", event_type="customer.made").status == 200
    assert world.outcomes() == ["succeeded", "unhandled"]


def test_a_replay_is_checked_too(world: World) -> None:
    receiver = receiving(world, AMOUNT)
    body = request("evt_1", data={"amount": "x"})[1]
    headers = replay_headers("item_1", body, REPLAY_SECRET, NOW)

    answer = Answered(receiver.handle("POST", URL, [*headers, ("webhook-id", "evt_1")], body))

    assert answer.problem["code"] == "invalid_payload"


def test_a_reference_to_elsewhere_is_never_fetched(world: World) -> None:
    receiver = receiving(world, {"$ref": f"{world.url}/schema.json"})

    assert deliver(receiver).problem["code"] == "invalid_payload"
    assert "the schema cannot be applied" in world.records()[0]["error_message"]


def test_a_body_nested_too_deep_for_its_schema_is_refused_not_raised(world: World) -> None:
    nested = {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    receiver = receiving(world, nested)
    deep: Any = []
    for _ in range(400):
        deep = [deep]

    assert deliver(receiver, data={"a": deep}).status in (200, 400)


@pytest.mark.parametrize("schema", [{"type": "sprocket"}, {"required": "amount"}, 5, "amount"])
def test_what_is_no_schema_is_refused_when_it_is_registered(world: World, schema: Any) -> None:
    with pytest.raises(ValueError, match="schema"):
        receiving(world, schema)


def test_without_the_package_the_extra_is_named_and_functions_still_work() -> None:
    program = f"""
import sys
sys.modules["jsonschema"] = None
sys.modules["jsonschema.exceptions"] = None
from hookvitals import MissingDependency, Receiver
receiver = Receiver("acme", endpoint="e", secrets=["{SECRET}"], system="standard")
receiver.on("a", schema=bool)(print)
try:
    receiver.on("b", schema={{}})(print)
except MissingDependency as exc:
    print(exc)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True
    )

    assert "hookvitals[jsonschema]" in done.stdout
