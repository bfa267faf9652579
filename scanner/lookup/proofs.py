"""What the evidence inside an answer proves, checked with the key this bench enrolled with.

signed by 0399999000017 (root pinned by your policy, device key 'Line 1') at entry 7
signed by 0399999000017 (by this node's word, device key 'Line 1') at entry 7
received from 0399999000017 at entry 7, not signed by it
THE LABEL DIFFERS: lot L8 on it, lot L7 signed by ...
no proof: the lot is not shown, and fields are hidden at entry 7
no proof

The event must have begun this very package: evidence may hold the story of whatever the package was in, too. What is
proven of lot and expiry is held against what the bench itself read: a copied serial on another lot's carton passes a
node that has been tampered with, and not this. So what the node hides of them is not proven by the rest.
"""

import json
from dataclasses import dataclass, replace
from typing import Final

from ledger.custody.verdict import Reason
from ledger.custody.vocabulary import Action, EventType
from ledger.errors import LedgerError
from ledger.evidence.policy import Policy
from ledger.evidence.report import EventLine, Report
from ledger.evidence.verify import verify
from ledger.evidence.words import plain
from ledger.gs1.dates import ExpiryDate, parse_iso_date
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from ledger.log.note import NoteVerifier
from scanner.lookup.port import Proof, ProofKind
from scanner.sources import RawScan

_LOT: Final = "ilmd/urn:epcglobal:cbv:mda#lotNumber"
_EXPIRY: Final = "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate"

NO_PROOF = Proof(ProofKind.NONE, "no proof: nothing here shows that its maker made it")


@dataclass(frozen=True, slots=True)
class Printed:
    """Lot and expiry as this bench read them from the label, where it has them."""

    lot: str | None = None
    expiry: ExpiryDate | None = None

    @classmethod
    def of(cls, scan: RawScan) -> "Printed":
        """What the label says; nothing where it cannot be read."""
        try:
            found = parse_scan(scan.data, scan.symbology)
        except Gs1Error:
            return cls()
        return cls(found.lot, found.expiry)


_NOTHING: Final = Printed()


def prove(
    evidence: str | None, subject: str | None, note: str, policy: Policy, printed: Printed = _NOTHING
) -> Proof:
    """What `evidence` proves about `subject`, the EPC that this bench itself read from the label, and `printed` on it.

    `note` is the checkpoint that was just accepted: evidence against another one is not believed. Never raises: a
    proof that does not hold is a finding, and the verdict stands beside it.
    """
    if evidence is None or subject is None:
        return NO_PROOF
    try:
        report = verify(evidence.encode("utf-8"), policy)
    except (LedgerError, ValueError) as error:
        return _broken(str(error))
    if report.subject != subject:
        return _broken(f"it is about {plain(report.subject)}")
    if report.checkpoint != note:
        return _broken("it was made for another head than the one the node shows")
    return _told(report, printed)


def policy_of(log: NoteVerifier, party: str, root: str) -> Policy:
    """The bench's policy: the log it enrolled with, and its own party's root."""
    return Policy((log,), {party: frozenset((bytes.fromhex(root),))})


def _told(report: Report, printed: Printed) -> Proof:
    begun = next((event for event in report.events if _begins(event, report.subject)), None)
    if begun is None:
        return NO_PROOF
    if begun.declared_wrong:
        return _broken("what begins its life there is declared to be wrong")
    if begun.unnamed:
        # Whoever runs the node can make a key of nobody's and have it sign.
        return Proof(ProofKind.NONE, "no proof: who is said to have made it is not named", begun.index)
    if begun.may_retract:
        return _broken("whether it was taken back is hidden")
    if begun.type == "captured":
        proof = Proof(ProofKind.SIGNED, f"signed by {_signers(begun)} at entry {begun.index}", begun.index)
        if begun.in_doubt:
            doubt = "IN DOUBT: ITS OWNER HOLDS THAT KEY, OR ONE THAT REGISTERED IT, FOR STOLEN BY THEN"
            proof = replace(proof, text=f"{proof.text}; {doubt}")
    else:
        sender = begun.intake.get("onBehalfOf", "its sender")
        text = f"received from {sender} at entry {begun.index}, not signed by it"
        proof = Proof(ProofKind.RECEIVED, text, begun.index)
    return _held_against(printed, begun, proof)


def _begins(event: EventLine, subject: str) -> bool:
    """Whether `subject` itself is commissioned by the event, as custody's rules have it (`ledger.custody.rules`), by
    what is shown. An event of something that only held it says nothing of who made it."""
    if event.one.get("bizStep") != "commissioning":
        return False
    if event.one.get("type") == EventType.TRANSFORMATION:
        return subject in event.many.get("outputEPCList", ())
    is_new = event.one.get("type") == EventType.OBJECT and event.one.get("action") == Action.ADD
    return is_new and subject in event.many.get("epcList", ())


def _held_against(printed: Printed, begun: EventLine, proof: Proof) -> Proof:
    """`proof`, or what differs between the label and what it proves, or what of the label it leaves open.

    What the label does not say differs in nothing, and neither does what an event without hidden fields does not say.
    """
    lot, expiry = _text(begun.one.get(_LOT)), _text(begun.one.get(_EXPIRY))
    if lot is not None and printed.lot is not None and lot != printed.lot:
        said, reason = f"lot {plain(printed.lot)} on it, lot {plain(lot)}", Reason.LOT_DIFFERS
    elif expiry is not None and printed.expiry is not None and not _same_day(printed.expiry, expiry):
        said, reason = f"expiry {printed.expiry} on it, {plain(expiry)}", Reason.EXPIRY_DIFFERS
    else:
        open_lot = printed.lot is not None and lot is None and _left_open("lot", _LOT, begun)
        open_expiry = printed.expiry is not None and expiry is None and _left_open("expiry", _EXPIRY, begun)
        return open_lot or open_expiry or proof
    return Proof(ProofKind.DIFFERS, f"THE LABEL DIFFERS: {said} {proof.text}", proof.index, reason)


def _left_open(what: str, path: str, begun: EventLine) -> Proof | None:
    """No proof of this label, where `what` on it may be another than its maker's; None where its maker gave none."""
    if path not in begun.one and not begun.hidden:
        return None
    why = "cannot be read" if path in begun.one else "is not shown, and fields are hidden"
    return Proof(ProofKind.NONE, f"no proof: the {what} {why} at entry {begun.index}", begun.index)


def _same_day(printed: ExpiryDate, proven: str) -> bool:
    try:
        day = parse_iso_date(proven)
        # A label has no century: read beside the proven day it has the one that makes them nearest.
        return printed.on(day) == day
    except Gs1Error:
        return False


def _text(value: str | None) -> str | None:
    """The text in an ILMD value, which is JSON; None where it holds none."""
    try:
        found = json.loads(value) if value is not None else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _signers(event: EventLine) -> str:
    return " and ".join(key.who() for key in event.signed_by)


def _broken(why: str) -> Proof:
    return Proof(ProofKind.BROKEN, f"THE PROOF DOES NOT HOLD: {why}")
