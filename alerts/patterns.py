"""Patterns in which `*` stands for any run of characters and everything else for itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the pattern; upper and lower case differ."""
    if "*" not in pattern:
        return pattern == text
    return pattern == "*" or _compiled(pattern).fullmatch(text) is not None


def all_match(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether every matcher's label is there and fits. No matchers match everything."""
    return all(label in labels and matches(pattern, labels[label]) for label, pattern in matchers.items())
