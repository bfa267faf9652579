"""The sweep that other tests trust sees what breaks I8 and I9: it is asked about ledgers in which they are broken."""

import pytest
from sqlalchemy import update

from app.custody.models import item
from ledger.log.entry import Kind
from ledger.signing.envelope import sign
from ledger.signing.keys import generate, load_verifier
from ledger.signing.statement import Commit, Statement
from ledger.store.memory import MemoryLedger
from ledger.store.port import Draft
from tests.support.sweep import sweep
from tests.support.trade import Trade

ORIGIN = "packproof.example/ledger"


@pytest.mark.parametrize("names", ["the leaf that stands", "another leaf", "none"])
def test_a_redaction_after_which_a_leaf_is_another_breaks_i8(names: str) -> None:
    store, key = MemoryLedger(ORIGIN), generate()

    def draft(kind: Kind, refs: tuple[bytes, ...] = ()) -> Draft:
        statement = Statement.new(ORIGIN, key.thumbprint, kind, Commit(bytes(32), 1), refs=refs)
        signatures = sign(statement.encode(), [key]).entry_signatures([load_verifier(key.spki)])
        return Draft(kind, 1_772_000_000_000, statement.encode(), signatures, bytes(32))

    with store.writing() as writer:
        [first] = writer.append([draft(Kind.RECEIVED)])
        refs = {"the leaf that stands": (first.leaf,), "another leaf": (bytes(32),), "none": ()}[names]
        writer.append([draft(Kind.REDACTION, refs)])
    if names == "the leaf that stands":
        sweep(store)
    else:
        with pytest.raises(AssertionError, match="I8"):
            sweep(store)


def test_a_projection_that_the_events_do_not_give_breaks_i9(sqlite_trade: Trade) -> None:
    assert sqlite_trade.post_epcis(sqlite_trade.document(sqlite_trade.begun(1))).status_code == 202
    sqlite_trade.sweep()
    with sqlite_trade.node.services.database.writing() as connection:
        connection.execute(update(item).values(in_transit=True))
    with pytest.raises(AssertionError, match="I9"):
        sqlite_trade.sweep()
