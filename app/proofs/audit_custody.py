"""What is true now is what the events give (I9): custody, containment, findings, and the cases that stand on them."""

from app.custody import rebuild
from app.proofs import presence
from app.shared.auditing import AuditContext


def check(context: AuditContext) -> None:
    """Compare every projected row, and the cases of the exceptions desk, with what must be there."""
    for found in rebuild.differences(context.connection, context.tell):
        context.add("I9", found.table, found.key, found.column, found.expected, found.found)
    # What is wrong about a finding is told of the finding first: its case follows from it.
    for missing in presence.cases(context.connection):
        context.add("I9", *missing)
