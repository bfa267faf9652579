"""The whole audit of a node: the ledger's own tables, then what stands on them.

`ledger.store.fsck` proves the ledger to itself. Then each of `AUDITS`: every document and event is what its entry
committed to, every column beside them follows from them, keys are what their entries registered, and custody is what
the events give (I9). Nothing is trusted because it is stored; everything is computed anew and the first row that
differs is named.

What this cannot see is a history rewritten whole and signed again with the node's own key. Those who remember an
earlier checkpoint do: every scanner, every witness.
"""

from collections.abc import Callable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from app.devices import audit as devices_audit
from app.node.service import Node
from app.proofs import audit_custody, audit_documents
from app.redaction import audit as redaction_audit
from app.shared.auditing import AuditContext, Progress
from ledger.errors import LedgerError
from ledger.log.mark import MarkFile
from ledger.store.findings import FsckFinding, FsckReport
from ledger.store.fsck import fsck as fsck_ledger
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader

AUDITS: tuple[Callable[[AuditContext], None], ...] = (
    devices_audit.check,
    redaction_audit.check,
    audit_documents.check,
    audit_custody.check,
)
"""What is audited beside the ledger's own tables, in this order: what others stand on comes first.

A feature with tables of its own adds the `check` of its `audit.py`; app/shared/auditing.py says how one looks."""


def fsck(
    database: Database, node: Node, progress: Progress | None = None, *, ledger_only: bool = False
) -> FsckReport:
    """Audit everything this node stores, on one snapshot; with `ledger_only` the ledger's own tables alone."""
    tell = progress or (lambda what, done, total: None)
    mark = MarkFile(node.data_dir / "mark").read()
    report = FsckReport()
    if mark is None:
        told = "how far the ledger was signed; without it a cut tail cannot be seen"
        report.add(FsckFinding("I4", "mark", str(node.data_dir / "mark"), "-", "the file", "no file", told))
    with database.snapshot() as connection:
        try:
            found = fsck_ledger(
                connection,
                node.origin,
                log_keys=[node.note_verifier],
                mark=mark,
                progress=lambda done, total: tell("entries", done, total),
            )
            report.findings += found.findings
            report.counts += found.counts
            report.suppressed += found.suppressed
            reader = SqlReader(connection, node.origin)
            context = AuditContext(connection, reader, report, node.origin, node.data_dir, tell)
            for audit in () if ledger_only else AUDITS:
                audit(context)
        except (LedgerError, SQLAlchemyError, LookupError, ValueError) as error:
            # A value of another type than its column's: nothing this program writes, so somebody else did.
            told = str(getattr(error, "orig", None) or error).splitlines()[0]
            report.add(
                FsckFinding("I9", "database", "-", "-", "rows that can be read", told, "what they hold")
            )
    return report


def lines(report: FsckReport) -> Iterator[str]:
    """The report for a person: what was looked at, and each broken row."""
    counted = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    yield f"Looked at {counted}."
    if report.ok:
        yield "Everything is what was appended and signed."
        yield "A history rewritten whole and signed again would look so too: compare with somebody else's checkpoint."
        return
    yield f"{len(report.findings) + report.suppressed} rows are not what they must be. The first:"
    for found in report.findings:
        yield f"  {found.message}"
