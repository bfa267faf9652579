"""The one error of this package: a text that should be a GS1 identifier, and is not.

A caller shows ``message`` to a person and decides by ``code``, which never changes once published::

    Gs1Error(separator_missing): the serial (21) 'ABC17280531' may hide ...

The enum is closed, and in order of precedence: of two things wrong with one text, the earlier is reported.
"""

from enum import StrEnum


class Gs1Code(StrEnum):
    """What is wrong. In order of precedence."""

    EMPTY = "empty"
    """Nothing was given."""
    TOO_LONG = "too_long"
    """The whole text is longer than any symbol or URI we read."""
    NOT_AI_DATA = "not_ai_data"
    """The symbol does not carry GS1 element strings (plain Code 128, plain Data Matrix, free text)."""
    NOT_AN_EPC = "not_an_epc"
    """Neither an EPC URN, nor a Digital Link, nor any other URI that CBV allows as an identifier."""
    BAD_ESCAPE = "bad_escape"
    """A percent sign that is not followed by two hexadecimal digits."""
    COMPANY_PREFIX = "company_prefix"
    """A GS1 Company Prefix of fewer than 6 or more than 12 digits."""
    UNKNOWN_AI = "unknown_ai"
    """No Application Identifier starts here."""
    SEPARATOR_MISSING = "separator_missing"
    """A variable value may have swallowed the elements after it: the reader probably drops GS."""
    LENGTH = "length"
    """A value is shorter or longer than its format allows, or empty."""
    CHARSET = "charset"
    """A character that the format does not allow."""
    CHECK_DIGIT = "check_digit"
    """The check digit does not follow from the digits before it."""
    BAD_DATE = "bad_date"
    """Not a day of the calendar, or not written as the format wants it."""
    BAD_NDC = "bad_ndc"
    """Not a National Drug Code, or one whose segments cannot be told."""
    DUPLICATE_AI = "duplicate_ai"
    """One Application Identifier twice with different values."""
    AI_CONFLICT = "ai_conflict"
    """Two Application Identifiers that must not stand together, e.g. (01) and (02)."""
    AI_REQUIRED = "ai_required"
    """An Application Identifier that means nothing without another one, e.g. (21) without (01)."""
    LINK_STRUCTURE = "link_structure"
    """A Digital Link with its parts in the wrong order or place."""


class Gs1Error(ValueError):
    """A text is not what it should be: `code` for programs, `message` for people."""

    def __init__(self, code: Gs1Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def shown(text: str, limit: int = 60) -> str:
    """`text` as an error message may quote it: escaped, and cut to `limit` characters."""
    return repr(text if len(text) <= limit else text[:limit] + "…")
