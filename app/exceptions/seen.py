"""An exception that begins with what a person saw and no scanner did: a torn carton, a call, a slip of paper.

    Seen.parse({"kind": "damaged", "text": "The corner is crushed.", "partner": "0399999000017",
                "packages": ["(01)00399999001014(21)7"], "gtin": "", "lot": "", "purchase_order": "PO-7"})

It is a case as those that a scan opens: with the clock of its kind, in the way of what it names, closed by itself where
its kind is. Of what is another company's it keeps the name that was typed, and nothing of the record.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app.cases import service as cases
from app.cases.rules import Desk
from app.custody import loading
from app.errors import Invalid
from app.exceptions import service
from app.exceptions.rules import KINDS, SEEN_KINDS, OwnKind
from app.exceptions.service import OwnCase
from app.exceptions.settling import is_right
from app.history.rules import subject_of
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from app.verification.rules import concerns
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from ledger.gs1.gtin import Gtin
from ledger.store.sql.engine import Database

MOST_PACKAGES = 200
LONGEST_TEXT = 1_000  # room for what the thread says beside it
LONGEST_WORD = 60  # characters of a lot, or of a document's number
_WORDS = ("lot", "purchase_order", "despatch_advice", "once")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen. `packages`: canonical EPCs of packages and containers; `once`: the caller's own name for this
    opening, under which it opens one case however often it is sent."""

    kind: OwnKind
    text: str
    partner_gln: str = ""
    packages: tuple[str, ...] = ()
    gtin: str = ""
    lot: str = ""
    purchase_order: str = ""
    despatch_advice: str = ""
    once: str = ""

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Seen":
        """As a form or a body gives it; `packages` one a line, or a list. Raises `Invalid`."""
        kind, text = (
            str(fields.get("kind") or ""),
            str(fields.get("text") or "").replace("\r\n", "\n").strip(),
        )
        if kind not in SEEN_KINDS:
            raise Invalid("exception.kind", "Say what kind of exception it is", "", "Choose one of the list.")
        if not 1 <= len(text) <= LONGEST_TEXT:
            raise Invalid("note.length", "Say what was seen", f"1 to {LONGEST_TEXT} characters.")
        given = fields.get("packages") or ()
        lines = [line for line in (given.splitlines() if isinstance(given, str) else given) if line.strip()]
        if len(lines) > MOST_PACKAGES:
            raise _about(f"At most {MOST_PACKAGES} packages or containers, one a line.")
        words = {name: " ".join(str(fields.get(name) or "").split()) for name in _WORDS}
        if long := [name for name, value in words.items() if len(value) > LONGEST_WORD]:
            raise _about(f"{long[0].replace('_', ' ')}: at most {LONGEST_WORD} characters.")
        partner = str(fields.get("partner") or fields.get("other_partner") or "").strip()
        found = cls(
            OwnKind(kind),
            text,
            partner_gln=partners.checked_gln(partner) if partner else "",
            packages=tuple(dict.fromkeys(map(subject_of, lines))),
            gtin=_gtin(str(fields.get("gtin") or "").strip()),
            **(words | {"lot": words["lot"] or _printed_lot(lines)}),
        )
        if not (found.packages or found.gtin or found.purchase_order or found.despatch_advice):
            raise _about("Name a package or container, a product (GTIN), or a document.")
        return found

    @property
    def subject(self) -> str:
        """What it is about, in one word."""
        product = f"GTIN {self.gtin}" + (f", lot {self.lot}" if self.lot else "") if self.gtin else ""
        return next(filter(None, (*self.packages[:1], product, self.purchase_order, self.despatch_advice)))


def open_seen(database: Database, clock: Clock, actor: Actor, party_gln: str, seen: Seen) -> str:
    """Open a case of this party's about what was seen. The case's id; that of the one there is under the same `once`.
    Raises `Invalid` for the party itself as its partner, and AppError ``exception.too_many``."""
    if seen.partner_gln == party_gln:
        raise Invalid(
            "exception.partner",
            "That is your own company",
            seen.partner_gln,
            "Leave it out, or name another.",
        )
    try:
        return _open(database, clock, actor, party_gln, seen)
    except IntegrityError:
        # Somebody else has named the same new partner at the same moment, and now it is known.
        return _open(database, clock, actor, party_gln, seen)


def _open(database: Database, clock: Clock, actor: Actor, party_gln: str, seen: Seen) -> str:
    case_id = _named(party_gln, seen.once)
    with database.writing() as connection:
        partners.hold(connection, party_gln)  # sent twice at once, it opens one
        if case_id and cases.some(connection, [case_id]):
            return case_id
        service.may_open(connection, clock, actor)
        if seen.partner_gln:
            # Whom nobody has registered becomes an unverified partner, as one that a document names.
            partners.ids(connection, clock, {seen.partner_gln: ""})
        numbers = _ours(connection, seen.packages, party_gln)
        kind = KINDS[seen.kind]
        new = OwnCase(
            kind=seen.kind,
            party_gln=party_gln,
            partner_gln=seen.partner_gln or service.came_from(connection, numbers, party_gln),
            subject=seen.subject,
            items=numbers,
            epcs=seen.packages,
            detail=seen.text,
            data={
                "gtin": seen.gtin, "lot": seen.lot, "purchase_order": seen.purchase_order,
                "reference": seen.despatch_advice,
            },
            case_id=case_id,
        )  # fmt: skip
        text = f"Opened by hand: {kind.title}. {seen.text}\n{kind.next_step}"
        opened = service.open_own(connection, clock, new, actor.name, text)
        case = cases.case(connection, Desk.EXCEPTIONS, opened, party_gln)
        if is_right(connection, case):
            # The record sees nothing amiss, and a person does: data alone cannot put that right.
            cases.keep(connection, opened, {**case.data, "by_person": True})
        record(connection, clock, actor, "exception.open", subject=opened, whose=party_gln)
    return opened


def _ours(connection: Connection, packages: Iterable[str], party_gln: str) -> tuple[int, ...]:
    """The numbers of those that this party may see. What it may not is for its case as if it did not exist."""
    loaded = loading.load(connection, packages)
    world = loaded.world
    return tuple(
        loaded.ids[key]
        for key in packages
        if key in loaded.ids and concerns(world.item(key), world.outer(world.item(key)), party_gln)
    )


def _named(party_gln: str, once: str) -> str:
    """A case's id by the caller's own name for it; '' where it gave none."""
    return f"exc_{hashlib.sha256(f'{party_gln} {once}'.encode()).hexdigest()[:24]}" if once else ""


def _gtin(text: str) -> str:
    if not text:
        return ""
    try:
        return Gtin.parse(text).digits
    except Gs1Error as error:
        raise _about(f"GTIN {text[:20]!r}: {error.message}") from error


def _printed_lot(lines: Iterable[str]) -> str:
    """The lot that the first label says which says one."""
    for line in lines:
        try:
            lot = parse_scan(line.strip().encode("utf-8", "surrogatepass"), None).lot
        except Gs1Error:
            continue
        if lot:
            return lot
    return ""


def _about(why: str) -> Invalid:
    return Invalid("exception.about", "Say what it is about", why, "Correct it and send it again.")
