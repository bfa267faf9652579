"""What a quarantine is about: which packages, and which of them are this party's to set on hold."""

from sqlalchemy import Connection

from app.cases.service import DeskCase
from app.custody import loading
from app.custody import service as custody
from app.errors import Invalid
from app.history.rules import subject_of
from app.products import service as products
from ledger.gs1.epc import Sgtin, parse_epc

MOST_PACKAGES = 5_000


def holdable(connection: Connection, subjects: tuple[str, ...], gln: str) -> tuple[str, ...]:
    """Those that this party has in hand, and those of which nobody is known to have any: it may set these on hold.

    What another has by the record is none of these. A report of it would be a claim, and make two custodians of what
    may be a slip of paper; the case says that it is set apart.
    """
    world = loading.load(connection, subjects).world
    found = []
    for key in subjects:
        item = world.item(key)
        outer = world.outer(item)
        if not item.ended and not outer.in_transit and outer.holder in (None, gln):
            found.append(key)
    return tuple(found)


def packages_in(connection: Connection, subjects: tuple[str, ...]) -> list[int]:
    """The numbers of the packages that these are or hold, at any depth."""
    found: dict[int, None] = {}
    for key in subjects:
        loaded, inside = loading.load_contents(connection, key, MOST_PACKAGES)
        parents = {loaded.world.item(each).parent for each in inside}
        leaves = [each for each in inside if each not in parents and "/21/" in each]
        for each in leaves or ([key] if key in loaded.ids else []):
            found[loaded.ids[each]] = None
    if len(found) > MOST_PACKAGES:
        raise Invalid(
            "investigation.subjects", "Too many at once", f"At most {MOST_PACKAGES} packages a case."
        )
    return list(found)


def product_of(connection: Connection, subjects: tuple[str, ...]) -> tuple[str, str]:
    epcs = [parse_epc(key) for key in subjects]
    gtin = next((epc.gtin.digits for epc in epcs if isinstance(epc, Sgtin)), "")
    product = products.by_gtins(connection, [gtin]).get(gtin) if gtin else None
    return (product.title if product else f"GTIN {gtin}" if gtin else "a container"), gtin


def affected(connection: Connection, case: DeskCase, retain: str) -> tuple[str, ...]:
    """What the event of a move is about: what is still this party's to act on, but for the samples it keeps."""
    kept = {subject_of(line) for line in retain.splitlines() if line.strip()}
    keys = tuple(case.data["subjects"])
    if kept:
        packages = custody.keys_of(connection, case.items)
        keys = tuple(sorted(set(packages.values()) - kept))
    return holdable(connection, keys, case.party_gln)
