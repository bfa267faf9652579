"""The whole audit of a node: the ledger's own tables, then what stands on them.

`ledger.store.fsck` proves the ledger to itself. Then each of `AUDITS`: every document and event is what its entry
committed to, every column beside them follows from them, keys are what their entries registered, who signed an entry
could do so there, and custody is what the events give (I9). Nothing is trusted because it is stored; everything is
computed anew and the first row that differs is named. A part of the audit that cannot be brought to its end is named
too, and the parts after it run.

What this cannot see is a history rewritten whole and signed again with the node's own key. Those who remember an
earlier checkpoint do: every scanner, every witness.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select

from app.devices import audit as devices_audit
from app.devices.models import party_key
from app.log import audit as log_audit
from app.log import keep
from app.node.service import Node
from app.proofs import audit_custody, audit_documents, audit_seeds
from app.proofs.unreadable import named
from app.redaction import audit as redaction_audit
from app.regulator import audit as regulator_audit
from app.shared.auditing import AuditContext, Progress
from app.witness import audit as witness_audit
from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.mark import MarkFile
from ledger.log.policy import LogPolicy
from ledger.store.findings import FsckFinding, FsckReport
from ledger.store.fsck import fsck as fsck_ledger
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader

AUDITS: tuple[Callable[[AuditContext], None], ...] = (
    audit_seeds.check,
    regulator_audit.check,
    keep.check,
    devices_audit.check,
    log_audit.check,
    redaction_audit.check,
    audit_documents.check,
    audit_custody.check,
    witness_audit.check,
)
"""What is audited beside the ledger's own tables, in this order: what others stand on comes first.

A feature with tables of its own adds the `check` of its `audit.py`; app/shared/auditing.py says how one looks."""


def fsck(
    database: Database,
    node: Node,
    progress: Progress | None = None,
    *,
    ledger_only: bool = False,
    signatures: bool = True,
    witnesses: LogPolicy | None = None,
) -> FsckReport:
    """Audit everything this node stores, on one snapshot.

    `ledger_only`: the ledger's own tables alone. `signatures`: verify those of every entry, with the keys in the
    database; whether a key was valid where it signed is another question, and part of `AUDITS` whatever is said here.
    `witnesses`: whose cosignatures are verified, by the keys in this policy.
    """
    tell = progress or (lambda what, done, total: None)
    report = FsckReport()
    mark = _mark(node, report)
    unsigned: list[FsckFinding] = []
    with database.snapshot() as connection:
        with named(connection, report, "ledger"):
            found = fsck_ledger(
                connection,
                node.origin,
                log_keys=node.verifiers_in(connection),
                mark=mark,
                keys=_spkis(connection) if signatures else None,
                progress=lambda done, total: tell("entries", done, total),
            )
            report.counts += found.counts
            report.suppressed += found.suppressed
            # A signature that fits no key may be a key's damage: who reads this shall see that first.
            unsigned = [each for each in found.findings if each.invariant == "signatures"]
            report.findings += [each for each in found.findings if each.invariant != "signatures"]
        with named(connection, report, "app"):
            reader = SqlReader(connection, node.origin)
            context = AuditContext(
                connection, reader, report, node.origin, node.data_dir, tell, witnesses or LogPolicy()
            )
            for audit in () if ledger_only else AUDITS:
                with named(connection, report, audit.__module__):
                    audit(context)
    for each in unsigned:
        report.add(each)
    return report


def _mark(node: Node, report: FsckReport) -> Checkpoint | None:
    path = node.data_dir / "mark"
    told = "how far the ledger was signed; without it a cut tail cannot be seen"
    try:
        mark = MarkFile(path).read()
    except LedgerError as error:
        report.add(FsckFinding("I4", "mark", str(path), "-", "origin, size and root", error.message, told))
        return None
    if mark is None:
        report.add(FsckFinding("I4", "mark", str(path), "-", "the file", "no file", told))
    elif mark.origin != node.origin:
        report.add(FsckFinding("I4", "mark", str(path), "origin", node.origin, mark.origin, told))
        return None
    return mark


def _spkis(connection: Connection) -> list[bytes]:
    return [bytes(spki) for spki in connection.execute(select(party_key.c.spki).distinct()).scalars()]


def lines(report: FsckReport) -> Iterator[str]:
    """The report for a person: what was looked at, and each broken row."""
    counted = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    yield f"Looked at {counted}."
    if report.ok:
        yield "Everything is what was appended and signed."
        yield "A history rewritten whole and signed again would look so too: compare with somebody else's checkpoint."
        return
    count = len(report.findings) + report.suppressed
    yield (
        "One row is not what it must be:"
        if count == 1
        else f"{count} rows are not what they must be. The first:"
    )
    for found in report.findings:
        yield f"  {found.message}"
    if report.suppressed:
        yield f"  and {report.suppressed} more"
