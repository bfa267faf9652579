"""Licences, registrations and exemptions of parties: kept, judged as of a moment, and what was found kept too.

standings(connection, [(party_id, at), ...])   who was authorized then, by what is known now
keep_checks(connection, clock, ...)            that we looked, and what we found: evidence, written once
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from app.errors import Conflict, Invalid, NotFound
from app.partners.models import authorization_check, exemption, licence, party
from app.partners.rules import Duty, Exemption, Licence, LicenceKind, Standing, judge, usual_kind
from app.shared.chunks import chunks
from app.shared.clock import Clock

# Made once: they are asked at every capture of a trade, and to make one takes longer than to run it.
_NUMBERS = bindparam("numbers", expanding=True)
_LICENCES = select(licence).where(licence.c.party_id.in_(_NUMBERS)).order_by(licence.c.licence_id)
_EXEMPTIONS = select(exemption).where(exemption.c.party_id.in_(_NUMBERS)).order_by(exemption.c.exemption_id)
_KINDS = select(party.c.party_id, party.c.kind).where(party.c.party_id.in_(_NUMBERS))


@dataclass(frozen=True, slots=True)
class NewLicence:
    """What authorizes a party to trade (FD&C Act 581(2)), from when to when. `kind` None: the usual one of its party.

    `valid_until` is the first moment at which it is valid no more.
    """

    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime | None = None
    evidence: str = ""
    kind: LicenceKind | None = None
    source: str = ""
    looked_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What was found when a partner's authorization was looked at."""

    party_id: int
    as_of: datetime
    checked_at: datetime
    seq: int | None
    authorized: bool
    licence_id: int | None
    exemption_id: int | None
    why: str


def add(connection: Connection, party_id: int, party_kind: str, each: NewLicence) -> int:
    """Keep a licence; its number. It is never changed: a renewal is another one."""
    if each.valid_until is not None and each.valid_until <= each.valid_from:
        raise Invalid(
            "licence.dates",
            "A licence ends after it begins",
            f"{each.authority} {each.number}",
            "Check both days.",
        )
    result = connection.execute(
        insert(licence).values(
            party_id=party_id,
            kind=(each.kind or usual_kind(party_kind)).value,
            authority=each.authority,
            number=each.number,
            valid_from=each.valid_from,
            valid_until=each.valid_until,
            evidence=each.evidence,
            source=each.source,
            looked_up_at=each.looked_up_at,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def end(connection: Connection, licence_id: int, at: datetime, why: str) -> None:
    """Say that a licence was revoked or suspended from `at` on. Raises `NotFound`; `Conflict` where it was said."""
    if not why.strip():
        raise Invalid("licence.why", "Say why it ended", "", "--why 'revoked by the board, order 12'")
    row = connection.execute(
        select(licence.c.ended_at).where(licence.c.licence_id == licence_id)
    ).one_or_none()
    if row is None:
        raise NotFound("No such licence", str(licence_id), "packproof party licences GLN lists them")
    if row.ended_at is not None:
        raise Conflict("licence.ended", "This licence was ended already", f"{row.ended_at:%Y-%m-%d}")
    connection.execute(
        update(licence).where(licence.c.licence_id == licence_id).values(ended_at=at, ended_why=why.strip())
    )


def exempt(
    connection: Connection,
    party_id: int,
    covers: Duty,
    valid_from: datetime,
    until: datetime | None,
    reason: str,
    evidence: str,
) -> None:
    """Keep an exemption of a party's from a duty, with its reason and a link to what grants it. Raises `Invalid`."""
    if not reason.strip() or not evidence.strip():
        raise Invalid(
            "exemption.why",
            "An exemption needs its reason and its evidence",
            "",
            "Give --reason and --evidence.",
        )
    if until is not None and until <= valid_from:
        raise Invalid("exemption.dates", "An exemption ends after it begins", "", "Check both days.")
    connection.execute(
        insert(exemption).values(
            party_id=party_id,
            covers=covers.value,
            valid_from=valid_from,
            exempt_until=until,
            exempt_reason=reason.strip(),
            evidence=evidence.strip(),
        )
    )


def of_parties(connection: Connection, party_ids: Iterable[int]) -> dict[int, list[Licence]]:
    """The licences of these parties, in the order in which they were registered."""
    found: dict[int, list[Licence]] = {}
    for chunk in chunks(sorted(set(party_ids))):
        for row in connection.execute(_LICENCES, {"numbers": chunk}):
            found.setdefault(row.party_id, []).append(
                Licence(
                    row.licence_id,
                    LicenceKind(row.kind),
                    row.authority,
                    row.number,
                    row.valid_from,
                    row.valid_until,
                    row.ended_at,
                    row.ended_why,
                    row.evidence,
                    row.source,
                    row.looked_up_at,
                )
            )
    return found


def exemptions_of(connection: Connection, party_ids: Iterable[int]) -> dict[int, list[Exemption]]:
    """The exemptions of these parties, in the order in which they were registered."""
    found: dict[int, list[Exemption]] = {}
    for chunk in chunks(sorted(set(party_ids))):
        for row in connection.execute(_EXEMPTIONS, {"numbers": chunk}):
            found.setdefault(row.party_id, []).append(
                Exemption(
                    row.exemption_id,
                    Duty(row.covers),
                    row.valid_from,
                    row.exempt_until,
                    row.exempt_reason,
                    row.evidence,
                )
            )
    return found


def standings(
    connection: Connection, asked: Collection[tuple[int, datetime]]
) -> dict[tuple[int, datetime], Standing]:
    """For each (number of a party, aware time) whether it was authorized then, by what is known now."""
    numbers = {number for number, _ in asked}
    kinds: dict[int, str] = {}
    for chunk in chunks(sorted(numbers)):
        kinds |= dict(connection.execute(_KINDS, {"numbers": chunk}).all())
    licences = of_parties(connection, numbers)
    waived = exemptions_of(connection, numbers)
    return {
        (number, at): judge(kinds[number], licences.get(number, ()), waived.get(number, ()), at)
        for number, at in asked
        if number in kinds
    }


def is_exempt(connection: Connection, party_id: int, duty: Duty, at: datetime) -> bool:
    """Whether the party was exempt from `duty` at `at`."""
    return any(
        each.covers is duty and each.holds(at)
        for each in exemptions_of(connection, [party_id]).get(party_id, ())
    )


def keep_checks(
    connection: Connection,
    clock: Clock,
    found: Mapping[tuple[int, datetime], Standing],
    asked: Iterable[tuple[int | None, int, datetime]],
) -> None:
    """Write down that these were looked at: (number of the event or None, number of the party, as of when)."""
    now = clock.now()
    rows = [
        {
            "party_id": number,
            "as_of": at,
            "checked_at": now,
            "seq": seq,
            "authorized": found[number, at].authorized,
            "licence_id": _number(found[number, at].licence, "licence_id"),
            "exemption_id": _number(found[number, at].exemption, "exemption_id"),
            "why": found[number, at].why,
        }
        for seq, number, at in asked
        if (number, at) in found
    ]
    if rows:
        connection.execute(insert(authorization_check), rows)


def _number(each: Licence | Exemption | None, name: str) -> int | None:
    return None if each is None else int(getattr(each, name))


def checks_of(connection: Connection, seqs: Iterable[int]) -> dict[int, list[Check]]:
    """What was found about the partners of the events with these numbers, when they were recorded."""
    found: dict[int, list[Check]] = {}
    columns = [column for column in authorization_check.c if column.name != "check_id"]
    for chunk in chunks(sorted(set(seqs))):
        query = select(*columns).where(authorization_check.c.seq.in_(chunk))
        for row in connection.execute(query.order_by(authorization_check.c.check_id)):
            found.setdefault(row.seq, []).append(Check(*row))
    return found
