"""Which statements told that something was shipped to whoever receives it: what a receiver's own statement refers to.

A receiver signs its own statement about the hand-over, and its `refs` name the leaf of the shipper's
(docs/formats/statement.md): who holds both sees that they are about one hand-over, whatever the node says. Only a party
that may read the shipping is told its leaf; to everybody else there is none.
"""

from dataclasses import dataclass

from app.custody.bought import strangers
from app.custody.spans import spans
from app.history import service as history
from app.history.rules import subject_of
from app.node.service import Node
from ledger.store.sql.engine import Database
from ledger.store.sql.reader import SqlReader


@dataclass(frozen=True, slots=True)
class Shipped:
    """What was shipped, and the leaf (hex) of the entry that told of it last; nothing where this asker sees none."""

    epc: str
    refs: tuple[str, ...]


def shipped(database: Database, node: Node, epc: str, *, asker: str | None) -> Shipped:
    """The leaf of the newest shipping of `epc` (any spelling), or of what it is in, by another than `asker` (GLN):
    by who had it, where one of them had.

    Raises `Invalid` for what is no EPC.
    """
    key = subject_of(epc)
    with database.snapshot() as connection:
        story = history.story(connection, key, reader=asker)
        told = [
            each
            for each in (story.events if story else ())
            if each.step == "shipping"
            and each.effective
            and not (each.hidden or each.declares_error or each.declared_wrong or each.by == asker)
        ]
        if story and told:
            around = {number for number, _, _ in spans(connection, [story.item_id])[story.item_id]}
            of_others = strangers(connection, {each.seq for each in told})
            had_it = [each for each in told if of_others.isdisjoint((each.seq, number) for number in around)]
            told = had_it or told  # its sender's own receipt may only not have come
        if not told:
            return Shipped(key, ())
        last = max(told, key=lambda each: (each.at, each.index))
        return Shipped(key, (SqlReader(connection, node.origin).leaf(last.index).hex(),))
