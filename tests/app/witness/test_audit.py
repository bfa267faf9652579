"""The audit of what witnesses signed: a row that was changed is named."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.proofs.fsck import fsck
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.policy import LogPolicy, PolicyWitness
from ledger.store.sql.cosignatures import add_cosignature, cosigned_note, largest_cosigned
from ledger.store.sql.writer import SqlWriter
from tests.support.crook import flipped, tamper

W = CosignatureSigner("w.example", Ed25519PrivateKey.generate())


@pytest.fixture
def cosigned(node):
    """A node whose head is cosigned, on both databases."""
    services = node.services
    services.node.initialise()
    note = services.node.checkpoint()
    head = SignedCheckpoint.open(note, [services.node.note_verifier])
    line = W.sign(head.checkpoint, 1_700_000_000)
    with services.database.writing() as connection:
        writer = SqlWriter(connection, services.node.origin)
        assert add_cosignature(writer, head.checkpoint.size, line)
        assert not add_cosignature(writer, head.checkpoint.size, W.sign(head.checkpoint, 1_700_000_001))
    return services, head, line


def test_what_a_witness_signed_is_kept_once_and_shown_below_the_note(cosigned):
    services, head, line = cosigned
    with services.node.ledger.reading() as reader:
        assert largest_cosigned(reader, W.verifier) == head.checkpoint.size
        shown = cosigned_note(reader, reader.latest_checkpoint())
    assert shown == head.note.signed_also([line]).encode()
    assert services.cosigned.checkpoint() == shown
    assert services.cosigned.witnessed() is None, "nobody's cosignature was asked for"
    assert fsck(services.database, services.node).ok


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("line", lambda line: flipped(line, 0)),
        ("line", lambda line: line[:-10]),
        ("line", lambda line: b""),
        ("line", lambda line: line + line),
        ("witness", lambda line: "another.example+00000000"),
    ],
)
def test_a_changed_row_is_named(cosigned, column, change):
    services, _, line = cosigned
    assert tamper(services.database, f"UPDATE cosig SET {column} = ?", (change(line.line().encode()),)) == 1
    found = [each for each in fsck(services.database, services.node).findings if each.table == "cosig"]
    assert found
    assert found[0].invariant == "I5"


def test_a_cosignature_of_a_known_witness_is_verified(cosigned):
    services, head, line = cosigned
    policy = LogPolicy(witnesses=(PolicyWitness("w", W.verifier),))
    assert fsck(services.database, services.node, witnesses=policy).ok
    other = W.sign(replace(head.checkpoint, root=bytes(32)), 1_700_000_000)
    assert other.line() != line.line()
    assert tamper(services.database, "UPDATE cosig SET line = ?", (other.line().encode(),)) == 1
    [found] = fsck(services.database, services.node, witnesses=policy).findings
    assert (found.table, found.column, found.found) == ("cosig", "line", "one that does not verify")
    assert fsck(services.database, services.node).ok, "without its key nobody can tell"
