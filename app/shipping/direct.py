"""How a wholesaler bought what it sells on: what it has to state of a direct purchase (582(c)(1)(A)(ii) and (iv)).

Directly is what the record shows: the last sale to this wholesaler was by the package's own maker, or by a maker or
repackager. Of what nobody has told a sale, nobody can say that it was bought directly, and so it is not said.
"""

from dataclasses import replace

from sqlalchemy import Connection

from app.custody import bought
from app.custody.shipped import Inner, Shipped
from app.partners import service as partners
from app.partners.service import Party
from app.transactions import forms, kept
from app.transactions.values import DIRECT_NOTICE, Direct, Statement

MOST_DOCUMENTS = 50
"""Purchases whose own statement is looked at; of more it is not stated that the seller bought directly."""


def stated(connection: Connection, seller: Party, contents: Shipped, statement: Statement) -> Statement:
    """The statement with what the wholesaler `seller` has to say of how it bought these packages."""
    packages = {each.item_id: each for each in contents.leaves}
    if not packages:
        return statement
    sales = bought.sales_to(connection, seller.party_id, sorted(packages))
    kinds = {
        party.party_id: party.kind
        for party in partners.by_numbers(connection, {sale.seller_id for sale in sales.values()})
    }
    indirect = [
        each
        for number, each in packages.items()
        if not _is_direct(each, sales.get(number), kinds)
    ]  # fmt: skip
    if not indirect:
        return replace(statement, direct=Direct.ENTIRELY_DIRECT, direct_statement=DIRECT_NOTICE)
    received = _received(connection, indirect, sales)
    if len(indirect) == len(packages):
        return replace(statement, direct=Direct.ENTIRELY_INDIRECT, received_direct=received)
    return replace(
        statement,
        direct=Direct.PARTIALLY_DIRECT,
        direct_statement=DIRECT_NOTICE,
        received_direct=received,
        indirect=tuple(sorted(each.epc for each in indirect)),
    )


def _is_direct(package: Inner, sale: bought.Sale | None, kinds: dict[int, str]) -> bool:
    if sale is None:
        return False
    return sale.seller_id == package.maker_id or kinds.get(sale.seller_id) in ("maker", "repackager")


def _received(connection: Connection, packages: list[Inner], sales: dict[int, bought.Sale]) -> bool:
    """Whether the one before has stated, for each of these packages, that it had bought it directly."""
    by_sale: dict[int, list[Inner]] = {}
    for each in packages:
        if each.item_id not in sales:
            return False
        by_sale.setdefault(sales[each.item_id].seq, []).append(each)
    if len(by_sale) > MOST_DOCUMENTS:
        return False
    found = {sale.seq: sale for sale in kept.by_seqs(connection, by_sale)}
    fronts = kept.fronts(connection, {sale.doc_id for sale in found.values()})
    for seq, bought_then in by_sale.items():
        if seq not in found:
            return False
        said = forms.statement_of(fronts[found[seq].doc_id].statement)
        if said is None or not said.affirmed or said.direct in (None, Direct.ENTIRELY_INDIRECT):
            return False
        if not {each.epc for each in bought_then}.isdisjoint(said.indirect):
            return False
    return True
