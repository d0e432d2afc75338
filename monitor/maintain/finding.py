"""One line of `hookvitals doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """ok: True fine, False must be mended, None worth knowing."""

    ok: bool | None
    about: str
    said: str
