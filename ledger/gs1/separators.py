"""Finding a lost separator: when may the last value have swallowed what came after it?

A keyboard wedge that drops GS turns ``21 ABC <GS> 17 280531 10 L1`` into ``21ABC1728053110L1``, which reads as one
long serial. It drops every GS, so the value that swallowed the rest is always the last, and whatever the label
still carries lies inside it. The rule, exactly:

1. Only the last element is in doubt, if it is free text - (10), (21), (22), (235), (240), (241), (250), (251), (710)
   to (717) - and no GS ends it; or any variable element whose value is wrong as it stands.
2. Missing is what a medicine's label carries - (01), (17), (10), (21) - or, where (02) stands, (37), and was not read.
3. The value is refused if it can be cut in two so that the second part reads, to its end, as missing elements:
   each at most once; (17) only with a day of the calendar; (01) only with its check digit right.
4. Where a GS stood elsewhere in the data, the reader does transmit separators. Then the second part must hold
   a (17) or an (01), whose date or check digit is hard to hit by chance; free text behind ``10`` or ``21`` is not
   enough.

A scan with (01), (17), (10) and (21) in any order is never in doubt: nothing is missing. A genuine label with (01)
and (21) alone whose serial could hide more *is* refused: nobody can tell, so a person types it in the form
``(01)...(21)...``, which is never in doubt::

    01 00312345678906 21 ABC17280531          refused: serial ABC, expiry 280531?
    01 00312345678906 21 ABC<GS> 17 280531    read
"""

from collections.abc import Sequence, Set

from ledger.gs1.ai_table import Ai
from ledger.gs1.check_digit import has_valid_check_digit
from ledger.gs1.dates import ExpiryDate
from ledger.gs1.errors import Gs1Code, Gs1Error, shown

_LABEL = frozenset({"01", "17", "10", "21"})
_LOGISTIC = frozenset({"37"})
_FREE_TEXT = frozenset({"10", "21", "22", "235", "240", "241", "250", "251", *(f"71{n}" for n in range(8))})
_LONGEST_LOOK = 120
_FREE = frozenset({"10", "21"})
_FREE_LENGTH = 20


def require_no_hidden_elements(
    ai: Ai, value: str, before: Sequence[tuple[str, str]], *, separated: bool
) -> None:
    """Refuse `value`, the last of a scan, if elements that the scan lacks may hide in it.

    Args:
        ai: the identifier of the last element. value: its value as far as the data goes.
        before: the elements read before it. separated: whether a GS stood anywhere in the data.

    Raises:
        Gs1Error: ``separator_missing``.
    """
    present = {code for code, _ in before} | {ai.code}
    if not present & (_LABEL | {"02"}) or (ai.code not in _FREE_TEXT and _holds(ai, value)):
        return
    missing = (_LOGISTIC if "02" in present else _LABEL) - present
    # No label is longer; a bound keeps hostile input cheap.
    for cut in range(1, min(len(value), _LONGEST_LOOK)):
        tail = value[cut:]
        if _reads_as(tail, missing, proof_needed=separated):
            raise Gs1Error(
                Gs1Code.SEPARATOR_MISSING,
                f"({ai.code}) {shown(value)} may have swallowed {shown(tail)}: the reader seems to drop the separator "
                f"GS. Set it to transmit GS, or type the label as (01)...(21)...",
            )


def _reads_as(tail: str, missing: Set[str], *, proof_needed: bool) -> bool:
    """Whether `tail` reads to its end as elements of `missing`, one of them with proof where that is needed."""
    if not tail:
        return not proof_needed
    code, rest = tail[:2], tail[2:]
    if code not in missing:
        return False
    others = missing - {code}
    if code == "17":
        return _is_day(rest[:6]) and _reads_as(rest[6:], others, proof_needed=False)
    if code == "01":
        return _is_gtin(rest[:14]) and _reads_as(rest[14:], others, proof_needed=False)
    if code == "37":
        return rest.isdigit() and len(rest) <= 8
    if code in _FREE:
        return any(
            _reads_as(rest[end:], others, proof_needed=proof_needed)
            for end in range(1, min(len(rest), _FREE_LENGTH) + 1)
        )
    return False


def _holds(ai: Ai, value: str) -> bool:
    try:
        ai.check(value)
    except Gs1Error:
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        ExpiryDate(text)
    except Gs1Error:
        return False
    return True


def _is_gtin(text: str) -> bool:
    return len(text) == 14 and text.isdigit() and has_valid_check_digit(text)
