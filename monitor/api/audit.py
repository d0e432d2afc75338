"""Audit: who did what, when, by which way. Reads only; nothing here can change a row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import Field

from monitor.api.access import Need, needs
from monitor.api.noun import noun, services
from monitor.api.paging import Paged, cursor_of, key_of
from monitor.api.shapes import Asked, Shape, answer
from monitor.errors import Unprocessable

audit = noun("audit", "Who did what, when.")


class AuditShape(Shape):
    """One act. hash chains it to the act before."""

    seq: int
    at: datetime
    actor: str
    role: str
    via: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    hash: str


class AuditPage(Shape):
    acts: list[AuditShape]
    next_cursor: str | None


class AuditQuery(Paged, Asked):
    subject: Annotated[str | None, Field(max_length=256, description="Only acts on this.")] = None


@audit.get("/audit", responses={200: AuditPage})
@needs(Need.ADMIN)
def page(query: AuditQuery) -> Response:
    """A page of acts, newest first"""
    before = None if query.cursor is None else _seq(key_of(query.cursor))
    found = services().control.audit.page(query.limit + 1, before, query.subject)
    shown = found[: query.limit]
    more = cursor_of(str(shown[-1].seq)) if len(found) > len(shown) else None
    return answer(AuditPage(acts=[AuditShape.model_validate(row) for row in shown], next_cursor=more))


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Unprocessable("This cursor is not one of ours.", "start again without a cursor")
    return int(text)
