"""Where a page of a queue ended: what its reader sends to get the next one.

Written ``<microseconds since 1970, or none>.<case id>``: the clock (of what is closed, the end) of the page's last
case, and that case's id. A place is found again by the index whatever happened to that case meanwhile.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, or_

from app.cases.models import desk_case
from app.errors import Invalid
from ledger.store.sql.types import from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a queue. `at`: aware UTC; None where a case has no deadline."""

    at: datetime | None
    case_id: str

    @classmethod
    def parse(cls, text: str) -> "Place":
        """What `str` of a place gave. Raises `Invalid`."""
        clock, _, case_id = text.partition(".")
        try:
            if not re.fullmatch(r"(none|-?[0-9]{1,17})\.[0-9A-Za-z_-]{1,64}", text, re.ASCII):
                raise ValueError(text)
            return cls(None if clock == "none" else from_micros(int(clock)), case_id)
        except (OverflowError, ValueError) as error:
            raise Invalid(
                "query.parameter", "That is no place in this queue", "after", "Take it from `next`."
            ) from error

    def __str__(self) -> str:
        return f"{'none' if self.at is None else to_micros(self.at)}.{self.case_id}"

    def beyond(self, *, closed: bool) -> ColumnElement[bool]:
        """What comes after it in the order of `cases.queue`."""
        later_id = desk_case.c.case_id > self.case_id
        if closed:
            if self.at is None:
                return false()
            return or_(desk_case.c.closed_at < self.at, and_(desk_case.c.closed_at == self.at, later_id))
        if self.at is None:
            return and_(desk_case.c.due_at.is_(None), later_id)
        same = and_(desk_case.c.due_at == self.at, later_id)
        return or_(desk_case.c.due_at.is_(None), desk_case.c.due_at > self.at, same)
