"""What is missing for the transaction information of the sales of a capture, and the case that it opens.

It is looked at after the commit: what was shipped may be much, and nobody waits under the ledger's lock while it is
read. A long document's sales are looked at when all of its events are applied, before what it left in the inbox goes:
a process that is killed in between looks again.
"""

from collections.abc import Sequence

from app.exceptions.due import open_incomplete
from app.shared.clock import Clock
from app.transactions import service as sales
from ledger.store.sql.engine import Database

MOST_INCOMPLETE = 5_000
"""Sales that one case keeps; of a document with more the case says what is missing for these."""
_AT_ONCE = 200


def look(
    database: Database, clock: Clock, by: str, index: int, seqs: Sequence[int]
) -> tuple[dict[str, str], ...]:
    """What is missing for those of these events of the entry at `index` that are sales; its case is open then."""
    found: list[dict[str, str]] = []
    lacking: list[int] = []
    numbers = sorted(seqs)
    for start in range(0, len(numbers), _AT_ONCE):
        with database.snapshot() as connection:
            missing = sales.gaps_of(connection, numbers[start : start + _AT_ONCE])
        lacking += missing
        found += [sales.finding_of(gaps) for gaps in missing.values()]
        if len(lacking) >= MOST_INCOMPLETE:
            break
    if found:
        gaps = dict.fromkeys(each["message"] for each in found)
        open_incomplete(database, clock, by, index, lacking[:MOST_INCOMPLETE], gaps)
    return tuple(found)


def look_at_entry(database: Database, clock: Clock, by: str, index: int) -> None:
    """The same for all events of the entry at `index`."""
    with database.reading() as connection:
        seqs = sales.of_entry(connection, index)
    look(database, clock, by, index, seqs)
