"""The part of YAML that docker-compose.yml is written in: maps and lists by indentation, plain and quoted
scalars, lists in one line, comments. Anything else is a ValueError, so a file that outgrows it is noticed."""

import json
from typing import Any

Lines = list[tuple[int, str]]


def parse(text: str) -> Any:
    lines = [
        (len(line) - len(line.lstrip()), _without_comment(line.strip()))
        for line in text.splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    value, rest = _block(lines, lines[0][0])
    if rest:
        raise ValueError(f"not understood: {rest[0][1]}")
    return value


def _without_comment(line: str) -> str:
    return line if '"' in line else line.partition(" #")[0].rstrip()


def _block(lines: Lines, indent: int) -> tuple[Any, Lines]:
    if lines[0][1].startswith("- "):
        return _list(lines, indent)
    return _map(lines, indent)


def _list(lines: Lines, indent: int) -> tuple[list[Any], Lines]:
    found: list[Any] = []
    while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
        found.append(_scalar(lines[0][1][2:].strip()))
        lines = lines[1:]
    return found, lines


def _map(lines: Lines, indent: int) -> tuple[dict[str, Any], Lines]:
    found: dict[str, Any] = {}
    while lines and lines[0][0] == indent:
        key, colon, value = lines[0][1].partition(":")
        if not colon or key in found:
            raise ValueError(f"not understood, or there twice: {lines[0][1]}")
        lines = lines[1:]
        if value.strip():
            found[key] = _scalar(value.strip())
        elif lines and lines[0][0] > indent:
            found[key], lines = _block(lines, lines[0][0])
        else:
            found[key] = None
    return found, lines


def _scalar(text: str) -> Any:
    if text[0] in '"[':
        return json.loads(text)
    if text[0] in "{&*|>'!":
        raise ValueError(f"not understood: {text}")
    return text
