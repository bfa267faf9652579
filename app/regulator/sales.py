"""Transaction information and transaction statement of the sales that an authority asks for (FD&C Act 581(26), (27)).

Of each sale what the law names, whether or not it was released to its buyer, and what is missing from it; a line for
each package, those in cases and pallets too: as they were packed when they were shipped. Where one product, lot or
serial was asked for, a sale is told with these packages alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.regulator.rules import Search
from app.shared.spreadsheet import safe
from app.transactions.service import Transaction
from app.transactions.showing import WORDS, shown, statement
from app.transactions.values import AFFIRMATIONS, Line, Trader

COLUMNS = (
    "transaction",
    "state",
    "missing",
    "transaction_date",
    "shipment_date",
    "seller_gln",
    "seller",
    "seller_address",
    "buyer_gln",
    "buyer",
    "buyer_address",
    "drop_shipped_to",
    "product",
    "strength",
    "dosage_form",
    "ndc",
    "container_size",
    "gtin",
    "serial",
    "lot",
    "expiry",
    "number_of_containers",
    "order",
    "dispatch_advice",
    "statement_affirmed",
    "direct_purchase",
    "event_id",
    "recorded_at_utc",
)


def only(found: Transaction, asked: Search) -> Transaction:
    """The sale with those of its packages that were asked for; with none, where it is known of none that was."""
    info = found.info
    return replace(found, info=replace(info, lines=tuple(_only(info.lines, asked))))


def _only(lines: Sequence[Line], asked: Search) -> Iterator[Line]:
    for line in lines:
        if asked.gtin not in ("", line.product.gtin) or asked.lot not in ("", line.lot):
            continue
        serials = tuple(each for each in line.serials if asked.serial in ("", each))
        if serials:
            yield replace(line, serials=serials)


def packages(found: Sequence[Transaction]) -> int:
    """How many lines the table has."""
    return sum(max(1, each.info.packages) for each in found)


def rows(found: Sequence[Transaction]) -> Iterator[tuple[str, ...]]:
    """The cells of `COLUMNS`: a line for each package of each sale; one for a sale of which no package is known."""
    for each in found:
        before, after = tuple(map(safe, _before(each))), tuple(map(safe, _after(each)))
        for line in each.info.lines:
            product = line.product
            told = (product.name, product.strength, product.dosage_form, product.ndc, product.container_size)
            for serial in line.serials:
                cells = (*told, product.gtin, serial, line.lot, line.expiry)
                yield (*before, *map(safe, cells), *after)
        if not each.info.lines:
            yield (*before, *[""] * 9, *after)


def as_json(found: Sequence[Transaction], reader: str | None) -> list[dict[str, Any]]:
    """The same as data, by the names of the law's elements."""
    return [shown(each, reader) for each in found]


def paper(each: Transaction) -> tuple[str, list[tuple[str, str]], list[tuple[str, ...]]]:
    """A sale for people: its title, its facts by name, and a row for each product and lot (`PAPER_COLUMNS`)."""
    info = each.info
    facts = [
        ("State", WORDS[each.state] + (f"; {'; '.join(each.missing)}" if each.missing else "")),
        ("From (seller)", _trader(info.seller)),
        ("To (buyer)", _trader(info.buyer)),
        *([("Shipped to", _trader(info.recipient))] if info.recipient else []),
        ("Date of the transaction", str(info.transaction_date or "not told")),
        *([("Date of the shipment", str(info.shipment_date))] if info.shipment_date else []),
        ("Number of containers", str(info.packages)),
        ("Transaction statement", _stated(each)),
    ]
    table = [
        (
            line.product.name or "not told",
            ", ".join(filter(None, (line.product.strength, line.product.dosage_form))),
            line.product.ndc,
            line.product.container_size,
            f"{line.lot}\nexpires {line.expiry}" if line.expiry else line.lot,
            str(line.count),
            _serials(line.serials),
        )
        for line in info.lines
    ]
    seller, buyer = (trader.name or f"GLN {trader.gln}" for trader in (info.seller, info.buyer))
    on = info.transaction_date or "a date that is not told"
    return f"{on}: {seller} to {buyer} (transaction {each.transaction_id})", facts, table


PAPER_COLUMNS = (
    "Product", "Strength, form", "NDC", "Container size", "Lot", "Containers", "Serials",
)  # fmt: skip
MOST_SERIALS = 40  # of one line of the paper; the table beside it has all


def _before(each: Transaction) -> Iterator[str]:
    info = each.info
    yield each.transaction_id
    yield each.state.value
    yield "; ".join(each.missing)
    yield str(info.transaction_date or "")
    yield str(info.shipment_date or "")
    for trader in (info.seller, info.buyer):
        yield trader.gln
        yield trader.name
        yield trader.place.line
    yield info.recipient.gln if info.recipient else ""


def _after(each: Transaction) -> Iterator[str]:
    info, stated = each.info, statement(each.statement)
    yield str(info.packages)
    yield info.order or ""
    yield info.notice or ""
    yield "yes" if stated is not None and stated["affirmed"] else "no"
    yield str((stated or {}).get("direct_purchase") or "")
    yield info.event_id
    yield f"{each.sale.recorded_at:%Y-%m-%dT%H:%M:%SZ}"


def _trader(each: Trader) -> str:
    return ", ".join(filter(None, (each.name or "name not told", each.place.line, f"GLN {each.gln}")))


def _stated(each: Transaction) -> str:
    found = each.statement
    if found is None or not found.affirmed:
        return "not affirmed"
    affirmed = " ".join(f"({letter}) {text}" for letter, text in AFFIRMATIONS)
    direct = (f"Direct purchase: {found.direct.value.replace('_', ' ').lower()}.",) if found.direct else ()
    return " ".join((f"The seller {affirmed}", *filter(None, (found.legal_notice,)), *direct))


def _serials(serials: Sequence[str]) -> str:
    more = len(serials) - MOST_SERIALS
    return ", ".join(serials[:MOST_SERIALS]) + (f" and {more} more: see the table" if more > 0 else "")
