"""The form a payload must have before anybody works with it: a JSON Schema, or a function of yours.

What does not have it is the sender's mistake: refused, recorded and not retried, and no claim is taken, so
that a corrected copy may come under the same id.
"""

from typing import Any, Callable, Mapping, Union

from hookvitals.schemes import MissingDependency

Schema = Union[Callable[[Any], Any], Mapping[str, Any]]
"""A function of the parsed body that raises or gives something falsy for what it does not take, or a JSON
Schema (extra `jsonschema`)."""

Validator = Callable[[Any], None]
"""Raises InvalidPayload."""
_PATH_CHARS = 128


class InvalidPayload(ValueError):
    """A payload is not of the form that its type has. The message names the place, never what stood there."""


def validator_of(schema: Schema) -> Validator:
    """Raises ValueError for what is no schema, MissingDependency for a JSON Schema without its package."""
    if isinstance(schema, Mapping):
        return _by_json_schema(schema)
    if not callable(schema):
        raise ValueError(f"schema is a function or a JSON Schema, not a {type(schema).__name__}")
    return _by_function(schema)


def _by_function(check: Callable[[Any], Any]) -> Validator:
    name = getattr(check, "__qualname__", type(check).__name__)

    def validate(data: Any) -> None:
        try:
            holds = bool(check(data))
        except Exception as exc:
            raise InvalidPayload(f"{name} raised {type(exc).__name__}") from exc
        if not holds:
            raise InvalidPayload(f"{name} does not take it")

    return validate


def _by_json_schema(schema: Mapping[str, Any]) -> Validator:
    try:
        from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415  # the jsonschema extra
        from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415
        from referencing import Registry  # noqa: PLC0415
    except ImportError as exc:
        raise MissingDependency("a JSON Schema needs: pip install 'hookvitals[jsonschema]'") from exc
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as exc:
        raise ValueError(f"the schema is no JSON Schema: {exc.message}") from exc
    known = kind(schema, registry=Registry())  # without it a $ref to a URL would be fetched

    def validate(data: Any) -> None:
        try:
            error = best_match(known.iter_errors(data))
        except Exception as exc:  # a $ref that leads nowhere, a body nested too deep
            raise InvalidPayload(f"the schema cannot be applied: {type(exc).__name__}") from exc
        if error is not None:
            raise InvalidPayload(f"{error.json_path[:_PATH_CHARS]} breaks {error.validator!r}")

    return validate
