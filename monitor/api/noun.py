"""How a noun of the API is declared: a blueprint whose routes all carry the same error answers in OpenAPI."""

from flask import current_app
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from monitor.api.services import Services
from monitor.problem import MEDIA_TYPE

SECURITY: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
EXTENSION = "hookvitals"


class FaultDocument(BaseModel):
    """One part of a request that cannot be used."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. `code` is the stable word to test for."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    errors: list[FaultDocument] = []


_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}}
_REFUSALS = {
    "401": "No valid key or session",
    "403": "Known, but not permitted",
    "404": "No such thing",
    "422": "A parameter or the body cannot be used",
    "503": "The store cannot answer now; see Retry-After",
}


def noun(name: str, about: str) -> APIBlueprint:
    """A blueprint for one noun; `about` is its sentence in the OpenAPI document."""
    return APIBlueprint(
        name,
        __name__,
        abp_tags=[Tag(name=name, description=about)],
        abp_security=SECURITY,
        abp_responses={status: {"description": meaning, **_PROBLEM} for status, meaning in _REFUSALS.items()},
    )


def services() -> Services:
    """What the current app was built with."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Services)
    return found
