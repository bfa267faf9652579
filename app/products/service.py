"""Products: what a GTIN is, learned from master data or registered by its maker, and who answers for its serials."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from app.errors import Invalid
from app.partners.models import party
from app.products.models import IS_LIMITED, product, product_partner
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.epcis.document import ProductMaster
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin


@dataclass(frozen=True, slots=True)
class Product:
    """What people read about a GTIN. `maker` is the GLN of its maker where that is a party on this node."""

    gtin: str
    name: str
    ndc: str
    manufacturer: str
    dosage_form: str
    strength: str
    net_content: str
    maker: str | None

    @property
    def title(self) -> str:
        """Name and strength in one line."""
        return " ".join(part for part in (self.name, self.strength) if part) or f"GTIN {self.gtin}"


@dataclass(frozen=True, slots=True)
class Market:
    """Where a product may be sold and to whom: countries (ISO 3166-1 alpha-2) and companies (GLN); empty: to all."""

    countries: frozenset[str] = frozenset()
    companies: frozenset[str] = frozenset()

    @property
    def is_limited(self) -> bool:
        return bool(self.countries or self.companies)

    def against(self, gtin: str, gln: str, name: str, country: str) -> list[str]:
        """Why this product is not for a customer, in words; empty where it is."""
        found = []
        if self.companies and gln not in self.companies:
            found.append(f"GTIN {gtin} is not sold to {name}")
        if self.countries and country and country not in self.countries:
            found.append(f"GTIN {gtin} is for {', '.join(sorted(self.countries))}, {name} is in {country}")
        return found


# Made once: asked at every capture.
_MAKERS = (
    select(product.c.gtin, party.c.gln)
    .join(party, party.c.party_id == product.c.maker_id)
    .where(product.c.gtin.in_(bindparam("gtins", expanding=True)))
)
_LIMITED = (
    select(product_partner.c.gtin).limit(1),
    select(product.c.gtin).where(IS_LIMITED).limit(1),
)
_TEXTS = ("ndc", "name", "manufacturer", "dosage_form", "strength", "net_content")


def learn(connection: Connection, clock: Clock, found: Iterable[ProductMaster], by_id: int) -> None:
    """Take over master data that a party's document brought.

    The product's maker has the last word; others only fill in what nobody has said.
    """
    for master in found:
        values = {name: getattr(master, name) or "" for name in _TEXTS}
        row = connection.execute(select(product).where(product.c.gtin == master.gtin)).one_or_none()
        if row is None:
            connection.execute(
                insert(product).values(gtin=master.gtin, maker_id=None, updated_at=clock.now(), **values)
            )
            continue
        is_maker = row.maker_id == by_id
        changes = {
            name: value
            for name, value in values.items()
            if value and value != getattr(row, name) and (is_maker or not getattr(row, name))
        }
        if changes:
            connection.execute(
                update(product).where(product.c.gtin == master.gtin).values(updated_at=clock.now(), **changes)
            )


def register(connection: Connection, clock: Clock, gtin: str, maker_gln: str, **texts: str) -> None:
    """Say that the party `maker_gln` makes this GTIN: from now on only it gives it serials, and it answers for them."""
    digits = _checked(gtin)
    maker_id = connection.execute(select(party.c.party_id).where(party.c.gln == maker_gln)).scalar()
    if maker_id is None:
        raise Invalid(
            "party.unknown", f"{maker_gln} is not registered", "", "register it: packproof party add"
        )
    values = {name: texts.get(name, "") for name in _TEXTS}
    known = connection.execute(select(product.c.gtin).where(product.c.gtin == digits)).scalar()
    if known is None:
        connection.execute(
            insert(product).values(gtin=digits, maker_id=maker_id, updated_at=clock.now(), **values)
        )
    else:
        changes = {name: value for name, value in values.items() if value}
        connection.execute(
            update(product)
            .where(product.c.gtin == digits)
            .values(maker_id=maker_id, updated_at=clock.now(), **changes)
        )


def _checked(gtin: str) -> str:
    try:
        return Gtin.parse(gtin).digits
    except Gs1Error as error:
        raise Invalid(
            "gtin.invalid", f"{gtin!r} is no GTIN", str(error), "a GTIN has 8, 12, 13 or 14 digits"
        ) from error


_BY_GTINS = (
    select(product, party.c.gln.label("maker"))
    .outerjoin(party, party.c.party_id == product.c.maker_id)
    .where(product.c.gtin.in_(bindparam("gtins", expanding=True)))
)


def by_gtins(connection: Connection, gtins: Iterable[str]) -> dict[str, Product]:
    """The products with these GTINs, by GTIN."""
    return {
        row.gtin: Product(
            row.gtin,
            row.name,
            row.ndc,
            row.manufacturer,
            row.dosage_form,
            row.strength,
            row.net_content,
            row.maker,
        )
        for row in connection.execute(_BY_GTINS, {"gtins": list(set(gtins))})
    }


def allow(connection: Connection, gtin: str, countries: Iterable[str], companies: Iterable[str]) -> None:
    """Say for which countries a product is, and which companies alone may own it: each list replaces the one before.

    Raises `Invalid` for an unknown product, company or country.
    """
    digits = _checked(gtin)
    words = sorted(set(countries))
    for word in words:
        if not (len(word) == 2 and word.isascii() and word.isalpha() and word.isupper()):
            raise Invalid("product.country", f"{word!r} is no country", "", "Two capitals of ISO 3166-1: US")
    changed = connection.execute(
        update(product).where(product.c.gtin == digits).values(market=" ".join(words))
    )
    if not changed.rowcount:
        raise Invalid("product.unknown", "This product is not registered", digits, "packproof product add")
    numbers: list[int] = []
    for gln in sorted(set(companies)):
        number = connection.execute(select(party.c.party_id).where(party.c.gln == gln)).scalar()
        if number is None:
            raise Invalid("party.unknown", f"{gln} is not registered", "", "register it: packproof party add")
        numbers.append(number)
    connection.execute(delete(product_partner).where(product_partner.c.gtin == digits))
    if numbers:
        connection.execute(insert(product_partner), [{"gtin": digits, "party_id": each} for each in numbers])


def markets(connection: Connection, gtins: Iterable[str]) -> dict[str, Market]:
    """Where these products may be sold and to whom, by GTIN, of those that are known."""
    found: dict[str, Market] = {}
    listed = select(product_partner.c.gtin, party.c.gln).join(
        party, party.c.party_id == product_partner.c.party_id
    )
    for chunk in chunks(sorted(set(gtins))):
        companies: dict[str, set[str]] = {}
        for gtin, gln in connection.execute(listed.where(product_partner.c.gtin.in_(chunk))):
            companies.setdefault(gtin, set()).add(gln)
        query = select(product.c.gtin, product.c.market).where(product.c.gtin.in_(chunk))
        for gtin, text in connection.execute(query):
            found[gtin] = Market(frozenset(text.split()), frozenset(companies.get(gtin, ())))
    return found


def any_limited(connection: Connection) -> bool:
    """Whether there is a product at all that is not for everybody: two looks at an index."""
    return any(connection.execute(query).first() is not None for query in _LIMITED)


def makers(connection: Connection, gtins: Iterable[str]) -> dict[str, str]:
    """For those of `gtins` whose maker is on this node, its GLN."""
    found: dict[str, str] = {}
    for chunk in chunks(sorted(set(gtins))):
        found |= dict(connection.execute(_MAKERS, {"gtins": chunk}).all())
    return found


def search(connection: Connection, text: str, limit: int = 20) -> list[str]:
    """GTINs whose name or NDC begins with `text`."""
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    query = select(product.c.gtin).where(
        or_(product.c.name.ilike(pattern, escape="\\"), product.c.ndc.ilike(pattern, escape="\\"))
    )
    return list(connection.execute(query.order_by(product.c.gtin).limit(limit)).scalars())
