"""How a wholesaler bought what it sells on: what it has to state of a direct purchase (582(c)(1)(A)(ii) and (iv)).

Directly is what the record shows: the last sale to this wholesaler was by the package's own maker, or by a maker or
repackager. Of what nobody has told a sale, nobody can say that it was bought directly, and so it is not said.

    stated(connection, seller, contents, statement)      what it has to state: the command to ship states it
    unstated(connection, seller, ..., position)          what a sale that somebody captured should have stated
"""

from dataclasses import replace

from sqlalchemy import Connection

from app.custody import bought
from app.custody.shipped import Inner, Shipped
from app.partners import service as partners
from app.partners.service import Party
from app.transactions import forms, kept
from app.transactions.values import DIRECT_NOTICE, Direct, Element, Gap, Statement

MOST_DOCUMENTS = 50
"""Purchases whose own statement is looked at; of more it is not stated that the seller bought directly."""


def stated(
    connection: Connection,
    seller: Party,
    contents: Shipped,
    statement: Statement,
    *,
    before: int | None = None,
) -> Statement:
    """The statement with what the wholesaler `seller` has to say of how it bought these packages; of what it bought
    `before` a position in custody's order, where that is given."""
    packages = {each.item_id: each for each in contents.leaves}
    if not packages:
        return statement
    sales = bought.sales_to(connection, seller.party_id, sorted(packages), before=before)
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


def unstated(
    connection: Connection, seller: Party, contents: Shipped, said: Statement, position: int, *, r12: bool
) -> list[Gap]:
    """What a wholesaler's statement `said` should say, by the record, of how it had bought what it sold at `position`.

    R1.2 has one word for it: whether all was bought directly. What was bought directly in part is not, there.
    """
    must = stated(connection, seller, contents, Statement(said.affirmed), before=position)
    found = []
    partly = must.direct is Direct.PARTIALLY_DIRECT
    if must.direct in (Direct.ENTIRELY_DIRECT, Direct.PARTIALLY_DIRECT):
        silent = said.direct is None or (said.direct is Direct.ENTIRELY_INDIRECT and not (r12 and partly))
        if silent:
            some = "some of it" if partly else "it"
            found.append(
                Gap(
                    Element.DIRECT_PURCHASE,
                    f"{seller.name} bought {some} directly by the record, and does not state so (582(c)(1)(A)(ii))",
                )
            )
    if must.received_direct and not said.received_direct and not r12:
        found.append(
            Gap(
                Element.DIRECT_PURCHASE,
                f"{seller.name} received a statement of direct purchase by the record, and does not tell so "
                "(582(c)(1)(A)(iv))",
            )
        )
    return found


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
