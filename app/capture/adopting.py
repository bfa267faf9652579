"""An event of the future that a person adopts: told before its time had come, and true now that it has.

An event whose time lies beyond its receipt has no effect on custody until a person adopts it (the ledger's design,
Order). Adopting is a capture like any other: a document of this one event, the same to the letter, whose statement
refers (`refs`) to the leaf of the entry where the event stands, recorded after its time has come. No row of the event
is written anew: the entry gets its row in `endorsement`, the finding that kept the event out goes, and custody is
projected again with it. An audit reads the same from the entries (`app.events.adoption`).
"""

from datetime import datetime

from sqlalchemy import Connection, select

from app.capture.known import NOT_YET, Known
from app.capture.prepared import PreparedCapture
from app.custody import ahead, loading
from app.custody.loading import Named
from app.events import acts
from app.events.acts import StoredAct
from app.events.adoption import is_adoption, referred
from app.events.models import event
from ledger.custody.order import named
from ledger.store.sql.writer import SqlWriter

_TIMES = select(event.c.declared_at, event.c.record_time, event.c.event_time)


def adopted(
    connection: Connection,
    reader: SqlWriter,
    capture: PreparedCapture,
    known: list[Known | None],
    now: datetime,
) -> Known | None:
    """The one event that `capture` adopts, of whose events `known` stand already; None where it adopts nothing, or
    what was adopted before: two who adopt at once adopt it once."""
    if len(known) != 1 or known[0] is None or known[0].seq == NOT_YET:
        return None
    [stands] = known
    if stands.index not in referred(capture.statement, reader.find_leaf):
        return None
    if reader.find_statement(capture.statement) is not None:
        return None  # a client that lost the answer sends it again
    if not ahead.told_ahead(connection, [stands.seq]):
        return None
    row = connection.execute(_TIMES.where(event.c.seq == stands.seq)).one()
    return stands if is_adoption(row, now) else None


def let_in(connection: Connection, one: Known) -> tuple[list[StoredAct], Named]:
    """Let the event count; its act, to be projected, and what it names; no act where something else keeps it out."""
    if not ahead.let_in(connection, one.seq):
        return [], Named((one.seq,))
    stored = acts.read(connection, [one.seq])
    keys = [key for each in stored for key in named(each.act.event)]
    return stored, Named((one.seq,), loading.find_ids(connection, keys))
