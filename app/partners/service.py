"""Parties: registering them, finding whose a GLN is, and the small numbers that rows name them by.

A document may name a partner nobody has registered: it becomes an **unverified** partner, so that what it says is kept
and can be looked into; nothing it is named in counts as vouched for by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from app.errors import Conflict, Invalid, NotFound
from app.partners import licences as _licences
from app.partners.licences import NewLicence
from app.partners.models import party, site
from app.partners.places import PLACE, Address, Position
from app.partners.rules import KINDS
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln

__all__ = ["KINDS", "NewLicence", "NewSite", "Party"]


@dataclass(frozen=True, slots=True)
class Party:
    """A company as the node knows it. `address` is the street, or all of it where nobody has taken it apart."""

    party_id: int
    gln: str
    name: str
    kind: str
    verified: bool
    address: str
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    contact: str = ""

    @property
    def place(self) -> Address:
        return Address(self.address, self.city, self.state, self.postal_code, self.country)


@dataclass(frozen=True, slots=True)
class NewSite:
    """A place of a party with a GLN of its own; or with the party's own, to say where on earth that is."""

    gln: str
    name: str
    address: str = ""
    place: Address | None = None
    position: Position | None = None


_COLUMNS = (
    party.c.party_id,
    party.c.gln,
    party.c.name,
    party.c.kind,
    party.c.verified,
    *(party.c[name] for name in PLACE),
    party.c.contact,
)
# Made once: they are asked several times at every capture, and to make one takes longer than to run it.
_GLNS = bindparam("glns", expanding=True)
_BY_GLN = select(*_COLUMNS).where(party.c.gln == bindparam("gln"))
_BY_NUMBERS = select(*_COLUMNS).where(party.c.party_id.in_(bindparam("numbers", expanding=True)))
_NUMBERS_OF = select(party.c.gln, party.c.party_id).where(party.c.gln.in_(_GLNS))
_GLNS_OF = select(party.c.party_id, party.c.gln).where(
    party.c.party_id.in_(bindparam("numbers", expanding=True))
)
_OWNERS_OF = (
    select(site.c.gln, party.c.gln)
    .join(party, party.c.party_id == site.c.party_id)
    .where(site.c.gln.in_(_GLNS))
)
_ALL_PLACES_OF = (
    select(site.c.latitude_udeg, site.c.longitude_udeg)
    .join(party, party.c.party_id == site.c.party_id)
    .where(party.c.gln == bindparam("gln"))
)
_CALLED = select(party.c.gln, party.c.name).where(party.c.gln.in_(_GLNS))
_SITES_CALLED = select(site.c.gln, site.c.name).where(site.c.gln.in_(_GLNS))
_PLACES_OF = select(site.c.gln, site.c.latitude_udeg, site.c.longitude_udeg).where(site.c.gln.in_(_GLNS))


def register(
    connection: Connection,
    clock: Clock,
    gln: str,
    name: str,
    kind: str,
    *,
    address: str = "",
    place: Address | None = None,
    contact: str = "",
    sites: Iterable[NewSite] = (),
    licences: Iterable[NewLicence] = (),
) -> Party:
    """Register a party, or complete one that a document named first. Raises `Conflict` where it stands already.

    `address` is all of it in one text; `place` the same taken apart.
    """
    digits = checked_gln(gln)
    if kind not in KINDS:
        raise Invalid("party.kind", "No such kind of party", f"{kind!r}", f"use one of {', '.join(KINDS)}")
    known = by_gln(connection, digits)
    if known is not None and known.verified:
        raise Conflict("party.exists", f"{digits} is registered already", known.name)
    where = place or Address(address)
    values = {"name": name, "kind": kind, "verified": True, "contact": contact, **where.columns()}
    if known is None:
        connection.execute(insert(party).values(gln=digits, added_at=clock.now(), **values))
    else:
        connection.execute(update(party).where(party.c.party_id == known.party_id).values(**values))
    made = by_gln(connection, digits)
    assert made is not None
    for each in sites:
        set_site(connection, made, each)
    for new in licences:
        _licences.add(connection, made.party_id, made.kind, new)
    return made


def describe(connection: Connection, gln: str, place: Address | None, contact: str | None) -> Party:
    """Change where a party is, and how to reach it. Raises `NotFound`."""
    known = by_gln(connection, checked_gln(gln))
    if known is None:
        raise NotFound("No such party", gln, "packproof party list")
    values = {**(place.columns() if place else {}), **({"contact": contact} if contact is not None else {})}
    if values:
        connection.execute(update(party).where(party.c.party_id == known.party_id).values(**values))
    return by_gln(connection, known.gln) or known


def set_site(connection: Connection, owner: Party, each: NewSite) -> None:
    """Add a place of a party's, or change what is said of it. Raises `Conflict` where it is another party's."""
    digits = checked_gln(each.gln)
    taken = connection.execute(select(site.c.party_id).where(site.c.gln == digits)).scalar()
    other = by_gln(connection, digits)
    anothers = other is not None and other.verified and other.party_id != owner.party_id
    if anothers or taken not in (None, owner.party_id):
        raise Conflict("site.taken", f"{digits} is a site of another party")
    where = each.place or Address(each.address)
    values = {"name": each.name, **(where.columns() if where != Address() or taken is None else {})}
    if each.position is not None:
        values |= each.position.columns()
    if taken is None:
        connection.execute(insert(site).values(gln=digits, party_id=owner.party_id, **values))
    else:
        connection.execute(update(site).where(site.c.gln == digits).values(**values))


def positions(connection: Connection, glns: Iterable[str]) -> dict[str, Position]:
    """Where on earth the sites with these GLNs are, of those of which somebody has said it."""
    found: dict[str, Position] = {}
    for chunk in chunks(sorted(set(glns))):
        for gln, latitude, longitude in connection.execute(_PLACES_OF, {"glns": chunk}):
            if latitude is not None and longitude is not None:
                found[gln] = Position(latitude, longitude)
    return found


def places_of(connection: Connection, gln: str) -> list[Position]:
    """Where on earth all sites of the party with this GLN are; nothing where it has none, or one of them is nowhere."""
    rows = connection.execute(_ALL_PLACES_OF, {"gln": gln}).all()
    known = [
        Position(*row) for row in rows if row.latitude_udeg is not None and row.longitude_udeg is not None
    ]
    return known if len(known) == len(rows) else []


@dataclass(frozen=True, slots=True)
class Named:
    """What is known of a GLN, be it a party's own or a site's: its name, where it is, and the company it is of."""

    gln: str
    name: str
    place: Address
    company: str
    contact: str = ""


def called(connection: Connection, glns: Iterable[str]) -> dict[str, Named]:
    """Names and addresses of the parties and sites with these GLNs, of those that are known."""
    wanted = sorted(set(glns))
    found: dict[str, Named] = {}
    sites = select(site.c.gln, site.c.name, *(site.c[n] for n in PLACE), party.c.gln, party.c.contact)
    sites = sites.join(party, party.c.party_id == site.c.party_id)
    parties = select(party.c.gln, party.c.name, *(party.c[n] for n in PLACE), party.c.gln, party.c.contact)
    for chunk in chunks(wanted):
        for query, column in ((sites, site.c.gln), (parties, party.c.gln)):
            for gln, name, *where, company, contact in connection.execute(query.where(column.in_(chunk))):
                found[gln] = Named(gln, name, Address(*where), company, contact)
    return found


def checked_gln(text: str) -> str:
    """The 13 digits of a GLN. Raises `Invalid` with what is wrong."""
    try:
        return Gln.parse(text).digits
    except Gs1Error as error:
        raise Invalid("gln.invalid", f"{text!r} is no GLN", str(error), "a GLN has 13 digits") from error


def by_gln(connection: Connection, gln: str) -> Party | None:
    """The party with exactly this GLN, or None."""
    row = connection.execute(_BY_GLN, {"gln": gln}).one_or_none()
    return Party(*row) if row else None


def hold(connection: Connection, gln: str) -> None:
    """Let whoever else holds this party wait until this transaction has ended: for what may be begun only once.
    Captures that name the party do not wait. SQLite has one writer anyway."""
    query = select(party.c.party_id).where(party.c.gln == gln)
    connection.execute(query.with_for_update(key_share=True))


def by_numbers(connection: Connection, numbers: Iterable[int]) -> list[Party]:
    """The parties with these numbers."""
    found: list[Party] = []
    for chunk in chunks(sorted(set(numbers))):
        found += [Party(*row) for row in connection.execute(_BY_NUMBERS, {"numbers": chunk})]
    return found


def sites_of(connection: Connection, gln: str) -> list[tuple[str, str]]:
    """The sites of the party with this GLN, as (GLN, name), by name."""
    query = select(site.c.gln, site.c.name).join(party, party.c.party_id == site.c.party_id)
    rows = connection.execute(query.where(party.c.gln == gln).order_by(site.c.name, site.c.gln))
    return [(number, name) for number, name in rows]


def all_parties(connection: Connection) -> list[Party]:
    """Every party, by name: for the operator."""
    query = select(*_COLUMNS).order_by(party.c.name, party.c.party_id)
    return [Party(*row) for row in connection.execute(query)]


def registered(connection: Connection, most: int | None = None) -> list[Party]:
    """The parties that the operator has registered here, by name; of more than `most` the first. Nobody is shown the
    others: they are here because somebody's document names them, so who saw them would learn with whom others trade."""
    query = select(*_COLUMNS).where(party.c.verified).order_by(party.c.name, party.c.party_id).limit(most)
    return [Party(*row) for row in connection.execute(query)]


def owners_of(connection: Connection, glns: Iterable[str]) -> dict[str, str]:
    """For each of `glns` the GLN of the company it belongs to: its own where nobody has claimed it as a site."""
    found = {gln: gln for gln in glns}
    for chunk in chunks(sorted(found)):
        found |= dict(connection.execute(_OWNERS_OF, {"glns": chunk}).all())
    return found


def ids(connection: Connection, clock: Clock, names: Mapping[str, str]) -> dict[str, int]:
    """The numbers of the parties with these GLNs; `names` maps GLN to what a document calls it, or "".

    One that is not known becomes an unverified partner.
    """
    found = _known(connection, names)
    missing = [gln for gln in names if gln not in found]
    if missing:
        rows = [
            {
                "gln": gln,
                "name": names[gln] or f"Unverified partner {gln}",
                "kind": "unknown",
                "verified": False,
                "address": "",
                "added_at": clock.now(),
            }
            for gln in missing
        ]
        connection.execute(insert(party), rows)
        found = _known(connection, names)
    return found


def _known(connection: Connection, glns: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(glns))):
        found |= dict(connection.execute(_NUMBERS_OF, {"glns": chunk}).all())
    return found


def glns(connection: Connection, numbers: Iterable[int | None]) -> dict[int, str]:
    """The GLNs of the parties with these numbers."""
    found: dict[int, str] = {}
    for chunk in chunks(sorted({number for number in numbers if number is not None})):
        found |= dict(connection.execute(_GLNS_OF, {"numbers": chunk}).all())
    return found


def names(connection: Connection, glns: Iterable[str]) -> dict[str, str]:
    """What the parties and sites with these GLNs are called."""
    wanted = {"glns": list(set(glns))}
    return dict(connection.execute(_SITES_CALLED, wanted).all()) | dict(
        connection.execute(_CALLED, wanted).all()
    )


def is_licensed(connection: Connection, party_id: int, at: datetime) -> bool:
    """Whether the party was an authorized trading partner at `at` (event time, not now)."""
    standing = _licences.standings(connection, [(party_id, at)]).get((party_id, at))
    return standing is not None and standing.authorized
