"""Reading a TOML file, and finding the line a key stands on, so that an error can point at it.

It knows TOML, and nothing of what the keys mean.
"""

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from monitor.errors import ConfigError

Location = tuple[str | int, ...]
"""The way to a value: ("rules", 2, "threshold") is the key threshold of the third [[rules]]."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*(?:\.[^=]*)?=""")
_AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


def read_toml(path: Path) -> tuple[dict[str, object], str]:
    """(the parsed document, its text). Raises ConfigError naming file, line and what is wrong."""
    try:
        text = path.read_text("utf-8-sig")  # some editors begin with a mark of the encoding
    except FileNotFoundError as exc:
        raise ConfigError(f"there is no file {path}", "name one that there is") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}", "give a readable file in UTF-8") from exc
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as exc:
        found = _AT_LINE.search(str(exc))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        problem = _AT_LINE.sub("", str(exc)).strip()
        raise ConfigError(f"{path}, line {line}: not valid TOML: {problem}", "mend that line") from exc


def line_of(text: str, location: Location) -> int | None:
    """The line, counted from 1, of the deepest part of `location` that stands on a line of its own.

    None when not even its table is found. It scans lines, so a key inside a multi-line string can mislead
    it; it is for messages only.
    """
    lines = _lines(text)
    if location in lines.at_or_within:
        return lines.at_or_within[location]
    shorter = (location[:length] for length in range(len(location) - 1, 0, -1))
    return next((lines.at[part] for part in shorter if part in lines.at), None)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Location → the first line that names it; or that names it or something within it."""

    at: dict[Location, int] = field(default_factory=dict)
    at_or_within: dict[Location, int] = field(default_factory=dict)


@lru_cache(maxsize=4)
def _lines(text: str) -> _Lines:
    found = _Lines()
    counts: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = _table(header[2], header[1] == "[[", counts)
            here: Location = table
        elif key := _KEY.match(line):
            here = (*table, key[1] or key[2] or key[3])
        else:
            continue
        found.at.setdefault(here, number)
        for length in range(1, len(here) + 1):
            found.at_or_within.setdefault(here[:length], number)
    return found


def _table(name: str, is_array: bool, counts: dict[Location, int]) -> Location:
    """Where a header leads: what it names inside a list belongs to the entry that was opened last."""
    location: Location = ()
    for part in name.split("."):
        if location in counts:
            location = (*location, counts[location])
        location = (*location, part.strip().strip("\"'"))
    if is_array:
        counts[location] = counts.get(location, -1) + 1
        return (*location, counts[location])
    return location


def key_text(location: Location) -> str:
    """The location as a person writes it: `rules[2].threshold`, counted from 0."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
