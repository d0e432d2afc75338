"""hookvitals.toml from disk to a checked document: every problem with its file, line, key and expected form.

It changes nothing and follows no secret reference.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.config.agreement import disagreements
from monitor.config.document import Document
from monitor.config.environment import settings_from
from monitor.config.problems import did_you_mean, plain_problem
from monitor.config.settings import Settings
from monitor.config.toml_file import Location, key_text, line_of, read_toml
from monitor.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A process's settings and the document beside them. file: None when there is no file."""

    settings: Settings
    document: Document
    file: Path | None


def load(file: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Settings and document of a file (None: nothing but defaults) and an environment.

    Raises ConfigError with the first problem; `problems_in` lists all of a file.
    """
    if file is None:
        return Loaded(settings_from(environ), Document(), None)
    raw, text = read_toml(file)
    process = raw.pop("process", {})
    document, problems = checked(raw, file, text)
    if document is None:
        more = f"; {len(problems) - 1} more: see `hookvitals config check`" if len(problems) > 1 else ""
        raise ConfigError(problems[0] + more)
    if not isinstance(process, dict):
        raise ConfigError(f"{file}: [process] must be a table", "write [process] and its settings below")
    settings = settings_from(environ, process, file=file, text=text, known=document.secret_variables())
    return Loaded(settings, document, file)


def checked(raw: Mapping[str, object], file: Path, text: str) -> tuple[Document | None, list[str]]:
    """(the document, no problems) or (None, every problem as one line)."""
    document, problems = validated(Document, raw, file, text)
    rest = document or _without_mistakes(raw)
    if rest is not None:
        problems += [placed(file, text, location, said) for location, said in disagreements(rest)]
    return (None, problems) if problems else (document, [])


def _without_mistakes(raw: Mapping[str, object]) -> Document | None:
    """The document without the keys that are wrong by themselves, so that one call finds the other mistakes
    too; None where that leaves nothing to judge."""
    left = deepcopy(dict(raw))
    try:
        Document.model_validate(left)
    except ValidationError as exc:
        for error in exc.errors():
            _drop(left, _as_written(error["loc"], raw))
    try:
        return Document.model_validate(left)
    except ValidationError:
        return None


def _drop(tables: Any, location: Location) -> None:
    """Deletes the key that the location lies in; never a whole table of a list, for others may name it."""
    found: tuple[Any, str | int] | None = None
    for at, part in enumerate(location, 1):
        if isinstance(tables, dict) and part in tables:
            found = tables, part
        elif not _is_inside(tables, part, is_last=at == len(location)):
            return
        tables = tables[part]
    if found is not None:
        del found[0][found[1]]


def _is_inside(entries: object, part: str | int, *, is_last: bool) -> bool:
    """Whether the part leads into a list, or to one of its values that is no table."""
    if not isinstance(entries, list) or not isinstance(part, int) or part >= len(entries):
        return False
    return not (is_last and any(isinstance(entry, dict) for entry in entries))


def validated(
    model: type[Model], raw: Mapping[str, object], file: Path, text: str
) -> tuple[Model | None, list[str]]:
    """(the tables, no problems) or (None, every problem as one line), of any file in TOML."""
    try:
        return model.model_validate(raw), []
    except ValidationError as exc:
        return None, [placed(file, text, *_plain(error, raw, model)) for error in exc.errors()]


def stored(value: Mapping[str, object]) -> Document:
    """The document of a version that control holds. Raises ConfigError when this release cannot read it."""
    document, problems = checked(value, Path("the stored configuration"), "")
    if document is None:
        raise ConfigError(problems[0], "apply a file again with `hookvitals config apply`")
    return document


def placed(file: Path, text: str, location: Location, said: str) -> str:
    """A problem with the file's name, the line and the key it stands at."""
    line = line_of(text, location)
    return f"{file}{f', line {line}' if line else ''}: {key_text(location)}: {said}"


def _plain(error: Any, raw: Mapping[str, object], model: type[BaseModel]) -> tuple[Location, str]:
    location = _as_written(error["loc"], raw)
    said = plain_problem(error)
    if error["type"] == "extra_forbidden":
        said = f"unknown key ({did_you_mean(str(location[-1]), _siblings(model, error['loc']))})"
    elif error["type"] == "missing":
        said = "missing; give it a value"
    elif error["type"] == "tuple_type" and isinstance(error["input"], dict):
        name = ".".join(part for part in location if isinstance(part, str))
        said = f"write [[{name}]], for there may be several"
    elif error["type"] == "union_tag_invalid":
        stated, known = error["ctx"]["tag"], error["ctx"]["expected_tags"].replace("'", "").split(", ")
        return (*location, "kind"), f'there is no kind "{stated}" ({did_you_mean(stated, known)})'
    elif error["type"] == "union_tag_not_found":
        return (*location, "kind"), "missing; give it a value"
    return location, said


def _as_written(loc: Location, raw: object) -> Location:
    """The location without the tags that pydantic adds for unions."""
    found: list[str | int] = []
    for at, part in enumerate(loc):
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        elif isinstance(raw, list) and isinstance(part, int):
            raw = raw[part] if part < len(raw) else None
        elif at < len(loc) - 1:
            continue
        found.append(part)
    return tuple(found)


def _siblings(model: type[BaseModel], loc: Location) -> list[str]:
    """The keys there are where an unknown one was found."""
    schema: Any = model.model_json_schema(by_alias=True)
    node = schema
    for part in loc[:-1]:
        node = _resolved(node, schema)
        if isinstance(part, int):
            node = node.get("items", node)
        elif "properties" in node and part in node["properties"]:
            node = node["properties"][part]
        elif "discriminator" in node:
            node = {"$ref": node["discriminator"]["mapping"][part]}
    return list(_resolved(node, schema).get("properties", {}))


def _resolved(node: Any, schema: Any) -> Any:
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node
