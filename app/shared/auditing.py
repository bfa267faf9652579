"""What an audit of stored rows is given: one snapshot, the ledger's reader, the report, and how to say how far it is.

A feature whose tables stand on the ledger has a module `audit.py`, named once in `AUDITS` of `app/proofs/fsck.py`::

    def check(context: AuditContext) -> None:
        for row in ...:                                    # in little memory, however many rows there are
            context.counts["time stamps"] += 1
            if row.size != size:
                context.add("I9", "time_stamp", str(row.day), "size", str(size), str(row.size))
            context.tell("time stamps", done, total)

A check trusts nothing because it is stored: it computes what must be there from entries and raw documents. One row that
is wrong is one finding, and the check goes on with the next.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from ledger.errors import LedgerError
from ledger.log.entry import Entry
from ledger.log.policy import LogPolicy
from ledger.signing.aside import commitment_of
from ledger.signing.statement import Statement
from ledger.store.findings import FsckFinding, FsckReport
from ledger.store.sql.reader import SqlReader

Progress = Callable[[str, int, int], None]
"""(what is being checked, rows done, rows there are)."""

_RESTS = {
    "document": "its events, and everything projected from them",
    "event": "the event, and everything projected from it",
    "event_epc": "the history of the items it names",
    "party_key": "every signature by this key",
    "endorsement": "whether its party has signed the event",
    "exception_case": "the work at the exceptions desk",
    "chain_link": "which numbers of its device are missing or stand twice, and which parked act was adopted",
    "parked": "whether its party can adopt what its key signed after its end",
    "cosig": "who has seen this head, and evidence that shows it",
    "inbox_event": "an event of a long document that is not applied yet",
}


@dataclass(frozen=True, slots=True)
class AuditContext:
    """One audit. `connection` sees one snapshot; `origin` and `data_dir` are the node's. `witnesses`: the policy that
    names those who cosign its heads."""

    connection: Connection
    reader: SqlReader
    report: FsckReport
    origin: str
    data_dir: Path
    progress: Progress = field(default=lambda what, done, total: None)
    witnesses: LogPolicy = field(default_factory=LogPolicy)
    explained: set[int] = field(default_factory=set)
    """Entries of kind audit whose record a check has found: each must have one somewhere."""

    @property
    def counts(self) -> Counter[str]:
        """How many rows of each kind were looked at."""
        return self.report.counts

    def tell(self, what: str, done: int, total: int) -> None:
        """Say how far a check is."""
        self.progress(what, done, total)

    def add(
        self,
        invariant: str,
        table: str,
        key: str,
        column: str,
        expected: str,
        found: str,
        rests_on_it: str | None = None,
    ) -> None:
        """Report one row. `invariant`: its short name on the ledger's page."""
        consequence = rests_on_it or _RESTS.get(table, "what is shown of it; packproof rebuild puts it right")
        self.report.add(FsckFinding(invariant, table, key, column, expected, found, consequence))

    def entry(self, index: int) -> Entry | None:
        """The entry at `index`; None where there is none or it is damaged, which the ledger's own audit has named."""
        try:
            return Entry.decode(self.reader.entry(index))
        except LedgerError:
            return None

    def commits(self, entry: Entry, record: bytes) -> bool:
        """Whether `entry` committed to this record (ledger.signing.aside), by the seed that is kept.

        By a damaged one, which the audit of seeds names, it did not.
        """
        seed = self.reader.seed(entry.index)
        try:
            root = Statement.parse(entry.statement).commit.root
            return seed is not None and commitment_of(record, seed) == root
        except LedgerError:
            return False
