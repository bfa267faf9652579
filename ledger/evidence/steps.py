"""The numbered steps of verification, and the refusal that names the first that failed.

1 to 9 are those of an evidence file (`ledger.evidence.verify`), 10 and 11 of what may lie beside it
(`ledger.evidence.beside`): docs/formats/evidence.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from ledger.errors import LedgerError, VerificationError


class Step(IntEnum):
    """The steps, numbered as on the page."""

    FILE = 1
    CHECKPOINT = 2
    INCLUSION = 3
    ENTRY = 4
    KEYS = 5
    SIGNATURES = 6
    FIELDS = 7
    SUBJECT = 8
    DIGEST = 9
    RECEIPT = 10  # of files beside it, where they are given
    TIME_STAMP = 11


class EvidenceRefused(VerificationError):
    """Evidence that does not hold: `step` that failed, `index` of the entry and `path` of the field where known."""

    def __init__(self, step: Step, cause: LedgerError, index: int | None, path: str | None) -> None:
        where = "" if index is None else f", entry {index}"
        where += "" if path is None else f", {path}"
        super().__init__(f"step {step.value} ({step.name.lower()}){where}: {cause.message}", code=cause.code)
        self.step = step
        self.index = index
        self.path = path


@contextmanager
def at_step(step: Step, index: int | None = None, path: str | None = None) -> Iterator[None]:
    """What fails inside is refused under this step, with the entry and the field where they are known."""
    try:
        yield
    except EvidenceRefused:
        raise
    except LedgerError as error:
        raise EvidenceRefused(step, error, index, path) from None
