"""What a maker's record says of one package, by one query that costs the same whether there is such a package or not.

Whoever measures how long a verification takes must not learn more than its answer says: so nothing is read level by
level, and nothing more for a package that exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Select, bindparam, func, literal, select

from app.custody.items import item_name
from app.custody.loading import STATUS_OF
from app.custody.models import contained, item
from app.events.models import event
from app.shared.chunks import chunks
from app.shared.rows import Among
from ledger.custody.state import CONSUMED, ENDED, MAX_DEPTH, Status

_PACKAGE = ("item_id", "parent_id", "lot_id", "maker_id", "expiry", "status", "recalled", "disputed")


@dataclass(frozen=True, slots=True)
class Standing:
    """One package as recorded. `maker_id`: the party that commissioned it, None where nobody has. `recalled`: itself,
    its lot, or a container around it."""

    maker_id: int | None
    lot: str | None
    expiry: date | None
    status: Status
    recalled: bool
    disputed: bool


def standing(connection: Connection, key: str) -> Standing | None:
    """The package with the canonical EPC `key`, or None where no event names it."""
    name = item_name(key)
    rows = connection.execute(_STANDING, {"of": name.bucket, "class": name.ns, "number": name.serial}).all()
    if not rows:
        return None
    own = rows[0]  # the package itself, then what is around it
    return Standing(
        maker_id=own.maker_id,
        lot=own.lot,
        expiry=date.fromordinal(own.expiry) if own.expiry is not None else None,
        status=_status([STATUS_OF[row.status] for row in rows]),
        recalled=bool(own.lot_recalled) or any(row.recalled for row in rows),
        disputed=own.disputed,
    )


def _status(along: list[Status]) -> Status:
    """The package's own where it has ended; else the end of a container that took what was in it along."""
    own, *around = along
    return own if own in ENDED else next((each for each in around if each in CONSUMED), own)


def _query() -> Select[tuple[object, ...]]:
    """The package and every container around it, the package first."""
    wanted = [item.c[column] for column in _PACKAGE]
    named = (
        item.c.bucket == bindparam("of"),
        item.c.ns == bindparam("class"),
        item.c.serial == bindparam("number"),
    )
    up = select(*wanted, literal(0).label("depth")).where(*named).cte("up", recursive=True)
    parent = item.alias("parent")
    above = select(*(parent.c[column] for column in _PACKAGE), up.c.depth + 1)
    up = up.union_all(above.where(parent.c.item_id == up.c.parent_id, up.c.depth < MAX_DEPTH))
    lot = item.alias("lot")
    return (
        select(up, lot.c.serial.label("lot"), lot.c.recalled.label("lot_recalled"))
        .outerjoin(lot, lot.c.item_id == up.c.lot_id)
        .order_by(up.c.depth)
    )


_STANDING = _query()  # made once: it is costlier to make than to run


def has_anything(connection: Connection, party_id: int) -> bool:
    """Whether the party has, or is to get, anything at all by this node's record: two looks at an index."""
    holds = select(item.c.item_id).where(item.c.holder_id == party_id, item.c.parent_id.is_(None)).limit(1)
    gets = select(item.c.item_id).where(item.c.bound_for_id == party_id).limit(1)
    return any(connection.execute(query).first() is not None for query in (holds, gets))


_EVER_HELD = Among(select(contained.c.parent).distinct(), contained.c.parent)
_INSIDE = select(item.c.item_id).where(item.c.parent_id == bindparam("container")).limit(1)


def has_contents(connection: Connection, item_id: int) -> bool:
    """Whether anything is directly inside the item with this number."""
    return connection.execute(_INSIDE, {"container": item_id}).first() is not None


def containers(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of these items, by number, that ever held anything: cases, emptied ones too."""
    return {number for chunk in chunks(numbers) for (number,) in _EVER_HELD.rows(connection, chunk)}


def newest(connection: Connection) -> int:
    """The number of the newest event that custody knows: whether anything came since a verdict was given."""
    return connection.execute(select(func.max(event.c.seq))).scalar() or 0
