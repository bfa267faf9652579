"""What a company has by the record: one look at custody, counted there, named here.

found = stock(database, clock, "0614141000012", Asked.parse(gtin="00399999001014"))
found.lines, found.totals, found.outermost
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from app.custody import stock as custody
from app.custody.stock import Outermost
from app.errors import Invalid
from app.inventory.rules import MOST_LINES, OF_HERE, Asked, Line, Totals, lines_of
from app.partners import service as partners
from app.products import service as products
from app.shared.clock import Clock
from app.shared.spreadsheet import as_csv, safe
from ledger.store.sql.engine import Database

COLUMNS = (
    *("gtin", "product", "lot", "expiry", "here", "usable", "containers", "loose", "on_hold", "recalled"),
    *("expired", "on_its_way", "on_its_way_stopped", "not_found_in_its_container"),
)


@dataclass(frozen=True, slots=True)
class Stock:
    """What was asked for, as of `at`. `lines`: those that match; `totals`: of the products and lots asked for, whatever
    is shown of them; `outermost`: of everything the company has. `only_here`: what is on its way has too many lines
    to be counted along, which the company has not in its hands: anybody may ship it anything."""

    at: datetime
    lines: tuple[Line, ...]
    totals: Totals
    outermost: Outermost
    only_here: bool = False

    @property
    def today(self) -> date:
        """The day by which expiry is judged, in UTC, as a verdict's."""
        return self.at.date()


def stock(database: Database, clock: Clock, party_gln: str, asked: Asked) -> Stock:
    """What the party with this GLN has and what is on its way to it. Raises `Invalid` ``inventory.too_many`` where
    there are more lines than one answer takes."""
    at = clock.now()
    with database.snapshot() as connection:
        party = partners.by_gln(connection, party_gln)
        if party is None:
            return Stock(at, (), Totals.of((), at.date()), Outermost(0, 0))
        counted = custody.stock(
            connection, party.party_id, gtin=asked.gtin, lot=asked.lot, most=MOST_LINES + 1
        )
        only_here = len(counted) > MOST_LINES and asked.show in OF_HERE
        if only_here:
            counted = [each for each in counted if not each.coming]
        if len(counted) > MOST_LINES:
            raise Invalid(
                "inventory.too_many",
                "Too many products and lots to show at once",
                f"more than {MOST_LINES}",
                "Name a GTIN, or ask for what is here.",
            )
        named = products.by_gtins(connection, {each.gtin for each in counted})
        names = {gtin: product.title for gtin, product in named.items()}
        outermost = custody.outermost(connection, party.party_id)
    lines = lines_of(counted, names)
    shown = tuple(line for line in lines if line.matches(asked.show, at.date()))
    return Stock(at, shown, Totals.of(lines, at.date()), outermost, only_here)


def as_table(found: Stock) -> bytes:
    """The lines as CSV, with `COLUMNS`."""
    return as_csv(COLUMNS, _rows(found))


def _rows(found: Stock) -> Iterator[tuple[str, ...]]:
    for line in found.lines:
        yield (
            line.gtin,
            safe(line.name),
            safe(line.lot),
            line.expiry.isoformat() if line.expiry else "",
            str(line.here),
            str(0 if line.expired(found.today) else line.usable),
            str(line.containers),
            str(line.loose),
            str(line.held),
            str(line.recalled),
            "yes" if line.expired(found.today) else "no",
            *("" if found.only_here else str(n) for n in (line.coming, line.coming_stopped, line.short)),
        )
