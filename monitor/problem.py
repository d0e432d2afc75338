"""One error as one RFC 9457 problem document, the same from the collector and from the management API.

Builds values only: the two web apps send them. A document never holds a stack, a secret or a request's body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from monitor.errors import HookvitalsError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:hookvitals:problem:"


@dataclass(frozen=True, slots=True)
class Fault:
    """One part of a request that cannot be used; `pointer` is a JSON pointer, or the name of a parameter."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong. `code` is the stable word; retry_after_s becomes the Retry-After header."""

    status: int
    code: str
    detail: str
    hint: str = ""
    faults: Sequence[Fault] = ()
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The members of the problem document, in the order of RFC 9457, then `code`, `hint` and `errors`."""
        body: dict[str, object] = {
            "type": TYPE_PREFIX + self.code,
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.hint:
            body["hint"] = self.hint
        if self.faults:
            body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in self.faults]
        return body

    def response_headers(self) -> dict[str, str]:
        """Headers that belong to the answer: the media type, no caching, Retry-After where it applies."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **self.headers}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers


def problem_of(error: HookvitalsError) -> Problem:
    """The problem of one of our own errors. A 401 says which scheme it wants."""
    headers = (
        {"WWW-Authenticate": 'Bearer realm="hookvitals"'} if error.status == HTTPStatus.UNAUTHORIZED else {}
    )
    return Problem(
        status=error.status,
        code=error.code,
        detail=error.message,
        hint=error.hint,
        retry_after_s=error.retry_after_s,
        headers=headers,
    )


def title_of(status: int) -> str:
    """The status's standard phrase; `Error` for a number that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
