"""The fast way of an audit proves what is sound and nothing else, in this process and in workers beside it."""

import random
import sys
from pathlib import Path

import pytest

from ledger.log.entry import Kind, Signature
from ledger.log.mark import MarkFile
from ledger.log.proof import root_at
from ledger.signing.envelope import pae
from ledger.signing.keys import generate
from ledger.signing.statement import Commit, Statement
from ledger.store.audit import SignedRoot
from ledger.store.fsck import fsck
from ledger.store.port import Draft
from ledger.store.quick import pool
from ledger.store.quick.block import index_sum
from ledger.store.quick.prove import prove
from ledger.store.sealing import Sealer
from ledger.store.sql.reader import SqlReader
from tests.support.crook import flipped, tamper
from tests.support.ledgers import ORIGIN, SIGNER, SOME_MS, drafts, sql_ledger

SIZE = 9_000  # three blocks, the last one not full; 35 full tiles
KEY = generate()
OTHER = generate("p256")


def signed_draft(number, *signers):
    author, commit = signers[0].thumbprint, Commit(bytes(32), 1)
    statement = Statement(ORIGIN, author, Kind.CAPTURED, number.to_bytes(16, "big"), commit).encode()
    signatures = tuple(Signature(each.alg, each.thumbprint, each.sign(pae(statement))) for each in signers)
    return Draft(Kind.CAPTURED, SOME_MS + number, statement, signatures, bytes(32))


@pytest.fixture
def ledger(database, tmp_path):
    made = sql_ledger(database)
    sealer = Sealer(made, tmp_path / "mark", SIGNER)
    sealer.check_at_start()
    for first, size in ((0, 1), (1, 5_000), (5_000, 8_192), (8_192, SIZE)):
        with made.writing() as writer:
            writer.append(drafts(size - first, first))
        sealer.seal()
    return made


def proven(ledger, workers=0, signed=(), size=SIZE, keys=None):
    with ledger.database.snapshot() as connection:
        reader = SqlReader(connection, ORIGIN)
        return prove(
            connection, reader.ledger_id, size, iter(signed), reader._tiles, workers=workers, keys=keys
        )


def roots(ledger, *sizes):
    """The roots of these sizes, by the store's own nodes."""
    with ledger.reading() as reader:
        return [SignedRoot(size, root_at(reader, size), "checkpoint", "note") for size in sizes]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sound_ledger_is_proven(ledger, workers):
    signed = roots(ledger, 0, 1, 255, 256, 257, 4_095, 4_096, 4_097, 8_192, SIZE)
    found = proven(ledger, workers, [signed[0], *signed])
    with ledger.reading() as reader:
        head = reader.head()
    assert found is not None
    assert (found.peaks, found.last_leaf, found.roots, found.tiles) == (head.peaks, head.last_leaf, 11, 35)


@pytest.mark.parametrize("size", [1, 256, 300, 4_096, 4_097, SIZE])
def test_a_signed_root_off_the_tree_is_not_proven(ledger, size):
    assert proven(ledger, signed=[SignedRoot(size, bytes(32), "mark", "root")]) is None


def test_a_root_signed_beyond_the_last_entry_is_not_proven(ledger):
    assert proven(ledger, signed=[SignedRoot(SIZE + 1, bytes(32), "mark", "root")]) is None


def test_no_damage_is_proven(sqlite_database):
    """One bit anywhere in what blocks are made of, and the whole is not proven."""
    made = sql_ledger(sqlite_database)
    with made.writing() as writer:
        writer.append(drafts(5_000))
    assert proven(made, size=5_000) is not None
    chance = random.Random(5)
    for _ in range(25):
        index = chance.choice((0, 255, 256, 4_095, 4_096, 4_999, chance.randrange(5_000)))
        table, column, where = chance.choice(
            [("entry", "body", f"idx = {index}"), ("entry", "leaf", f"idx = {index}"),
             ("tile", "data", f"n = {index % 19}"), ("statement_index", "hash16", f"idx = {index}")]
        )  # fmt: skip
        with made.database.reading() as connection:
            old = bytes(
                connection.exec_driver_sql(f"SELECT {column} FROM {table} WHERE {where}").scalar_one()
            )
        change = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"
        new = flipped(old, chance.randrange(len(old)))
        assert tamper(sqlite_database, change, [new, old]) == 1
        assert proven(made, size=5_000) is None, (table, column, where)
        assert tamper(sqlite_database, change, [old, new]) == 1
    for change in (
        "UPDATE entry SET recv_ms = recv_ms + 1 WHERE idx = 70",
        "UPDATE statement_index SET idx = 71 WHERE idx = 70",
        "UPDATE entry SET idx = -5 WHERE idx = 4999",
    ):
        assert tamper(sqlite_database, change) == 1
        assert proven(made, size=5_000) is None, change


@pytest.mark.parametrize("workers", [0, 2])
def test_signatures_are_verified_with_the_keys_given(database, tmp_path, workers):
    made = sql_ledger(database)
    with made.writing() as writer:
        writer.append([signed_draft(n, KEY) for n in range(300)])
        writer.append([signed_draft(300, OTHER), signed_draft(301, KEY, OTHER)])
    keys = [KEY.spki, OTHER.spki, b"no key"]
    assert proven(made, workers, size=302, keys=keys) is not None
    assert proven(made, workers, size=302, keys=[KEY.spki]) is None
    with made.writing() as writer:
        good = signed_draft(302, KEY)
        forged = Signature(1, KEY.thumbprint, flipped(good.signatures[0].sig, 9))
        writer.append([Draft(good.kind, good.received_ms, good.statement, (forged,), good.seed)])
    with database.snapshot() as connection:
        assert fsck(connection, ORIGIN, workers=workers).ok
        [found] = fsck(connection, ORIGIN, workers=workers, keys=keys).findings
    assert (found.invariant, found.table, found.key) == ("signatures", "entry", "302")


def test_an_audit_with_workers_finds_what_one_without_finds(ledger, tmp_path):
    tamper(ledger.database, "UPDATE entry SET recv_ms = 0 WHERE idx = 7777")
    mark = MarkFile(tmp_path / "mark").read()
    reports = []
    for workers in (0, 2):
        with ledger.database.snapshot() as connection:
            reports.append(fsck(connection, ORIGIN, log_keys=[SIGNER.verifier], mark=mark, workers=workers))
    assert reports[0].findings == reports[1].findings
    assert [(each.key, each.column) for each in reports[0].findings] == [("7777", "recv_ms")]


def test_without_workers_to_be_had_this_process_does_it(ledger, tmp_path, monkeypatch):
    for program in (tmp_path / "no such program", Path("/bin/false")):
        monkeypatch.setattr(sys, "executable", str(program))
        with ledger.database.snapshot() as connection:
            report = fsck(connection, ORIGIN, log_keys=[SIGNER.verifier], workers=2)
        assert report.ok
        assert report.counts["entries"] == SIZE


def test_a_worker_is_given_no_setting_of_the_node(sqlite_database, monkeypatch):
    monkeypatch.setenv("PACKPROOF_KEY_PASSPHRASE", "not for workers")
    monkeypatch.setenv("PGSSLMODE", "prefer")  # a worker on PostgreSQL connects as this process does
    given, start = [], pool._start

    def looked_at(environment):
        worker = start(environment)
        environ = Path(f"/proc/{worker.pid}/environ")
        while not (read := environ.read_bytes()) and worker.poll() is None:
            pass  # Popen returns in the middle of exec: for a moment the process has no environment yet
        given.append(read)
        return worker

    monkeypatch.setattr(pool, "_start", looked_at)
    made = sql_ledger(sqlite_database)
    with made.writing() as writer:
        writer.append(drafts(10))
    assert proven(made, workers=2, size=10) is not None
    assert len(given) == 2
    for each in given:
        assert b"PGSSLMODE=prefer" in each
        assert b"PACKPROOF_" not in each


def test_rows_of_the_table_of_statements_that_changed_places_never_leave_the_sum_as_it_was():
    chance = random.Random(7)
    for index in (0, 70, 255, 9_000, 2**40):
        for distance in (1, 2, 256, 2**20):
            for _ in range(50):
                one, two = sorted(chance.randbytes(16) for _ in range(2))
                rows = [(one, index), (two, index + distance)]
                swapped = [(one, index + distance), (two, index)]
                assert index_sum(rows) != index_sum(swapped)


@pytest.mark.parametrize("kept", ["70", 70.0, None, b"70"])
def test_an_index_that_is_no_number_is_not_proven(kept):
    assert index_sum([(bytes(16), kept)]) is None
