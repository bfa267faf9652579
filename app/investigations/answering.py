"""What a maker's investigation makes its answers to other companies say (FD&C Act 582(b)(4)(C)): suspect from the
beginning, illegitimate from the determination, nothing any more once it is cleared. What was illegitimate stays so when
the case is terminated."""

from collections.abc import Iterable

from sqlalchemy import Connection

from app.cases.service import DeskCase
from app.custody import service as custody
from app.investigations.rules import Move
from app.products import service as products
from app.shared.clock import Clock
from app.vrs import marks
from app.vrs.answers import Mark


def is_maker(connection: Connection, gtin: str, gln: str) -> bool:
    """Whether the product is this party's own."""
    return bool(gtin) and products.makers(connection, [gtin]).get(gtin) == gln


def begun(
    connection: Connection, clock: Clock, case_id: str, gtin: str, gln: str, packages: Iterable[int]
) -> None:
    """An investigation of these packages (numbers of items) was opened by the party `gln`."""
    if is_maker(connection, gtin, gln):
        epcs = custody.keys_of(connection, packages).values()
        marks.put(connection, clock.now(), Mark.SUSPECT, epcs, case_id)


def moved(connection: Connection, clock: Clock, case: DeskCase, move: Move) -> None:
    """An investigation took this step."""
    if not is_maker(connection, case.data.get("gtin", ""), case.party_gln):
        return
    if move in (Move.DETERMINE, Move.CLEAR):
        marks.end(connection, clock.now(), case.case_id)
    if move is Move.DETERMINE:
        epcs = custody.keys_of(connection, case.items).values()
        marks.put(connection, clock.now(), Mark.ILLEGITIMATE, epcs, case.case_id)
