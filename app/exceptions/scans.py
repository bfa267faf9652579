"""An exception that begins with a scan: what the label says beside the record, as a case that is filled in already."""

from sqlalchemy import Connection

from app.cases import service as cases
from app.custody import loading
from app.exceptions import service
from app.exceptions.rules import KINDS, OwnKind
from app.exceptions.service import OwnCase
from app.partners import service as partners
from app.shared.actor import Actor
from app.shared.clock import Clock
from app.verification.kept import KeptScan, kept_scan
from app.verification.rules import expiry_on
from ledger.custody.verdict import Reason, Word
from ledger.gs1.element_string import Scan, parse_scan
from ledger.gs1.errors import Gs1Error

# Which kind of case the reason of an answer makes; what is not here makes none but by its word.
BY_REASON: dict[Reason, OwnKind] = {
    Reason.LOT_DIFFERS: OwnKind.LOT_DIFFERS,
    Reason.EXPIRY_DIFFERS: OwnKind.EXPIRY_DIFFERS,
    Reason.SHIPPED_ELSEWHERE: OwnKind.FOR_ANOTHER,
    Reason.NOT_OURS: OwnKind.NOT_ON_DOCUMENT,
    Reason.NOT_FOUND_IN_CONTAINER: OwnKind.NOT_ON_DOCUMENT,
    Reason.NO_RECORD: OwnKind.NO_DATA,
    Reason.NOT_COMMISSIONED: OwnKind.NO_DATA,
    Reason.EXPIRED: OwnKind.EXPIRED,
    Reason.RECALLED: OwnKind.RECALLED,
    Reason.HELD: OwnKind.ON_HOLD,
}
BY_WORD: dict[Word, OwnKind] = {
    Word.COULD_NOT_READ: OwnKind.LABEL,
    Word.SUSPECT: OwnKind.DOUBTFUL,
    Word.DO_NOT_USE: OwnKind.UNUSABLE,
}


def kind_of(word: Word, reason: Reason) -> OwnKind | None:
    """The kind of case that an answer makes; None where there is nothing to put right."""
    return BY_REASON.get(reason) or BY_WORD.get(word)


def open_from_scan(connection: Connection, clock: Clock, check_id: str, party_gln: str, actor: Actor) -> str:
    """Open a case about the scan with this id, which must be this party's own. The case's id; that of the one there
    is where this scan has one. Raises `NotFound`, and AppError ``exception.too_many``."""
    partners.hold(connection, party_gln)  # asked twice at once, it opens one
    scan = kept_scan(connection, check_id, party_gln)
    case_id = f"exc_{check_id.removeprefix('chk_')}"
    if cases.some(connection, [case_id]):
        return case_id
    service.may_open(connection, clock, actor)
    kind = kind_of(scan.word, scan.reason) or OwnKind.LABEL
    read = _read(scan)
    epc = read.epc.canonical if read and read.epc else ""
    numbers = tuple(loading.find_ids(connection, [epc]).values()) if epc else ()
    detail = _detail(scan, read)
    new = OwnCase(
        kind=kind,
        party_gln=party_gln,
        partner_gln=service.came_from(connection, numbers, party_gln),
        subject=epc,
        items=numbers,
        epcs=(epc,) if epc else (),
        detail=detail,
        data={"check": check_id, "lot": read.lot if read and read.lot else ""},
        case_id=case_id,
    )
    text = f"Opened from a scan: {KINDS[kind].title}. {detail} {KINDS[kind].next_step}"
    return service.open_own(connection, clock, new, actor.name, text)


def _read(scan: KeptScan) -> Scan | None:
    try:
        return parse_scan(scan.raw, scan.symbology)
    except Gs1Error:
        return None


def _detail(scan: KeptScan, read: Scan | None) -> str:
    said = f"Scanned {scan.at:%Y-%m-%d %H:%M} UTC, answer {scan.word.value}: {scan.reason.value.replace('_', ' ')}."
    if read is None:
        return said
    fields = (("lot", read.lot), ("expiry", expiry_on(read, scan.at.date())))
    label = ", ".join(f"{name} {value}" for name, value in fields if value)
    return f"{said} The label says {label}." if label else said
