"""What a case is about, gathered from the record: for its page, the message to the partner and PDG's report."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.cases.service import DeskCase
from app.custody import loading
from app.custody.items import item_name
from app.events import acts
from app.exceptions.models import exception_case
from app.exceptions.rules import Facts
from app.history.rules import shown
from app.partners import service as partners
from app.verification.rules import concerns
from ledger.custody.state import Item, World

MOST_ITEMS = 1_000  # of one case that are looked up for its page or its report


@dataclass(frozen=True, slots=True)
class About:
    """A case's items, the first `MOST_ITEMS` of them, and the documents they came by."""

    items: tuple[Item, ...]
    container: str | None
    facts: Facts
    more: int = 0  # how many items are left out


def gather(connection: Connection, case: DeskCase) -> About:
    """What `case` (read with its items) is about."""
    numbers = sorted(case.items)[:MOST_ITEMS]
    loaded = loading.load_numbers(connection, numbers)
    world = loaded.world
    items = [_for(world, world.item(loaded.keys[number]), case.party_gln) for number in numbers]
    known = {item.key for item in items}
    items += [Item(str(epc)) for epc in case.data.get("epcs", [])[:MOST_ITEMS] if epc not in known]
    orders, advices = _documents(connection, case)
    names = partners.names(connection, [gln for gln in (case.partner_gln, case.party_gln) if gln])
    packages = [item for item in items if item_name(item.key).ns.startswith("01/")]
    lots = dict.fromkeys(item.lot for item in packages if item.lot)
    container = str(case.data.get("container", "")) or None
    facts = Facts(
        partner=names.get(case.partner_gln or "", ""),
        ours=names.get(case.party_gln, ""),
        purchase_orders=orders,
        advices=advices,
        gtins=tuple(dict.fromkeys(item_name(item.key).gtin or "" for item in packages))
        or _told(case.data, "gtin"),
        lots=tuple(lots) or _told(case.data, "lot"),
        containers=tuple(
            dict.fromkeys(
                shown(key)
                for key in (
                    *([container] if container else []),
                    *(item.key for item in items if item_name(item.key).ns == "00"),
                )
            )
        ),
        packages=tuple(shown(item.key) for item in packages[:50]),
        serials=len(packages) + max(0, len(case.items) - len(numbers)),
        detail=str(case.data.get("detail", "")),
    )
    return About(tuple(items), container, facts, max(0, len(case.items) - len(numbers)))


def _for(world: World, item: Item, party_gln: str) -> Item:
    """The item as far as it concerns this party: of a stranger's it knows what it scanned, and no more."""
    return item if concerns(item, world.outer(item), party_gln) else Item(item.key)


def _told(data: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = str(data.get(name, "") or "")
    return (value,) if value else ()


def _documents(connection: Connection, case: DeskCase) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The numbers of the purchase orders and despatch advices that its events name."""
    told = (_told(case.data, "purchase_order"), _told(case.data, "reference"))
    query = select(exception_case.c.seq).where(exception_case.c.case_id == case.case_id).distinct().limit(50)
    seqs = set(connection.execute(query).scalars())
    number = next(iter(sorted(case.items)), None)
    if number is not None and not any(told):
        # What revealed it may name no document; the shipment that brought it does.
        seqs |= set(sorted(acts.naming(connection, [number]))[-50:])
    found: dict[str, dict[str, None]] = {"po": {}, "desadv": {}}
    for stored in acts.read(connection, seqs):
        if case.party_gln not in (stored.act.by, stored.act.sender, stored.act.recipient, stored.act.buyer):
            continue
        for linked in stored.act.event.transactions:
            if linked.type in found:
                found[linked.type][linked.id.rpartition(":")[2]] = None
    orders, advices = told
    return orders or tuple(found["po"]), advices or tuple(found["desadv"])
