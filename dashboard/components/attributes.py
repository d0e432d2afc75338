"""Attributes with a dash in their name, which Python cannot write as keywords."""

from typing import Any


def attributes(**named: str) -> Any:
    """`attributes(aria_label="x")` → {"aria-label": "x"}, for `**`. Dash's own types do not know them."""
    return {name.replace("_", "-"): value for name, value in named.items()}
