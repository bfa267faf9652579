"""Whatever is changed in the ledger's tables, the audit names the row; or it is written here why it does no harm."""

import random
import shutil
import threading
import tracemalloc
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.engine import make_url

from ledger.log.checkpoint import Checkpoint
from ledger.log.entry import Entry
from ledger.log.hashing import leaf_hash
from ledger.log.mark import MarkFile
from ledger.log.note import NoteSigner
from ledger.store.findings import MAX_FINDINGS
from ledger.store.fsck import fsck
from ledger.store.sealing import Sealer
from ledger.store.sql import tables
from ledger.store.sql.engine import open_engine, sqlite_driver
from ledger.store.sql.store import SqlLedger
from tests.ledger.store.columns import COLUMNS, LEDGER_TABLES, Located, value
from tests.support.crook import flipped, tamper
from tests.support.ledgers import ORIGIN, SIGNER, draft, drafts, sql_ledger
from tests.support.patience import PATIENCE_S

SIZE = 600


@pytest.fixture(scope="module")
def grown(request, tmp_path_factory):
    """600 entries on a kind of database, signed at 200, 512 and 600, made once: the URL, and the mark."""
    made = {}

    def grow(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            if kind == "sqlite":
                shutil.copy(request.getfixturevalue("_sqlite_template"), folder / "ledger.db")
                url = f"sqlite:///{folder / 'ledger.db'}"
            else:
                url = request.getfixturevalue("postgres").create(
                    request.getfixturevalue("_postgres_template")
                )
            database = open_engine(url)
            grow_and_seal(sql_ledger(database), folder / "mark", drafts(SIZE))
            database.dispose()
            if kind == "sqlite":  # all of it into the one file that is copied
                with closing(sqlite_driver().connect(folder / "ledger.db")) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            made[kind] = url, (folder / "mark").read_bytes()
        return made[kind]

    yield grow
    if "postgresql" in made:
        request.getfixturevalue("postgres").drop(made["postgresql"][0])


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request, grown, mark_path, tmp_path):
    """A copy of that ledger, and of its mark."""
    url, mark = grown(request.param)
    mark_path.parent.mkdir()
    mark_path.write_bytes(mark)
    if request.param == "sqlite":
        shutil.copy(make_url(url).database, tmp_path / "ledger.db")
        database = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
        yield SqlLedger(database, ORIGIN)
        database.dispose()
        return
    postgres = request.getfixturevalue("postgres")
    copy = postgres.create(make_url(url).database)
    database = open_engine(copy)
    yield SqlLedger(database, ORIGIN)
    database.dispose()
    postgres.drop(copy)


def grow_and_seal(made, mark_path, items):
    sealer = Sealer(made, mark_path, SIGNER)
    sealer.check_at_start()
    for first, size in ((0, 200), (200, 512), (512, SIZE)):
        with made.writing() as writer:
            writer.append(items[first:size])
        sealer.seal()


def audit(ledger, mark_path, **options):
    with ledger.database.snapshot() as connection:
        mark = MarkFile(mark_path).read()
        return fsck(connection, ORIGIN, log_keys=[SIGNER.verifier], mark=mark, **options)


def first(report):
    assert not report.ok, "nothing was found"
    found = report.findings[0]
    return found.invariant, found.table, found.key, found.column


def test_a_ledger_as_it_was_written_has_no_findings(ledger, mark_path):
    seen = []
    report = audit(ledger, mark_path, progress=lambda done, total: seen.append((done, total)))
    assert report.findings == []
    assert dict(report.counts) == {"entries": 600, "tiles": 2, "checkpoints": 3, "signed roots": 4}
    assert seen == [(600, 600)]


def test_an_empty_ledger_has_no_findings(database, mark_path):
    empty = sql_ledger(database)
    Sealer(empty, mark_path, SIGNER).check_at_start()
    assert audit(empty, mark_path).ok


def test_the_table_of_columns_has_every_column_of_the_ledger():
    declared = {
        f"{name}.{column.name}" for name in LEDGER_TABLES for column in tables.metadata.tables[name].columns
    }
    assert set(COLUMNS) == declared


@pytest.mark.parametrize(
    "column", [name for name, expected in COLUMNS.items() if isinstance(expected, Located)]
)
def test_a_changed_column_is_located(ledger, mark_path, column):
    expected = COLUMNS[column]
    parameters = [flipped(bytes(value(ledger, expected.flip)), 11)] if expected.flip else []
    assert tamper(ledger.database, expected.change, parameters) == 1
    report = audit(ledger, mark_path)
    assert first(report) == expected.finding
    assert report.findings[0].message.startswith(f"{expected.finding[1]} {expected.finding[2]}, column ")


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, 598, 599])
@pytest.mark.parametrize("column", ["leaf", "body"])
def test_a_changed_entry_is_named_wherever_it_stands(ledger, mark_path, index, column):
    old = bytes(value(ledger, f"SELECT {column} FROM entry WHERE idx = {index}"))
    tamper(
        ledger.database, f"UPDATE entry SET {column} = ? WHERE idx = {index}", [flipped(old, len(old) // 2)]
    )
    report = audit(ledger, mark_path)
    assert [(found.table, found.key, found.column) for found in report.findings] == [
        ("entry", str(index), column)
    ]


def test_every_byte_of_an_entry_counts(sqlite_database, mark_path):
    made = sql_ledger(sqlite_database)
    with made.writing() as writer:
        writer.append(drafts(40))
    old = bytes(value(made, "SELECT body FROM entry WHERE idx = 20"))
    for at in range(len(old)):
        tamper(sqlite_database, "UPDATE entry SET body = ? WHERE idx = 20", [flipped(old, at)])
        assert first(audit(made, mark_path)) == ("I3", "entry", "20", "body")
    tamper(sqlite_database, "UPDATE entry SET body = ? WHERE idx = 20", [old])
    assert audit(made, mark_path).ok


@pytest.mark.parametrize("index", [100, 598, 599])
def test_an_entry_replaced_together_with_its_leaf_is_named(ledger, mark_path, index):
    entry = Entry.decode(bytes(value(ledger, f"SELECT body FROM entry WHERE idx = {index}")))
    forged = Entry(
        entry.kind, index, entry.received_ms, entry.prev_leaf, b'{"id":"forged"}', entry.signatures
    ).encode()
    tamper(
        ledger.database,
        f"UPDATE entry SET body = ?, leaf = ? WHERE idx = {index}",
        [forged, leaf_hash(forged)],
    )
    assert first(audit(ledger, mark_path)) == ("I3", "entry", str(index), "body")


def test_two_changes_far_apart_are_both_named(ledger, mark_path):
    tamper(ledger.database, "UPDATE entry SET body = ? WHERE idx = 17", [b"gone"])
    tamper(ledger.database, "UPDATE entry SET recv_ms = 0 WHERE idx = 555")
    report = audit(ledger, mark_path)
    assert [(found.key, found.column) for found in report.findings] == [("17", "body"), ("555", "recv_ms")]


@pytest.mark.parametrize("table", ["entry", "statement_index", "seed"])
def test_two_rows_that_changed_places_are_named(ledger, mark_path, table):
    for old, new in ((70, 9999), (71, 70), (9999, 71)):
        tamper(ledger.database, f"UPDATE {table} SET idx = {new} WHERE idx = {old}")
    report = audit(ledger, mark_path)
    if table == "seed":
        assert report.ok, "a seed under another entry is found with the document, not here: see COLUMNS"
    else:
        assert first(report)[1:3] == (table, "70")


@pytest.mark.parametrize(
    ("delete", "finding"),
    [
        ("DELETE FROM entry WHERE idx = 0", ("I2", "entry", "0", "idx")),
        ("DELETE FROM entry WHERE idx = 300", ("I2", "entry", "300", "idx")),
        ("DELETE FROM entry WHERE idx BETWEEN 300 AND 310", ("I2", "entry", "300", "idx")),
        ("DELETE FROM entry WHERE idx = 599", ("I5", "checkpoint", "size 600", "note")),
        ("DELETE FROM statement_index WHERE idx = 300", ("I7", "statement_index", "300", "hash16")),
        ("DELETE FROM tile WHERE n = 0", ("I6", "tile", "0/0", "data")),
        ("DELETE FROM head", ("I3", "head", ORIGIN, "ledger")),
        ("DELETE FROM ledger_origin", ("I2", "ledger_origin", ORIGIN, "origin")),
    ],
)
def test_a_deleted_row_is_named(ledger, mark_path, delete, finding):
    tamper(ledger.database, delete)
    assert first(audit(ledger, mark_path)) == finding


@pytest.mark.parametrize(
    ("insert", "parameters", "finding"),
    [
        ("INSERT INTO entry (ledger, idx, leaf, body, recv_ms) VALUES (1, 600, ?, ?, 0)", [bytes(32), b"x"],
         ("I3", "entry", "600", "body")),
        ("INSERT INTO entry (ledger, idx, leaf, body, recv_ms) VALUES (1, -1, ?, ?, 0)", [bytes(32), b"x"],
         ("I2", "entry", "0", "idx")),
        ("INSERT INTO statement_index (hash16, ledger, idx) VALUES (?, 1, 5)", [bytes(16)],
         ("I7", "statement_index", "5", "idx")),
        ("INSERT INTO tile (ledger, level, n, data) VALUES (1, 0, 2, ?)", [bytes(8192)],
         ("I6", "tile", "0/2", "n")),
        ("INSERT INTO checkpoint (ledger, size, note) VALUES (1, 700, ?)", [b"no note"],
         ("I5", "checkpoint", "size 700", "note")),
        ("INSERT INTO seed (ledger, idx, seed) VALUES (1, 600, ?)", [bytes(32)], ("seed", "seed", "600", "seed")),
    ],
)  # fmt: skip
def test_a_row_too_many_is_named(ledger, mark_path, insert, parameters, finding):
    tamper(ledger.database, insert, parameters)
    assert first(audit(ledger, mark_path)) == finding


def test_a_tail_cut_off_with_care_shows_against_mark_and_checkpoints(make_database, mark_path, tmp_path):
    made = sql_ledger(make_database())
    grow_and_seal(made, mark_path, drafts(SIZE))
    shorter = sql_ledger(make_database())
    with shorter.writing() as writer:
        writer.append(drafts(550))
    report = audit(shorter, mark_path)
    assert first(report) == ("I5", "mark", "size 600", "root")
    assert audit(shorter, tmp_path / "no mark").ok


def test_a_checkpoint_taken_away_shows_where_a_witness_cosigned_it(ledger, mark_path):
    for size in (200, 512):
        tamper(
            ledger.database, "INSERT INTO cosig (ledger, size, witness, line) VALUES (1, ?, ?, ?)",
            [size, "witness.example", b"a line"],
        )  # fmt: skip
    assert audit(ledger, mark_path).ok
    tamper(ledger.database, "DELETE FROM checkpoint WHERE size = 512")
    assert first(audit(ledger, mark_path)) == ("I5", "checkpoint", "size 512", "size")


def copy_checkpoints(source, target):
    with source.reading() as reader:
        for kept in reader.checkpoints():
            tamper(
                target.database, "INSERT INTO checkpoint (ledger, size, note) VALUES (1, ?, ?)",
                [kept.size, kept.note],
            )  # fmt: skip


def test_history_rewritten_with_every_hash_shows_against_the_first_checkpoint_above_it(
    make_database, mark_path, tmp_path
):
    made = sql_ledger(make_database())
    grow_and_seal(made, mark_path, drafts(SIZE))
    rewritten = sql_ledger(make_database())
    with rewritten.writing() as writer:
        writer.append([*drafts(300), draft("another act"), *drafts(299, first=301)])
    copy_checkpoints(made, rewritten)
    report = audit(rewritten, tmp_path / "no mark")
    assert [(found.invariant, found.key) for found in report.findings] == [
        ("I5", "size 512"),
        ("I5", "size 600"),
    ]
    assert "entries 200 to 511 are not those that were signed" in report.findings[0].message


def test_history_rewritten_and_signed_again_with_the_nodes_key_is_beyond_any_audit_of_its_own(
    database, mark_path
):
    """Why others keep checkpoints: whoever holds rows, mark and key can make a ledger that agrees with itself."""
    rewritten = sql_ledger(database)
    grow_and_seal(rewritten, mark_path, [*drafts(300), draft("another act"), *drafts(299, first=301)])
    assert audit(rewritten, mark_path).ok


def test_a_checkpoint_signed_by_another_key_is_named(ledger, mark_path):
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with ledger.reading() as reader:
        root = reader.head().root
    note = Checkpoint(ORIGIN, SIZE, root).sign(other).encode()
    tamper(ledger.database, "UPDATE checkpoint SET note = ? WHERE size = 600", [note])
    assert first(audit(ledger, mark_path)) == ("I5", "checkpoint", "size 600", "note")


def test_a_checkpoint_moved_to_another_root_by_the_key_itself_is_named(ledger, mark_path):
    note = Checkpoint(ORIGIN, 512, bytes(32)).sign(SIGNER).encode()
    tamper(ledger.database, "UPDATE checkpoint SET note = ? WHERE size = 512", [note])
    assert first(audit(ledger, mark_path)) == ("I5", "checkpoint", "size 512", "note")


def test_a_mark_below_a_checkpoint_is_named(ledger, mark_path):
    with ledger.reading() as reader:
        kept = reader.checkpoint_at_or_below(512)
    mark_path.write_bytes(kept.note.partition(b"\n\n")[0] + b"\n")
    assert first(audit(ledger, mark_path)) == ("I4", "mark", ORIGIN, "size")


def test_a_statement_that_stands_twice_is_named(ledger, mark_path):
    """Entry 450 says the same as entry 20: the index row of 20 was taken away while 450 came."""
    with ledger.reading() as reader:
        statement = Entry.decode(reader.entry(20)).statement
    row = value(ledger, "SELECT hash16 FROM statement_index WHERE idx = 20")
    tamper(ledger.database, "DELETE FROM statement_index WHERE idx = 20")
    with ledger.writing() as writer:
        [again] = writer.append([draft(20)])
    assert (again.index, again.statement) == (600, statement)
    tamper(
        ledger.database, "INSERT INTO statement_index (hash16, ledger, idx) VALUES (?, 1, 20)", [bytes(row)]
    )
    assert first(audit(ledger, mark_path)) == ("I7", "entry", "600", "body")


def test_signatures_are_checked_where_the_caller_can(ledger, mark_path):
    asked = []

    def check(entry):
        asked.append(entry.index)
        return "the key was revoked at 2" if entry.index == 333 else None

    report = audit(ledger, mark_path, check_signatures=check)
    assert asked == list(range(600))
    assert first(report) == ("signatures", "entry", "333", "body")
    assert "the key was revoked at 2" in report.findings[0].message


def test_random_damage_is_never_missed(sqlite_database, mark_path):
    made = sql_ledger(sqlite_database)
    grow_and_seal(made, mark_path, drafts(SIZE))
    chance = random.Random(11)
    for _ in range(60):
        table, column, key = chance.choice(
            [("entry", "body", f"idx = {chance.randrange(600)}"), ("entry", "leaf", f"idx = {chance.randrange(600)}"),
             ("tile", "data", f"n = {chance.randrange(2)}"), ("head", "peaks", "ledger = 1"),
             ("checkpoint", "note", f"size = {chance.choice((200, 512, 600))}")]
        )  # fmt: skip
        old = bytes(value(made, f"SELECT {column} FROM {table} WHERE {key}"))
        at = chance.randrange(len(old))
        new = old[:at] + bytes((old[at] ^ 1 << chance.randrange(8),)) + old[at + 1 :]
        tamper(sqlite_database, f"UPDATE {table} SET {column} = ? WHERE {key}", [new])
        found = audit(made, mark_path).findings
        assert [(each.table, each.column) for each in found] == [(table, column)], (table, key, at)
        tamper(sqlite_database, f"UPDATE {table} SET {column} = ? WHERE {key}", [old])
    assert audit(made, mark_path).ok


def test_more_findings_than_anyone_reads_are_counted(ledger, mark_path):
    tamper(ledger.database, "UPDATE entry SET recv_ms = 0")
    report = audit(ledger, mark_path)
    assert (len(report.findings), report.suppressed) == (MAX_FINDINGS, SIZE - MAX_FINDINGS)


def test_an_audit_beside_appends_sees_one_moment(ledger, mark_path):
    stop = threading.Event()

    def work():
        number = 0
        while not stop.is_set():
            with ledger.writing() as writer:
                writer.append(drafts(7, first=10_000 + 7 * number))
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        sizes = []
        for _ in range(8):
            report = audit(ledger, mark_path)
            assert report.findings == []
            sizes.append(report.counts["entries"])
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


@pytest.mark.slow
def test_memory_stays_flat_however_long_the_ledger_is(sqlite_database, mark_path):
    made = sql_ledger(sqlite_database)
    peaks = []
    for first_draft, count in ((0, 12_000), (12_000, 24_000)):
        with made.writing() as writer:
            writer.append(drafts(count, first_draft))
        tracemalloc.start()
        assert audit(made, mark_path).ok
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
