"""The GS1 check digit (GS1 General Specifications, section 7.9): one algorithm for GTIN, GLN and SSCC.

From the right, data digits weigh 3, 1, 3, 1, ...; the check digit lifts their sum to a multiple of ten::

    0031234567890  ->  6        GTIN 00312345678906
"""

from ledger.gs1.errors import Gs1Code, Gs1Error, shown


def check_digit(digits: str) -> str:
    """The check digit that belongs behind `digits` (ASCII digits only, without the check digit)."""
    codes = digits.encode("ascii")
    tripled, single = codes[::-2], codes[-2::-2]
    # An ASCII digit is 48 above its value; taking the surplus off once is quicker than converting each digit.
    total = 3 * sum(tripled) + sum(single) - 48 * (3 * len(tripled) + len(single))
    return str(-total % 10)


def has_valid_check_digit(digits: str) -> bool:
    """Whether the last of `digits` is the check digit of those before it."""
    return check_digit(digits[:-1]) == digits[-1]


def require_key(digits: str, length: int, name: str) -> None:
    """Hold `digits` against the form of the key `name`: `length` ASCII digits, the last one the check digit.

    Raises:
        Gs1Error: ``empty``, ``charset``, ``length`` or ``check_digit``.
    """
    if not digits:
        raise Gs1Error(Gs1Code.EMPTY, f"the {name} is empty")
    if not (digits.isascii() and digits.isdigit()):
        raise Gs1Error(Gs1Code.CHARSET, f"a {name} has digits only, not {shown(digits)}")
    if len(digits) != length:
        raise Gs1Error(Gs1Code.LENGTH, f"a {name} has {length} digits, {shown(digits)} has {len(digits)}")
    expected = check_digit(digits[:-1])
    if digits[-1] != expected:
        raise Gs1Error(
            Gs1Code.CHECK_DIGIT,
            f"{name} {digits} ends in {digits[-1]}, its check digit is {expected}: scan again or correct it",
        )
