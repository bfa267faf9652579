"""The GS1 Company Prefix inside an EPC URN: ``GCP.rest``, where the dot alone says how long the prefix is.

The length cannot be derived from the digits. A reader therefore undoes the split and drops the dot; a writer is told
the length. Two splits of one number are one number::

    0399999.000101  and  039999900.0101   ->   0399999000101
"""

from ledger.gs1.errors import Gs1Code, Gs1Error, shown

SHORTEST, LONGEST = 6, 12


def require_gcp_length(gcp_length: int) -> None:
    """Refuse a length no GS1 Company Prefix has.

    Raises:
        Gs1Error: ``company_prefix``.
    """
    if not SHORTEST <= gcp_length <= LONGEST:
        raise Gs1Error(
            Gs1Code.COMPANY_PREFIX,
            f"a GS1 Company Prefix has {SHORTEST} to {LONGEST} digits, not {gcp_length}",
        )


def split_digits(text: str, total: int, scheme: str) -> tuple[str, str]:
    """The two halves of ``GCP.rest``, which together have `total` digits in an EPC of `scheme`.

    Raises:
        Gs1Error: ``not_an_epc``, ``charset``, ``company_prefix`` or ``length``.
    """
    gcp, dot, rest = text.partition(".")
    if not dot:
        raise Gs1Error(
            Gs1Code.NOT_AN_EPC, f"a {scheme} has a company prefix, a dot and a reference: {shown(text)}"
        )
    digits = gcp + rest
    if not (digits.isascii() and digits.isdigit()):
        raise Gs1Error(Gs1Code.CHARSET, f"the numbers of a {scheme} have digits only: {shown(text)}")
    require_gcp_length(len(gcp))
    if len(digits) != total:
        raise Gs1Error(
            Gs1Code.LENGTH,
            f"company prefix and reference of a {scheme} have {total} digits together, "
            f"{shown(text)} has {len(digits)}",
        )
    return gcp, rest
