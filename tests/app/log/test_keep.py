"""What a node notes of other logs, and of the policy it goes by: entries that fsck holds against the bytes."""

import pytest

from app.log.keep import FOLDER, Keeper, judged
from app.proofs.fsck import fsck
from ledger.errors import LedgerError
from ledger.log.entry import Entry, Kind
from ledger.log.policy import LogPolicy
from ledger.signing.aside import KeptPolicy, commitment_of
from ledger.signing.statement import Statement
from tests.ledger.evidence.world import World, made
from tests.support.trade import Trade

PACK = "https://id.gs1.org/01/09506000134352/21/11"


def findings(trade: Trade) -> list[tuple[str, str, str]]:
    services = trade.node.services
    services.node.checkpoint()
    return [(e.invariant, e.table, e.key) for e in fsck(services.database, services.node).findings]


def test_a_foreign_head_and_a_policy_are_entries_that_commit_to_their_bytes(sqlite_trade: Trade) -> None:
    services, other = sqlite_trade.node.services, World()
    other.capture(made(PACK))
    note = other.checkpoint()
    trust = f"log {other.log.verifier}\nquorum none\n".encode()
    keeper = Keeper(services.node, services.committer, services.clock)
    head = judged(note, LogPolicy.parse(trust), services.node.origin)
    first, second = keeper.keep(head, note), keeper.keep(KeptPolicy.of(trust), trust)
    assert (keeper.keep(head, note), keeper.keep(KeptPolicy.of(trust), trust)) == (first, second)
    with services.node.ledger.reading() as reader:
        for index, record, kind in (
            (first, head, Kind.CHECKPOINT),
            (second, KeptPolicy.of(trust), Kind.POLICY),
        ):
            entry = Entry.decode(reader.entry(index))
            statement, seed = Statement.parse(entry.statement), reader.seed(index)
            assert (entry.kind, statement.kind, statement.commit.n) == (kind, kind, 1)
            assert seed is not None
            assert commitment_of(record.document(), seed) == statement.commit.root
            assert statement.author == services.node.intake_key.thumbprint
    assert (head.origin, head.size) == (other.log.name, len(other.kept))
    sqlite_trade.sweep()
    kept = services.settings.data_dir / FOLDER
    (kept / "99").write_bytes(b"of a crash before its entry")
    assert findings(sqlite_trade) == []
    (kept / str(first)).write_bytes(note + b"\n")
    (kept / str(second)).unlink()
    assert findings(sqlite_trade) == [("I9", "kept", str(first)), ("I9", "kept", str(second))]


def test_what_no_policy_trusts_is_not_kept(sqlite_trade: Trade) -> None:
    other, stranger = World(), World()
    trust = LogPolicy.parse(f"log {stranger.log.verifier}\nquorum none\n".encode())
    with pytest.raises(LedgerError):
        judged(other.checkpoint(), trust, "elsewhere.example/ledger")
    own = LogPolicy.parse(f"log {other.log.verifier}\nquorum none\n".encode())
    with pytest.raises(LedgerError, match="this ledger's own"):
        judged(other.checkpoint(), own, other.log.name)
