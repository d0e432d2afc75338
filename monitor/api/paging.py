"""Keyset paging: how many to give, and an opaque cursor that continues where the last page ended.

A cursor names a row, never an offset, so rows that arrive meanwhile neither repeat nor skip.
"""

import base64
import binascii
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from monitor.clock import from_us, to_us
from monitor.errors import Unprocessable

MOST = 500
Limit = Annotated[int, Field(ge=1, le=MOST, description=f"At most this many, 1 to {MOST}.")]
Cursor = Annotated[str | None, Field(max_length=200, description="`next_cursor` of the page before.")]


class Paged(BaseModel):
    """The parameters of a page."""

    limit: Limit = 50
    cursor: Cursor = None

    def below(self) -> tuple[datetime, str] | None:
        """The (time, id) of the row to go on below; None on the first page."""
        if self.cursor is None:
            return None
        us, _, id = key_of(self.cursor).partition(":")
        try:
            return from_us(int(us)), id
        except (ValueError, OverflowError) as exc:
            raise foreign() from exc


def cursor_below(at: datetime, id: str) -> str:
    """The cursor that continues below the row of this time and id."""
    return cursor_of(f"{to_us(at)}:{id}")


def cursor_of(key: str) -> str:
    """The cursor that continues after the row with this key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(cursor: str) -> str:
    """The key inside a cursor. Raises Unprocessable for what no page of ours gave out."""
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as exc:
        raise foreign() from exc
    if "\0" in key:  # no store has such a key, and PostgreSQL takes no such text
        raise foreign()
    return key


def foreign() -> Unprocessable:
    return Unprocessable("This cursor is not one of ours.", "start again without a cursor")
