"""Parties: registering them, finding whose a GLN is, and the small numbers that rows name them by.

A document may name a partner nobody has registered: it becomes an **unverified** partner, so that what it says is kept
and can be looked into; nothing it is named in counts as vouched for by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, or_, select, update

from app.errors import Conflict, Invalid
from app.partners.models import licence, party, site
from app.shared.chunks import chunks
from app.shared.clock import Clock
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gln import Gln

KINDS = ("maker", "repackager", "wholesaler", "3pl", "dispenser", "unknown")


@dataclass(frozen=True, slots=True)
class Party:
    """A company as the node knows it."""

    party_id: int
    gln: str
    name: str
    kind: str
    verified: bool
    address: str


@dataclass(frozen=True, slots=True)
class NewSite:
    """A place of a party with a GLN of its own."""

    gln: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class NewLicence:
    """What authorizes a party to trade (FD&C Act 581(2)), from when to when."""

    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime | None = None
    evidence: str = ""


_COLUMNS = (party.c.party_id, party.c.gln, party.c.name, party.c.kind, party.c.verified, party.c.address)


def register(
    connection: Connection,
    clock: Clock,
    gln: str,
    name: str,
    kind: str,
    *,
    address: str = "",
    sites: Iterable[NewSite] = (),
    licences: Iterable[NewLicence] = (),
) -> Party:
    """Register a party, or complete one that a document named first. Raises `Conflict` where it stands already."""
    digits = checked_gln(gln)
    if kind not in KINDS:
        raise Invalid("party.kind", "No such kind of party", f"{kind!r}", f"use one of {', '.join(KINDS)}")
    known = by_gln(connection, digits)
    if known is not None and known.verified:
        raise Conflict("party.exists", f"{digits} is registered already", known.name)
    values = {"name": name, "kind": kind, "verified": True, "address": address}
    if known is None:
        connection.execute(insert(party).values(gln=digits, added_at=clock.now(), **values))
    else:
        connection.execute(update(party).where(party.c.party_id == known.party_id).values(**values))
    made = by_gln(connection, digits)
    assert made is not None
    for place in sites:
        _add_site(connection, made, place)
    for each in licences:
        connection.execute(
            insert(licence).values(
                party_id=made.party_id,
                authority=each.authority,
                number=each.number,
                valid_from=each.valid_from,
                valid_until=each.valid_until,
                evidence=each.evidence,
            )
        )
    return made


def _add_site(connection: Connection, owner: Party, place: NewSite) -> None:
    digits = checked_gln(place.gln)
    taken = connection.execute(select(site.c.party_id).where(site.c.gln == digits)).scalar()
    if taken is not None and taken != owner.party_id:
        raise Conflict("site.taken", f"{digits} is a site of another party")
    if taken is None:
        connection.execute(
            insert(site).values(gln=digits, party_id=owner.party_id, name=place.name, address=place.address)
        )


def checked_gln(text: str) -> str:
    """The 13 digits of a GLN. Raises `Invalid` with what is wrong."""
    try:
        return Gln.parse(text).digits
    except Gs1Error as error:
        raise Invalid("gln.invalid", f"{text!r} is no GLN", str(error), "a GLN has 13 digits") from error


def by_gln(connection: Connection, gln: str) -> Party | None:
    """The party with exactly this GLN, or None."""
    row = connection.execute(select(*_COLUMNS).where(party.c.gln == gln)).one_or_none()
    return Party(*row) if row else None


def all_parties(connection: Connection) -> list[Party]:
    """Every party, by name."""
    return [Party(*row) for row in connection.execute(select(*_COLUMNS).order_by(party.c.name))]


def owners_of(connection: Connection, glns: Iterable[str]) -> dict[str, str]:
    """For each of `glns` the GLN of the company it belongs to: its own where nobody has claimed it as a site."""
    found = {gln: gln for gln in glns}
    query = select(site.c.gln, party.c.gln).join(party, party.c.party_id == site.c.party_id)
    for chunk in chunks(sorted(found)):
        found |= dict(connection.execute(query.where(site.c.gln.in_(chunk))).all())
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
    query = select(party.c.gln, party.c.party_id)
    for chunk in chunks(sorted(set(glns))):
        found |= dict(connection.execute(query.where(party.c.gln.in_(chunk))).all())
    return found


def glns(connection: Connection, numbers: Iterable[int | None]) -> dict[int, str]:
    """The GLNs of the parties with these numbers."""
    found: dict[int, str] = {}
    query = select(party.c.party_id, party.c.gln)
    for chunk in chunks(sorted({number for number in numbers if number is not None})):
        found |= dict(connection.execute(query.where(party.c.party_id.in_(chunk))).all())
    return found


def names(connection: Connection, glns: Iterable[str]) -> dict[str, str]:
    """What the parties and sites with these GLNs are called."""
    wanted = list(set(glns))
    found = dict(connection.execute(select(site.c.gln, site.c.name).where(site.c.gln.in_(wanted))).all())
    found |= dict(connection.execute(select(party.c.gln, party.c.name).where(party.c.gln.in_(wanted))).all())
    return found


def is_licensed(connection: Connection, party_id: int, at: datetime) -> bool:
    """Whether a licence of the party was valid at `at` (event time, not now)."""
    query = select(licence.c.licence_id).where(
        licence.c.party_id == party_id,
        licence.c.valid_from <= at,
        or_(licence.c.valid_until.is_(None), licence.c.valid_until > at),
    )
    return connection.execute(query.limit(1)).scalar() is not None
