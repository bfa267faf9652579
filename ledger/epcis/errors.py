"""The one error of this package: a document that is not used, with everything that is wrong in it.

A document is used whole or not at all, so its reader does not stop at the first slip: the sender of a file whose events
3 and 7 are bad should learn of both at once::

    DocumentError(bad_time): '2026-02-30T10:00:00Z' is no day of the calendar ... at /epcisBody/eventList/2/eventTime
        .problems[0].code == "bad_time", .problems[1].where == "/epcisBody/eventList/6/epcList/0"

The codes are documented in docs/reference/findings.md, under Documents; a test holds the page against the enum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.errors import LedgerError


class ProblemCode(StrEnum):
    """Why a document is not used. In order of precedence."""

    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    DOCTYPE = "doctype"
    NOT_JSON = "not_json"
    NOT_XML = "not_xml"
    DUPLICATE_NAME = "duplicate_name"
    BAD_NUMBER = "bad_number"
    BAD_TEXT = "bad_text"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    NOT_A_DOCUMENT = "not_a_document"
    UNSUPPORTED_VERSION = "unsupported_version"
    BAD_CONTEXT = "bad_context"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_MEMBER = "unknown_member"
    BAD_NAME = "bad_name"
    MISSING = "missing"
    BAD_TIME = "bad_time"
    BAD_OFFSET = "bad_offset"
    BAD_ACTION = "bad_action"
    BAD_WORD = "bad_word"
    BAD_EPC = "bad_epc"
    BAD_URI = "bad_uri"
    BAD_QUANTITY = "bad_quantity"
    BAD_SENSOR = "bad_sensor"
    EMPTY_EVENT = "empty_event"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: `where` is a JSON pointer, or a line and path for XML; empty for the document as a whole."""

    code: ProblemCode
    message: str
    where: str = ""


class ValueProblem(ValueError):
    """Inside this package: a value is wrong; whoever knows where it stands makes a `Problem` of it."""

    def __init__(self, code: ProblemCode, message: str, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where


class DocumentError(LedgerError):
    """A document cannot be used. `code`, `message` and `where` are those of the first of `problems` (20 at most)."""

    def __init__(
        self, code: ProblemCode, message: str, where: str = "", problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(f"{message} (at {where})" if where else message, code=code)
        self.where = where
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(code, message, where),)
