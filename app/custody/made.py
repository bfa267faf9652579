"""A GTIN's lots as the record has them, and who made what: for whoever recalls."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.custody.items import ItemName
from app.custody.models import item
from app.shared.chunks import chunks


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot as the record has it: `maker_id` is whoever commissioned from it first."""

    item_id: int
    number: str
    maker_id: int | None
    recalled: bool


def lots_of(connection: Connection, gtin: str, most: int) -> list[Lot]:
    """The lots of a GTIN (14 digits) that anybody has told of, by number; at most `most`."""
    name = ItemName(f"10/{gtin}", "")
    query = select(item.c.item_id, item.c.serial, item.c.maker_id, item.c.recalled)
    query = query.where(item.c.bucket == name.bucket, item.c.ns == name.ns)
    rows = connection.execute(query.order_by(item.c.serial).limit(most))
    return [Lot(row.item_id, row.serial, row.maker_id, bool(row.recalled)) for row in rows]


def makers_of(connection: Connection, numbers: Iterable[int]) -> dict[int, int | None]:
    """Who commissioned the items with these numbers, by the number of the party."""
    found: dict[int, int | None] = {}
    for chunk in chunks(sorted(set(numbers))):
        query = select(item.c.item_id, item.c.maker_id).where(item.c.item_id.in_(chunk))
        found |= dict(connection.execute(query).all())
    return found
