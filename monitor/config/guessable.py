"""How hard the path of an endpoint is to guess, from what stands in it.

An estimate: words count for nothing, however many there are, for scanners bring lists of them; what looks
drawn by lot counts by the character. Pure.
"""

import re
from urllib.parse import urlsplit

LEAST_BITS = 48
"""At a thousand guesses a second, half of them take four thousand years."""

_NO_CHARACTER = re.compile(r"[^0-9A-Za-z]")
_RUN = re.compile(r"[0-9]+|[A-Z]?[a-z]+|[A-Z]+")
_DRAWN_CHARACTERS, _DRAWN_CHANGES = 12, 0.25
"""So long a part was drawn by lot, where digits, words and upper case take turns so often from one character
to the next. Of 20,000 each, all UUIDs and 99.7 % of 16 random bytes as hexadecimal or base 64 are found so;
of those in base 32, with its few digits, only 61 %."""
_BITS, _DIGIT_BITS = 4.0, 3.3


def is_guessable(url: str) -> bool:
    """Whether the URL's path is one that a scanner might come upon."""
    return path_bits(url) < LEAST_BITS


def path_bits(url: str) -> float:
    """About how many random bits the path holds. A query counts for nothing: proxies and logs show it."""
    return sum(_bits(part) for part in urlsplit(url).path.split("/"))


def _bits(part: str) -> float:
    characters = _NO_CHARACTER.sub("", part)
    runs = _RUN.findall(characters)
    if len(characters) >= _DRAWN_CHARACTERS and len(runs) - 1 >= _DRAWN_CHANGES * (len(characters) - 1):
        return len(characters) * _BITS
    return sum(len(run) * _DIGIT_BITS for run in runs if run.isdigit())
