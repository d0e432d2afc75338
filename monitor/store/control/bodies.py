"""Stored bodies read back as what they were: one reader a class, made where its module is imported."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def reader(kind: type[T]) -> Callable[[Any], T]:
    """Turns what `msgspec.to_builtins` made back into the kind.

    msgspec looks at a class when it first meets it, and two threads at that at once end the process: with
    0.22 it was 29 of 200 in which six threads began so. So it meets the class here, in one thread.
    """
    msgspec.json.Decoder(kind)
    return partial(msgspec.convert, type=kind)
