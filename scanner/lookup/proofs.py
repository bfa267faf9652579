"""What the evidence inside an answer proves, checked with the key this bench enrolled with.

signed by 0399999000017 (device key 'Line 1') at entry 7
received from 0399999000017 at entry 7, not signed by it
no proof
"""

from ledger.errors import LedgerError
from ledger.evidence.policy import Policy
from ledger.evidence.report import EventLine, Report
from ledger.evidence.verify import verify
from ledger.log.note import NoteVerifier
from scanner.lookup.port import Proof, ProofKind

NO_PROOF = Proof(ProofKind.NONE, "no proof: nothing here shows that its maker made it")


def prove(evidence: str | None, subject: str | None, note: str, policy: Policy) -> Proof:
    """What `evidence` proves about `subject`, the EPC that this bench itself read from the label.

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
        return _broken(f"it is about {report.subject}")
    if report.checkpoint != note:
        return _broken("it was made for another head than the one the node shows")
    return _told(report)


def policy_of(log: NoteVerifier, party: str, root: str) -> Policy:
    """The bench's policy: the log it enrolled with, and its own party's root."""
    return Policy((log,), {party: frozenset((bytes.fromhex(root),))})


def _told(report: Report) -> Proof:
    begun = next((event for event in report.events if event.one.get("bizStep") == "commissioning"), None)
    if begun is None:
        return NO_PROOF
    if begun.type == "captured":
        return Proof(ProofKind.SIGNED, f"signed by {_signers(begun)} at entry {begun.index}", begun.index)
    sender = begun.intake.get("onBehalfOf", "its sender")
    return Proof(
        ProofKind.RECEIVED, f"received from {sender} at entry {begun.index}, not signed by it", begun.index
    )


def _signers(event: EventLine) -> str:
    return " and ".join(f"{key.party} ({key.role} key '{key.label}')" for key in event.signed_by)


def _broken(why: str) -> Proof:
    return Proof(ProofKind.BROKEN, f"THE PROOF DOES NOT HOLD: {why}")
