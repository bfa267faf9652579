"""What the scan of a sample says about a package that is held anyway: confirmed, different from the record, or nothing.

judged(result)      (CONFIRMED, "serial 77, lot A1 and expiry 2028-05-31 are those on record.")
"""

from app.verification.service import Result
from ledger.custody.verdict import Reason

CONFIRMED, DIFFERS = "verified", "differs"
# What a scan of a sample may bring up against a package that is held anyway.
_AGAINST = frozenset(
    {
        Reason.TWO_CUSTODIANS,
        Reason.IMPOSSIBLE_TRAVEL,
        Reason.SEEN_AFTER_END,
        Reason.NEVER_MADE,
        Reason.LOT_DIFFERS,
        Reason.EXPIRY_DIFFERS,
        Reason.DECOMMISSIONED,
        Reason.ENDED_HERE,
    }
)
_UNANSWERED = frozenset(
    {Reason.NO_RECORD, Reason.NOT_COMMISSIONED, Reason.IN_PROGRESS, Reason.OFFLINE_TOO_OLD}
)


def judged(result: Result) -> tuple[str, str]:
    """The state of a package after its scan, and what it is called: '' where nobody could tell.

    It is verified by lot and expiry too (FD&C Act 582(d)(4)(A)(ii)(II)): a label that was not read whole tells nothing.
    """
    reasons = {result.verdict.reason, *result.verdict.others}
    if against := sorted(reason.value.replace("_", " ") for reason in reasons & _AGAINST):
        return DIFFERS, f"{', '.join(against)}."
    if reasons & _UNANSWERED or result.record is None:
        return "", "its maker's data is not here; it could not be verified."
    label, on_record = result.label, result.record
    for what, read, known in (
        ("lot", label.lot, on_record.lot),
        ("expiry", label.expiry, on_record.expiry),
    ):
        if not read or not known:
            where = "the record has" if read else "what was read has"
            return "", f"{where} no {what}: it does not count as verified. Scan the whole label."
    return CONFIRMED, f"serial {label.serial}, lot {label.lot} and expiry {label.expiry} are those on record."
