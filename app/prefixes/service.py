"""GS1 Company Prefixes: whose a number is, as far as somebody has said it.

How long a prefix is nobody can tell from the digits (GS1 General Specifications, 1.4), so prefixes are entered, from
the company's GS1 certificate. An SSCC whose prefix is known is begun by that company alone: else whoever dates an event
early enough would hold a container before its issuer does::

    add(connection, "0399999", "0399999000017")
    issuers(connection, ["103999990000000014"])      # {"103999990000000014": "0399999000017"}
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from app.errors import Conflict, Invalid
from app.partners import service as partners
from app.prefixes.models import company_prefix
from app.shared.chunks import chunks
from ledger.gs1.company_prefix import LONGEST, SHORTEST


@dataclass(frozen=True, slots=True)
class Prefix:
    """A company prefix, and the company it is licensed to."""

    prefix: str
    gln: str


def add(connection: Connection, prefix: str, gln: str) -> Prefix:
    """Enter the prefix of the registered party with this GLN. Raises `Invalid`, `Conflict` where it is another's, or
    one is the beginning of the other: GS1 gives no two companies such prefixes."""
    if not (prefix.isascii() and prefix.isdigit() and SHORTEST <= len(prefix) <= LONGEST):
        raise Invalid(
            "prefix.invalid",
            f"{prefix!r} is no GS1 Company Prefix",
            "",
            f"it has {SHORTEST} to {LONGEST} digits",
        )
    party = partners.by_gln(connection, gln)
    if party is None:
        raise Invalid("party.unknown", f"{gln} is not registered", "", "register it: packproof party add")
    for known in all_prefixes(connection):
        if known == Prefix(prefix, gln):
            return known
        if known.prefix.startswith(prefix) or prefix.startswith(known.prefix):
            raise Conflict("prefix.taken", f"{known.prefix} is entered for {known.gln} already")
    connection.execute(insert(company_prefix).values(prefix=prefix, party_id=party.party_id))
    return Prefix(prefix, gln)


def all_prefixes(connection: Connection) -> list[Prefix]:
    """Every prefix, ascending."""
    rows = connection.execute(
        select(company_prefix.c.prefix, company_prefix.c.party_id).order_by(company_prefix.c.prefix)
    ).all()
    glns = partners.glns(connection, {row.party_id for row in rows})
    return [Prefix(row.prefix, glns[row.party_id]) for row in rows]


_AMONG = select(company_prefix.c.prefix, company_prefix.c.party_id).where(
    company_prefix.c.prefix.in_(bindparam("prefixes", expanding=True))
)


def issuers(connection: Connection, ssccs: Iterable[str]) -> dict[str, str]:
    """For those of these SSCCs (18 digits) whose prefix is known, the GLN of the company that issues them."""
    lengths = range(SHORTEST, LONGEST + 1)
    wanted = list(ssccs)
    found: dict[str, int] = {}
    # The extension digit comes before the prefix.
    for chunk in chunks(sorted({sscc[1 : 1 + length] for sscc in wanted for length in lengths})):
        found |= dict(connection.execute(_AMONG, {"prefixes": chunk}).all())
    if not found:
        return {}
    glns = partners.glns(connection, set(found.values()))
    return {
        sscc: glns[found[sscc[1 : 1 + length]]]
        for sscc in wanted
        for length in lengths
        if sscc[1 : 1 + length] in found
    }
