"""How many packages were commissioned from each of some lots, by one query."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from app.custody.items import ItemName
from app.custody.models import item
from app.shared.chunks import chunks


def made_of_lots(connection: Connection, lots: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """By (GTIN-14, lot): the packages that whoever began the lot commissioned from it. An unknown lot is left out."""
    names = [ItemName(f"10/{gtin}", lot) for gtin, lot in set(lots)]
    found: dict[tuple[str, str], int] = {}
    lot, package = item.alias("lot"), item.alias("package")
    for chunk in chunks(names):
        wanted = {(name.ns, name.serial) for name in chunk}
        query = (
            select(lot.c.ns, lot.c.serial, func.count(package.c.item_id))
            .join(package, (package.c.lot_id == lot.c.item_id) & (package.c.maker_id == lot.c.maker_id))
            .where(
                lot.c.bucket.in_({name.bucket for name in chunk}),
                lot.c.ns.in_({name.ns for name in chunk}),
                lot.c.serial.in_({name.serial for name in chunk}),
            )
            .group_by(lot.c.ns, lot.c.serial)
        )
        for ns, serial, count in connection.execute(query):
            if (ns, serial) in wanted:
                found[ns[3:], serial] = count
    return found
