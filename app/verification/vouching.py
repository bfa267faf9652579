"""Who can vouch for having made a product: the maker that is registered for its GTIN, and the company whose GS1 Company
Prefix the GTIN has.

Whoever dates a commissioning first begins a serial of a GTIN of which nobody has said whose it is (decision 0007). That
makes a record and no maker: a scan of such a pack says so, whoever sends it on (decision 0056)::

    vouchers(connection, ["00399999001014"])       {"00399999001014": frozenset({"0399999000017"})}
    vouched(item, that)                            whether the party that commissioned it is one of them
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from app.custody.items import item_name
from app.prefixes import service as prefixes
from app.products import service as products
from ledger.custody.state import Item

Vouchers = Mapping[str, frozenset[str]]


def vouchers(connection: Connection, gtins: Iterable[str]) -> Vouchers:
    """By GTIN (14 digits), the GLNs of those that may call themselves its maker; of a GTIN that nobody knows, none."""
    wanted = sorted(set(gtins))
    if not wanted:
        return {}
    makers = products.makers(connection, wanted)
    issuers = prefixes.issuers(
        connection, wanted
    )  # a GTIN-14's indicator stands where an SSCC's extension does
    return {gtin: frozenset(filter(None, (makers.get(gtin), issuers.get(gtin)))) for gtin in wanted}


def vouched(item: Item | None, found: Vouchers) -> bool:
    """Whether who commissioned `item` is one of its GTIN's makers. Of what has no GTIN, or nobody has commissioned,
    there is nothing to vouch for."""
    gtin = item_name(item.key).gtin if item is not None else None
    if item is None or item.maker is None or not gtin:
        return True
    return item.maker in found.get(gtin, frozenset())
