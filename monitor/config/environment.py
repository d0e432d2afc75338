"""A process's settings from its environment over the `[process]` table of hookvitals.toml.

It reads the mapping and the table it is given, and the files that *_FILE variables name; nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.problems import did_you_mean, plain_problem
from monitor.config.settings import (
    CONFIG_VARIABLE,
    DEFAULT_FILE,
    PREFIX,
    SDK_VARIABLES,
    SECRETS,
    Settings,
    form_and_unit,
    variable_of,
)
from monitor.config.toml_file import Location, line_of
from monitor.errors import ConfigError


def settings_from(
    environ: Mapping[str, str],
    process: Mapping[str, object] | None = None,
    *,
    file: Path | None = None,
    text: str = "",
    known: frozenset[str] = frozenset(),
) -> Settings:
    """The settings of an environment over a `[process]` table.

    file, text: where the table came from, for messages. known: further variables with our prefix that are
    somebody's (secrets that the document refers to). Raises ConfigError, the first of `process_problems`.
    """
    settings, problems = process_problems(environ, process, file=file, text=text, known=known)
    if settings is None:
        raise problems[0]
    return settings


def process_problems(
    environ: Mapping[str, str],
    process: Mapping[str, object] | None = None,
    *,
    file: Path | None = None,
    text: str = "",
    known: frozenset[str] = frozenset(),
) -> tuple[Settings | None, list[ConfigError]]:
    """(the settings, nothing) or (None, each mistake: the key, where it stands and the expected form)."""
    table = dict(process or {})
    where = {name: _file_place(file, text, name) for name in table}
    problems = [
        ConfigError(f"{where[name]}: unknown setting", did_you_mean(name, Settings.model_fields))
        for name in table
        if name not in Settings.model_fields
    ]
    given: dict[str, tuple[str, str]] = {}
    try:
        given = _from_environment(environ, known)
    except ConfigError as exc:
        problems.append(exc)
    values = {name: value for name, value in table.items() if name in Settings.model_fields}
    values |= {name: value for name, (_, value) in given.items()}
    where |= {name: variable for name, (variable, _) in given.items()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as exc:
        return None, problems + [_malformed(error, where) for error in exc.errors()]
    return (None if problems else settings), problems


def _malformed(error: Any, where: Mapping[str, str]) -> ConfigError:
    name = str(error["loc"][0])
    form = form_and_unit(Settings.model_fields[name])["form"]
    problem = plain_problem(error, show=name not in SECRETS)
    return ConfigError(f"{where.get(name, name)}: {problem}", f"expected {form}")


def _from_environment(environ: Mapping[str, str], known: frozenset[str]) -> dict[str, tuple[str, str]]:
    """name → (variable, value) of each setting the environment states; a *_FILE is read."""
    found: dict[str, tuple[str, str]] = {}
    names = {variable_of(name): name for name in Settings.model_fields}
    files = {f"{variable_of(name)}_FILE": name for name in SECRETS}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in known | SDK_VARIABLES | {CONFIG_VARIABLE}:
            continue
        if variable in names:
            name = names[variable]
        elif variable in files:
            name, value = files[variable], _file_content(variable, value)
        else:
            raise ConfigError(f"{variable}: unknown setting", did_you_mean(variable, [*names, *files]))
        if name in found:
            raise ConfigError(f"{variable} and {found[name][0]} are both set", "keep one of them")
        found[name] = (variable, value)
    return found


def _file_content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{variable}: {path} cannot be read", "give a readable file") from exc


def _file_place(file: Path | None, text: str, name: str) -> str:
    location: Location = ("process", name)
    line = line_of(text, location)
    return f"{file or DEFAULT_FILE}{f', line {line}' if line else ''}: process.{name}"
