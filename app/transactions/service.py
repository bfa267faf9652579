"""Transaction information and statement of every sale, for the parties of it and nobody else.

one = Transactions(database, clock).one("4711.0", reader="0860000000017")    # raises NotFound for a stranger
one.info, one.gaps, one.statement, one.state

Computed from the recorded event, what was in it at that time, its document's header, and what is known of products and
parties; the header comes first, so that what was once told stays what it was. With a gap, or without an affirmed
statement, it is **withheld**: its seller reads what is missing, its buyer nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from app.custody import service as custody
from app.custody import shipped
from app.custody.shipped import Shipped
from app.erasable.spans import MARK
from app.errors import NotFound
from app.partners import licences
from app.partners import service as partners
from app.partners.places import Address
from app.prefixes import service as prefixes
from app.products import service as products
from app.shared.clock import Clock
from app.transactions import direct, forms, kept
from app.transactions.forms import Begun, Packed, Told
from app.transactions.kept import Sale
from app.transactions.rules import Sources, assemble
from app.transactions.values import (
    Gap,
    Guideline,
    Package,
    ProductText,
    Statement,
    Trader,
    TransactionInformation,
)
from ledger.custody.event import Event
from ledger.custody.findings import INNOCENT, SEVERITY, FindingCode
from ledger.epcis import xml12
from ledger.epcis.document import Document, Form
from ledger.epcis.jsonwriter import write as write_json
from ledger.epcis.spelling import Spelling
from ledger.store.sql.engine import Database

T = TypeVar("T")
MOST_PACKAGES = 20_000  # in one shipment; of more nothing is listed, and that is a gap
PAGE = 20
MOST_TOLD = 5  # gaps in one finding

# What the record says against the sale itself: then its information is not passed on.
AGAINST = frozenset(
    {
        FindingCode.NOT_HOLDER,
        FindingCode.NOT_OWNER,
        FindingCode.AFTER_END,
        FindingCode.TWO_RECIPIENTS,
        FindingCode.SHIPPED_TWICE,
    }
)


class State(StrEnum):
    """What became of it."""

    RELEASED = "released"
    WITHHELD = "withheld"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Transaction:
    """One sale with its information and statement. `against`: what else keeps it from being released, in words."""

    transaction_id: str
    sale: Sale
    info: TransactionInformation
    gaps: tuple[Gap, ...]
    statement: Statement | None
    against: tuple[str, ...]
    contents: Shipped

    @property
    def state(self) -> State:
        if self.sale.taken_back:
            return State.TAKEN_BACK
        return State.WITHHELD if self.missing else State.RELEASED

    @property
    def missing(self) -> tuple[str, ...]:
        """Everything for which it is withheld, in words."""
        stated = () if self.statement is not None and self.statement.affirmed else (NOT_AFFIRMED,)
        return (*(gap.message for gap in self.gaps), *stated, *self.against)

    def may_read(self, reader: str | None) -> bool:
        """Whether the party `reader` may: its seller always; its buyer, and whom a drop shipment goes to, once nothing
        is missing. `reader` None is an inspector."""
        if reader is None or reader == self.sale.seller:
            return True
        receives = self.info.drop_shipment and reader == self.sale.recipient
        return not self.missing and (reader == self.sale.buyer or receives)


@dataclass(frozen=True, slots=True)
class Looked:
    """That a party's authorization was looked at, and what was found then."""

    name: str
    authorized: bool
    why: str
    checked_at: datetime


NOT_AFFIRMED = "the transaction statement is not affirmed"


@dataclass
class Transactions:
    """Reads sales. One a process."""

    database: Database
    clock: Clock

    def one(self, transaction_id: str, *, reader: str | None) -> Transaction:
        """The sale of this id. Raises `NotFound`, for another party's, and for one withheld, as for none."""
        with self.database.snapshot() as connection:
            sale = kept.by_id(connection, transaction_id)
            found = self.told(connection, [sale]) if sale is not None else []
        if not found or not found[0].may_read(reader):
            raise NotFound("No such transaction", "There is none, or none for you.")
        return found[0]

    def page(self, reader: str, before: int | None = None) -> tuple[list[Transaction], int | None]:
        """The party's sales and purchases, the last recorded first, and where the next page begins."""
        with self.database.snapshot() as connection:
            party = partners.by_gln(connection, reader)
            if party is None:
                return [], None
            sales = kept.of_party(connection, party.party_id, before=before, limit=PAGE + 1)
            found = self.told(connection, sales[:PAGE])
        more = sales[PAGE - 1].seq if len(sales) > PAGE else None
        return [each for each in found if each.may_read(reader)], more

    def of_events(
        self, connection: Connection, seqs: Iterable[int], *, reader: str | None
    ) -> list[Transaction]:
        """Those of the events with these numbers that are sales which `reader` may read, in the ledger's order."""
        found = self.told(connection, kept.by_seqs(connection, sorted(set(seqs))))
        return [each for each in found if each.may_read(reader)]

    def told(self, connection: Connection, sales: Iterable[Sale]) -> list[Transaction]:
        """These sales with their information, in their order."""
        return told(connection, sales)

    def authorization(self, found: Transaction) -> list[Looked]:
        """What was known of its parties' authorization when it was recorded."""
        with self.database.reading() as connection:
            checks = licences.checks_of(connection, [found.sale.seq]).get(found.sale.seq, [])
            names = {
                each.party_id: each.name
                for each in partners.by_numbers(connection, {c.party_id for c in checks})
            }
        return [Looked(names[c.party_id], c.authorized, c.why, c.checked_at) for c in checks]

    def document(self, found: Transaction, guideline: Guideline, form: Form) -> bytes:
        """The sale as a partner's system reads it: `form` 2.0 JSON or 1.2 XML, in the guideline's release."""
        with self.database.snapshot() as connection:
            told = _to_tell(connection, found)
            lengths = _prefix_lengths(connection, told)
        made = forms.document(
            told,
            found.statement or Statement(False),
            guideline,
            self.clock.now(),
            f"urn:uuid:{forms.message_id(found.info, guideline)}",
        )
        spelling = Spelling(lengths)
        return write_json(made, spelling) if form is Form.JSON20 else xml12.write(made, spelling, indent=True)


def told(connection: Connection, sales: Iterable[Sale]) -> list[Transaction]:
    """These sales with their information, in their order."""
    listed = list(sales)
    fronts = kept.fronts(connection, {each.doc_id for each in listed})
    against: dict[int, list[str]] = {}
    for each in custody.findings_of(connection, [sale.seq for sale in listed]):
        if each.code in AGAINST:
            against.setdefault(each.seq, []).append(f"{each.code.value}: {each.message}")
    record = Record(connection)
    return [
        _told_of(record, sale, fronts[sale.doc_id], contents, tuple(dict.fromkeys(against.get(sale.seq, ()))))
        for sale, contents in _with_contents(connection, listed)
    ]


def finding_of(gaps: Sequence[Gap]) -> dict[str, str]:
    """The finding of a sale that lacks this, as a receipt tells it."""
    code = FindingCode.INFORMATION_MISSING
    more = f" and {len(gaps) - MOST_TOLD} more" if len(gaps) > MOST_TOLD else ""
    message = "not released to its buyer: " + "; ".join(gap.message for gap in gaps[:MOST_TOLD]) + more
    return {
        "code": code.value, "severity": SEVERITY[code].value, "message": message, "innocent": INNOCENT[code],
    }  # fmt: skip


def of_entry(connection: Connection, index: int) -> list[int]:
    """The events, by number, of the entry at `index` that are sales."""
    return kept.of_entry(connection, index)


def gaps_of(connection: Connection, seqs: Iterable[int]) -> dict[int, tuple[Gap, ...]]:
    """What the transaction information of those of these events lacks that are sales and lack something, by number."""
    listed = kept.by_seqs(connection, sorted(set(seqs)))
    fronts = kept.fronts(connection, {sale.doc_id for sale in listed})
    record = Record(connection)
    gaps = {
        sale.seq: _told_of(record, sale, fronts[sale.doc_id], contents).gaps
        for sale, contents in _with_contents(connection, listed)
    }
    return {seq: each for seq, each in gaps.items() if each}


class Record:
    """Products and parties on record, each asked for once: of a hundred sales in one document most have the same."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.products = _once(partial(products.by_gtins, connection))
        self.called = _once(partial(partners.called, connection))
        self.parties = _once(lambda glns: {g: p for g in glns if (p := partners.by_gln(connection, g))})


def _once(ask: Callable[[set[str]], Mapping[str, T]]) -> Callable[[Iterable[str]], dict[str, T]]:
    known: dict[str, T | None] = {}

    def found(keys: Iterable[str]) -> dict[str, T]:
        wanted = set(keys)
        new = wanted - known.keys()
        if new:
            known.update(dict.fromkeys(new))
            known.update(ask(new))
        return {key: value for key in wanted if (value := known[key]) is not None}

    return found


def _with_contents(connection: Connection, sales: Sequence[Sale]) -> Iterator[tuple[Sale, Shipped]]:
    asked = [(list(sale.event.epcs), sale.event.position) for sale in sales]
    return zip(sales, shipped.at_positions(connection, asked, MOST_PACKAGES), strict=True)


def _told_of(
    record: Record, sale: Sale, front: Document, contents: Shipped, against: tuple[str, ...] = ()
) -> Transaction:
    """A sale's information and statement; `front` is its document, with or without its events."""
    r12 = front.statement is not None and front.statement.guideline_version is None
    info, gaps = assemble(
        sources(record, sale.event, sale.seller, sale.buyer, sale.recipient, contents, front, infer_date=r12)
    )
    statement = forms.statement_of(front.statement)
    if statement is not None:
        statement = replace(statement, affirmed=sale.affirmed is True)
        seller = record.parties([sale.seller]).get(sale.seller)
        if seller is not None and seller.kind == "wholesaler":
            at = sale.event.position
            gaps = (*gaps, *direct.unstated(record.connection, seller, contents, statement, at, r12=r12))
    if not contents.complete:
        against = (*against, f"more than {MOST_PACKAGES} objects in it: its packages are not listed")
    return Transaction(sale.transaction_id, sale, info, gaps, statement, against, contents)


def sources(
    record: Record,
    event: Event,
    seller: str,
    buyer: str,
    recipient: str | None,
    contents: Shipped,
    front: Document | None = None,
    *,
    infer_date: bool = False,
) -> Sources:
    """What is known of a shipment: the document's header first, then products and parties on record."""
    packages = tuple(forms.package(each.epc, each.lot, each.expiry) for each in contents.leaves)
    known = {each.epc for each in contents.items.values()}
    unknown = tuple(Package(epc) for epc in event.epcs if epc not in known)
    gtins = {each.gtin for each in packages if each.gtin}
    header = forms.products_of(front.products) if front is not None else {}
    places = forms.traders_of(front.locations) if front is not None else {}
    wanted = {gln for gln in (seller, buyer, recipient) if gln is not None}
    return Sources(
        event=event,
        seller=seller,
        buyer=buyer,
        recipient=recipient,
        packages=(*packages, *unknown),
        products=_products(record, gtins, header),
        traders=_traders(record, wanted, places),
        infer_date=infer_date,
    )


def _products(
    record: Record, gtins: Iterable[str], header: Mapping[str, ProductText]
) -> dict[str, ProductText]:
    known = record.products(gtins)
    found: dict[str, ProductText] = {}
    for gtin in gtins:
        first, row = header.get(gtin, ProductText(gtin)), known.get(gtin)
        then = ProductText(gtin)
        if row is not None:
            ndc = forms.ndc_of(row.ndc, None, gtin)
            then = ProductText(
                gtin, row.name, row.strength, row.dosage_form, ndc, row.net_content, row.manufacturer
            )
        found[gtin] = ProductText(
            gtin,
            first.name or then.name,
            first.strength or then.strength,
            first.dosage_form or then.dosage_form,
            first.ndc or then.ndc,
            first.container_size or then.container_size,
            first.manufacturer or then.manufacturer,
        )
    return found


def _traders(record: Record, glns: Iterable[str], header: Mapping[str, Trader]) -> dict[str, Trader]:
    known = record.called(glns)
    found: dict[str, Trader] = {}
    for gln in glns:
        first, row = header.get(gln, Trader(gln)), known.get(gln)
        if row is None:
            found[gln] = replace(first, contact="") if first.contact.startswith(MARK) else first
            continue
        # An unverified partner's name is this node's own stand-in where no document had one.
        name = "" if row.name == f"Unverified partner {gln}" else row.name
        where = first.place if first.place != Address() else row.place
        # A contact in a stored document may be a placeholder: it can be erased, and is kept elsewhere.
        told = "" if first.contact.startswith(MARK) else first.contact
        found[gln] = Trader(gln, first.name or name, where, told or row.contact)
    return found


def _to_tell(connection: Connection, found: Transaction) -> Told:
    """What a document of the sale tells beside its event: how the packages began and how they are packed."""
    items = found.contents.items
    began = shipped.beginnings(connection, items)
    grouped: dict[tuple[datetime, str | None, str, str, bool], list[str]] = {}
    for number, each in items.items():
        if number in began and each.epc.startswith("https://id.gs1.org/01/"):
            at = began[number]
            key = (at.at, at.place, each.lot, each.expiry, each.epc.startswith("https://id.gs1.org/01/0"))
            grouped.setdefault(key, []).append(each.epc)
    packed: dict[tuple[datetime, int], list[str]] = {}
    for one in found.contents.packings:
        if one.child in items and one.parent in items:
            packed.setdefault((one.at, one.parent), []).append(items[one.child].epc)
    return Told(
        found.sale.event,
        found.info,
        tuple(
            Begun(at, "+00:00", place, lot, expiry, tuple(sorted(epcs)))
            for (at, place, lot, expiry, _), epcs in sorted(
                grouped.items(), key=lambda e: (e[0][0], sorted(e[1]))
            )
        ),
        tuple(
            Packed(at, items[parent].epc, tuple(sorted(children)))
            for (at, parent), children in sorted(packed.items())
        ),
        tuple(
            line for _, line in sorted({line.product.gtin: line.product for line in found.info.lines}.items())
        ),
    )


def _prefix_lengths(connection: Connection, told: Told) -> forms.GcpLength:
    """How long the company prefix in an EPC is: as entered for its company, or as the NDC in a GTIN shows."""
    known = [each.prefix for each in prefixes.all_prefixes(connection)]
    return forms.prefix_length(known, told.products)
