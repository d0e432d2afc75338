"""The OpenAPI document: version 3.1, every route and reference in it, errors as problem documents."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture
def document(client: FlaskClient) -> Any:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def test_it_is_openapi_3_1_below_the_path_it_is_served_at(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "/api/v1"}]
    assert document["info"]["version"] == "1.2.3"


def test_below_a_proxys_path_it_names_that_path_too(client: FlaskClient) -> None:
    answer = client.get("/api/v1/openapi.json", environ_overrides={"SCRIPT_NAME": "/hooks"})

    assert answer.get_json()["servers"] == [{"url": "/hooks/api/v1"}]


def test_every_route_of_a_noun_is_documented(document: Any, api: Flask) -> None:
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in api.url_map.iter_rules()}

    assert rules - {"/openapi.json"} == set(document["paths"])


def test_every_reference_leads_to_a_schema(document: Any) -> None:
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert references <= set(document["components"]["schemas"])


def test_every_operation_says_what_it_does_and_how_it_refuses(document: Any) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]

    assert all(operation.get("summary") for operation in operations)
    for operation in operations:
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"401", "403", "422"} <= set(refusals)
        assert all(set(answer["content"]) == {"application/problem+json"} for answer in refusals.values())


def test_the_figures_say_what_may_be_asked_and_what_comes_back(document: Any) -> None:
    asked = {parameter["name"]: parameter for parameter in document["paths"]["/stats"]["get"]["parameters"]}
    by = asked["by"]["schema"]

    assert by.get("enum", document["components"]["schemas"]["By"]["enum"]) == [
        "event_type", "endpoint", "source", "error_class", "outcome",
    ]  # fmt: skip
    assert {"since", "until", "window", "environment", "source", "endpoint", "format"} < set(asked)
    assert all(parameter.get("description") for parameter in asked.values())
    for path, shape in (("/stats", "StatsShape"), ("/series", "SeriesShape"), ("/queues", "QueuesShape")):
        answer = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert answer["application/json"]["schema"] == {"$ref": f"#/components/schemas/{shape}"}
        assert {"since", "until"} < set(document["components"]["schemas"][shape]["properties"])
    assert "text/csv" in document["paths"]["/stats"]["get"]["responses"]["200"]["content"]
