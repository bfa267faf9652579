"""What is noticed when packs are scanned: a serial that nearly is another, guessing, one pack in too many places.

The rules are those of product verification (`app.vrs.rules`); here they are given scans. A scan that its party's own
record answers is looked at no further, but for whether the pack can have got there (`travelled`).
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from app.custody import loading
from app.custody.items import ItemName, item_name
from app.custody.standing import has_anything
from app.partners import service as partners
from app.verification import rules
from app.verification.models import scan_check
from app.verification.travelled import impossible
from app.vrs.rules import GUESSING_WINDOW, HEAT_WINDOW, Asked, Sign, SignalKind, guessing, heat, near
from app.vrs.signals import Noticed
from ledger.custody.findings import Severity
from ledger.custody.verdict import Reason, Word

# What counts as a miss: the record is here and says otherwise. Data that is late is nobody's guess.
_MISSES = frozenset({Reason.NEVER_MADE.value, Reason.LOT_DIFFERS.value, Reason.EXPIRY_DIFFERS.value})
_MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scan that was answered: of which package, by the party `asker`, with which word and reason. `maker`: the
    party whose product it is, where that is known; `near`: how it differs from a known serial."""

    subject: str
    asker: str
    word: Word
    reason: Reason
    maker: str | None
    near: str
    at: datetime


def nearly(
    connection: Connection, subject: str, lot: str | None, expiry: date | None, asker: str | None
) -> str:
    """In what the package `subject`, of which there is no record, differs from one that there is; "" for none (D20).

    Only of a package that concerns `asker`, or that has the label's lot and expiry: to whoever has neither, not even
    that there is one like it is said.
    """
    name = item_name(subject)
    if not name.ns.startswith("01/"):
        return ""
    candidates = {ItemName(name.ns, serial).key: how for serial, how in near(name.serial).items()}
    world = loading.load(connection, candidates).world
    for key, how in candidates.items():
        item = world.items.get(key)
        if item is None or item.maker is None:
            continue
        # A caps lock key that changed the serial changed the lot as well.
        same = (lot or "").casefold() == (item.lot or "").casefold() and item.expiry == str(expiry)
        if (lot and same) or rules.concerns(item, world.outer(item), asker):
            return how
    return ""


def of_scan(connection: Connection, scanned: Scanned) -> list[Noticed]:
    """What this scan adds up to with those before it, in the transaction that keeps it."""
    party = scanned.maker or scanned.asker
    # Also where its party's own record answers: a copy in its holder's hands is no less a copy.
    signs: list[Sign | None] = [impossible(connection, scanned.subject, scanned.asker, scanned.at)]
    if scanned.word is Word.OK:
        return [Noticed(sign, scanned.subject, party, scanned.asker, scanned.at) for sign in signs if sign]
    if scanned.near:
        said = f"the serial that was scanned differs only in {scanned.near} from one that is known"
        signs.append(Sign(SignalKind.NEAR_DUPLICATE, Severity.EXCEPTION, said))
    signs.append(heat([scanned.asker, *_scanners(connection, scanned)]))
    if scanned.reason.value in _MISSES:
        owner = partners.by_gln(connection, scanned.asker)
        has_traded = owner is not None and has_anything(connection, owner.party_id)
        signs.append(guessing(_asked(connection, scanned), scanned.at, has_traded=has_traded))
    return [Noticed(sign, scanned.subject, party, scanned.asker, scanned.at) for sign in signs if sign]


def _scanners(connection: Connection, scanned: Scanned) -> list[str]:
    """The parties that scanned this package within a day and were not told that it is theirs and in order."""
    query = (
        select(scan_check.c.party_gln)
        .where(
            scan_check.c.subject == scanned.subject,
            scan_check.c.at > scanned.at - HEAT_WINDOW,
            scan_check.c.word != Word.OK.value,
            scan_check.c.party_gln.is_not(None),
        )
        .distinct()
        .limit(50)
    )
    return list(connection.execute(query).scalars())


def _asked(connection: Connection, scanned: Scanned) -> list[Asked]:
    """The last scans of the same party, this one among them."""
    query = (
        select(scan_check.c.at, scan_check.c.subject, scan_check.c.reason)
        .where(
            scan_check.c.party_gln == scanned.asker,
            scan_check.c.at > scanned.at - GUESSING_WINDOW,
            scan_check.c.subject.is_not(None),
        )
        .order_by(scan_check.c.at.desc())
        .limit(_MOST_LOOKED_AT)
    )
    return [_as_asked(row.at, row.subject, row.reason) for row in connection.execute(query)]


def _as_asked(at: datetime, subject: str, reason: str) -> Asked:
    name = item_name(subject)
    return Asked(at, name.gtin or "", name.serial, reason in _MISSES)
