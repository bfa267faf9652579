"""What may lie beside an evidence file: COSE receipts of what it shows (step 10), a time stamp of its head (step 11).

Judged after the file itself, against what was verified of it; the file needs neither.
"""

from collections.abc import Sequence

from ledger.errors import VerificationError
from ledger.evidence.policy import Policy
from ledger.evidence.receipt import ReceiptLine, StampLine, TimeStampFiles
from ledger.evidence.receipt import check as check_receipt
from ledger.evidence.report import Report
from ledger.evidence.steps import Step, at_step
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.note import NoteVerifier


def verify_receipt(data: bytes, report: Report, policy: Policy | None = None) -> ReceiptLine:
    """Step 10: what a COSE receipt proves of evidence that was verified. Raises `EvidenceRefused`."""
    with at_step(Step.RECEIPT):
        return check_receipt(data, report, policy.logs if policy else ())


def verify_time_stamp(
    stamp: TimeStampFiles, report: Report, receipts: Sequence[ReceiptLine] = (), policy: Policy | None = None
) -> StampLine:
    """Step 11: when the head that an authority stamped was there. Raises `EvidenceRefused`.

    The head is the one that the evidence seals, or one that a receipt joins to it: verified receipts are `receipts`.
    """
    # Loads X.509, which no other step needs.
    from ledger.evidence.timestamp import check as check_stamp
    from ledger.evidence.timestamp import load_certificates

    with at_step(Step.TIME_STAMP):
        keys = policy.logs if policy and policy.logs else [NoteVerifier.parse(key) for key in report.log_keys]
        head = SignedCheckpoint.open(stamp.note, keys).checkpoint
        root = head.root.hex()
        joined = (head.size, root) == (report.size, report.root) or any(
            (line.second, line.root) == (head.size, root) for line in receipts
        )
        if not joined:
            raise VerificationError(
                f"time stamp: it is of the head of {head.size} entries. Nothing here joins that to the evidence, "
                f"whose head is of {report.size}: a receipt of its entry in that tree does",
                code="time-stamp-head",
            )
        found = check_stamp(stamp.answer, stamp.note, load_certificates(stamp.certificates))
        beyond = sorted({event.index for event in report.events if event.index >= head.size})
        return StampLine(found.at.isoformat(), found.authority, head.size, tuple(beyond))
