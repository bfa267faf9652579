"""Whatever is changed in the node's tables, `packproof fsck` names the row; or it is written here why it does no harm.

`COLUMNS` has every column of every table of the app (columns.py, work_columns.py). The ledger's own tables are in
tests/ledger/store/test_fsck.py.
"""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Boolean, LargeBinary, Text

import app.wiring  # noqa: F401 - every table is known once the app is
from app.migrate import upgrade
from app.node.service import Node
from app.proofs.fsck import fsck
from app.regulator.rules import Reason, Search, Standing
from app.regulator.service import NewRequest
from app.shared.actor import Role
from ledger.custody.event import ErrorDeclaration, Event, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.read import read
from ledger.log.encoding import to_base64
from ledger.signing.aside import sign_void
from ledger.signing.client import KeyFolder, make_device, sign_capture
from ledger.signing.envelope import Envelope
from ledger.signing.keyrecord import Action as KeyAction
from ledger.signing.keyrecord import KeyRecord, revoke
from ledger.signing.statement import Statement
from ledger.store import findings
from ledger.store.findings import FsckReport
from ledger.store.sql.engine import Database, open_engine
from ledger.store.sql.metadata import metadata
from tests.app.proofs.columns import RECORDED, Harmless, Located
from tests.app.proofs.work_columns import WORK_COLUMNS
from tests.ledger.store.test_fsck import LEDGER_TABLES
from tests.support.app import NOON, OPERATOR, make_node
from tests.support.crook import flipped, tamper
from tests.support.trade import WHEN, Trade
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package

COLUMNS: dict[str, Located | Harmless] = RECORDED | WORK_COLUMNS
REBUILT = {"item", "contained", "lineage", "finding"}  # what `packproof rebuild` writes


def tell(trade: Trade) -> None:
    """Everything that leaves rows: signed and unsigned, endorsed, declared wrong, without effect, short, recalled."""
    services = trade.node.services
    dock = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)

    def send(*events: Event, by: dict[str, str] | None = None) -> None:
        answer = trade.post_epcis(trade.document(*events), headers=by)
        assert answer.status_code == 202, answer.text

    # Of equal content the smaller id counts: not chance, or the first event would have an effect only now and then.
    made = trade.begun(1, 2, 3, event_id=f"urn:uuid:{uuid.UUID(int=1)}")
    send(made)
    assert trade.post_signed(trade.document(made)).status_code == 201
    assert trade.post_signed(trade.document(trade.begun(4))).status_code == 201
    packing = replace(
        trade.begun(), type=EventType.AGGREGATION, biz_step="packing", parent=PALLET, ilmd=(),
        children=(package(1), package(2), package(3)), event_time=WHEN + timedelta(minutes=10),
    )  # fmt: skip
    shipping = replace(trade.shipped(1), epcs=(PALLET,))
    send(packing, shipping, replace(made, event_id=f"urn:uuid:{uuid.UUID(int=2)}"))
    receiving = replace(shipping, event_id=f"urn:uuid:{uuid.uuid4()}", biz_step="receiving")
    receiving = replace(receiving, disposition="in_progress", event_time=WHEN + timedelta(hours=2))
    counting = replace(
        packing, action=Action.OBSERVE, biz_step="inspecting", children=(package(1), package(2)),
        event_id=f"urn:uuid:{uuid.uuid4()}", disposition="mismatch_quantity", event_time=WHEN + timedelta(hours=3),
    )  # fmt: skip
    send(receiving, counting, by=dock)
    wrong = trade.begun(7, lot="WRONG")
    send(wrong)
    send(replace(wrong, declaration=ErrorDeclaration(WHEN + timedelta(days=1), "incorrect_data")))
    send(replace(trade.begun(8), event_time=NOON + timedelta(days=30)))
    recall = replace(
        trade.begun(4), action=Action.OBSERVE, biz_step="holding", disposition="recalled", ilmd=(),
        event_time=WHEN + timedelta(hours=5),
    )  # fmt: skip
    send(recall)
    late(trade)
    noted(trade)
    handed_out(trade)
    scan = {"data": to_base64(f"01{package(1)[26:40]}211".encode())}
    assert trade.client.post("/verification/checks", json=scan, headers=dock).status_code == 200
    services.node.checkpoint()


def handed_out(trade: Trade) -> None:
    """An authority asked the maker for a package, and was answered."""
    requests = trade.node.services.requests
    search = Search.parse({"gtin": GTIN, "serial": "4"})
    asked = NewRequest(MAKER, Standing.FDA, Reason.RECALL, "R. Doe, FDA", "", "called back", search)
    requests.answer(requests.open(asked, OPERATOR), MAKER, OPERATOR)


def noted(trade: Trade) -> None:
    """An event with two erasable fields, of which one was erased."""
    private = (
        ("http://example.com/ns#contact", compact("Ann Lee")),
        ("http://example.com/ns#note", compact("x")),
    )
    made = replace(trade.begun(12), extensions=private)
    assert trade.post_epcis(trade.document(made)).status_code == 202
    redactions = trade.node.services.redactions
    redactions.redact(made.id, ["ext/http://example.com/ns#note"], "GDPR Art. 17(1)(a)", OPERATOR)


def late(trade: Trade) -> None:
    """A key is revoked; of two acts that it signs all the same, one is adopted and one given up."""
    services = trade.node.services
    made = make_device(trade.folder / "late", trade.folder / "root", "Line 2")
    key = services.keys.register(made.envelope, made.document, made.seed)
    root, old = KeyFolder.open(trade.folder / "root"), KeyFolder.open(trade.folder / "late")
    record = KeyRecord(KeyAction.REGISTER, key.spki, key.role, key.party_gln, key.label)
    signed = revoke(services.node.origin, root.signer, record, key.registered_idx + 1)
    services.keys.apply(signed.envelope.encode(), signed.document, signed.seed)
    raw = trade.document(trade.begun(9))
    parked = [trade.post_signed(raw, old), trade.post_signed(trade.document(trade.begun(10)), old)]
    assert [answer.status_code for answer in parked] == [409, 409]
    leaf = bytes.fromhex(parked[0].get_json()["parked"]["leaf"])
    fields = [each.fields() for each in read(raw).events]
    mine = sign_capture(trade.device, raw, "application/json", fields, (leaf,))
    services.capture.take_signed(mine.envelope, mine.seed, mine.document, mine.content_type)
    given_up = Statement.parse(Envelope.parse(old.outbox()[1].envelope).statement)
    void = sign_void(given_up, services.node.origin, trade.device.signer, "scanned twice")
    services.parking.give_up(void.envelope.encode(), void.document, void.seed)


@dataclass
class Stage:
    """A traded node's database, to be copied, and the rest of the node."""

    path: Path
    node: Node

    def copy(self, folder: Path) -> Database:
        target = folder / f"{uuid.uuid4()}.db"
        shutil.copy(self.path, target)
        return open_engine(f"sqlite:///{target}")

    def audit(self, database: Database) -> FsckReport:
        return fsck(database, replace(self.node, database=database))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The node after its story."""
    folder = tmp_path_factory.mktemp("stage")
    database = open_engine(f"sqlite:///{folder}/packproof.db")
    upgrade(database)
    node = make_node(database, sign_in_per_minute=1000, data_dir=folder / "var")
    tell(Trade(node, folder / "parties"))
    database.dispose()
    node.services.database.dispose()
    tamper(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    yield Stage(folder / "packproof.db", node.services.node)


def change(database: Database, name: str, row: Located) -> None:
    """Change the column `name` in one row.

    Keys differ from run to run, and with them the row that comes first: what is written must never be what stood there.
    """
    table, column = name.split(".")
    everything = f"SELECT {column} FROM {table} ORDER BY {_key(table)}"
    before = rows(database, everything)
    assert _write_other(database, table, column, row) == 1
    assert before != rows(database, everything), "the row was written as it stood"


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _write_other(database: Database, table: str, column: str, row: Located) -> int:
    kind = metadata.tables[table].columns[column].type
    found = f"SELECT min(rowid_) FROM (SELECT {_key(table)} AS rowid_ FROM {table} WHERE {row.where})"
    where = f"WHERE {_key(table)} = ({found})"
    if row.value:
        return tamper(database, f"UPDATE {table} SET {column} = {row.value} {where}")
    if isinstance(kind, LargeBinary):
        with database.reading() as connection:
            old = connection.exec_driver_sql(f"SELECT {column} FROM {table} {where}").scalar()
        new = flipped(bytes(old), len(old) // 2) if old is not None else bytes(32)
        return tamper(database, f"UPDATE {table} SET {column} = ? {where}", [new])
    other = f"coalesce({column}, '') || 'x'" if isinstance(kind, Text) else f"coalesce({column}, 0) + 77777"
    if isinstance(kind, Boolean):
        other = f"coalesce({column}, 0) = 0"
    return tamper(database, f"UPDATE {table} SET {column} = {other} {where}")


def _key(table: str) -> str:
    """What tells rows apart: the first column of the primary key, or all of it."""
    columns = [column.name for column in metadata.tables[table].primary_key.columns]
    return " || '/' || ".join(columns) if len(columns) > 1 else columns[0]


def test_the_table_has_every_column() -> None:
    declared = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        if table.name not in LEDGER_TABLES
        for column in table.columns
    }
    assert set(COLUMNS) == declared


def test_a_node_as_it_traded_has_no_findings(stage: Stage, tmp_path: Path) -> None:
    report = stage.audit(stage.copy(tmp_path))
    assert report.ok, report.findings
    assert report.counts["events"] == 13


@pytest.mark.parametrize("name", [name for name, row in RECORDED.items() if isinstance(row, Located)])
def test_a_changed_column_is_located(stage: Stage, tmp_path: Path, name: str) -> None:
    row = RECORDED[name]
    assert isinstance(row, Located)
    database = stage.copy(tmp_path)
    change(database, name, row)
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == row.table, report.findings[0].message
    rests = {found.table for found in report.findings if "packproof rebuild" in found.consequence}
    assert rests <= REBUILT, "a rebuild is promised to mend what it does not write"


def test_damaged_seeds_are_all_named_and_end_no_part_of_the_audit(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "MAX_FINDINGS", 1000)
    database = stage.copy(tmp_path)
    seeds = rows(database, "SELECT idx, seed FROM seed ORDER BY idx")
    for index, seed in seeds:
        assert tamper(database, "UPDATE seed SET seed = ? WHERE idx = ?", [b"\x01" + bytes(seed), index]) == 1
    report = stage.audit(database)
    database.dispose()
    named = [int(found.key) for found in report.findings if found.table == "seed"]
    assert named == [index for index, _ in seeds]
    assert {"party_key", "redaction", "disclosure"} <= {found.table for found in report.findings}
    assert [found.message for found in report.findings if found.table == "database"] == []


@pytest.mark.parametrize(
    "table", ["document", "event", "event_epc", "endorsement", "finding", "party_key", "item", "disclosure"]
)
def test_a_row_that_is_gone_is_missed(stage: Stage, tmp_path: Path, table: str) -> None:
    database = stage.copy(tmp_path)
    key = _key(table)
    last = f"(SELECT max({key}) FROM {table})"
    assert tamper(database, f"DELETE FROM {table} WHERE {key} = {last}") >= 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"


@pytest.mark.parametrize(
    ("table", "key", "column", "named"),
    [
        ("event", "seq", "body", "event"),
        ("event", "seq", "digest", "event"),
        ("document", "doc_id", "raw", "document"),
        ("document", "doc_id", "idx", "event"),
    ],
)
def test_two_rows_that_changed_places_are_named(
    stage: Stage, tmp_path: Path, table: str, key: str, column: str, named: str
) -> None:
    database = stage.copy(tmp_path)
    everything = rows(database, f"SELECT {key}, {column} FROM {table} ORDER BY {key}")
    first, one = everything[0]
    second, other = next(row for row in everything if row[1] != one)
    update = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
    # By way of a third value: some columns are unique.
    for value, number in ((-1, second), (other, first), (one, second)):
        assert tamper(database, update, [value, number]) == 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == named, report.findings[0].message


@pytest.mark.parametrize(
    ("table", "insert"),
    [
        ("finding", "SELECT max(finding_id) + 1, seq, code, severity, message, item_id, container_id, lasting "
                    "FROM finding WHERE lasting = 0"),
        ("event_epc", "SELECT item_id, seq, role + 1 FROM event_epc WHERE role = 0 LIMIT 1"),
        ("contained", "SELECT bucket, child, f + 1, t, parent FROM contained LIMIT 1"),
    ],
)  # fmt: skip
def test_a_row_that_stands_twice_is_named(stage: Stage, tmp_path: Path, table: str, insert: str) -> None:
    database = stage.copy(tmp_path)
    assert tamper(database, f"INSERT INTO {table} {insert}") == 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == table, report.findings[0].message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("nonsense", "-"),
        ("evil.example/ledger\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "origin"),
        ("", "-"),
    ],
)
def test_a_mark_that_is_none_of_this_ledger_is_named(
    stage: Stage, tmp_path: Path, text: str, column: str
) -> None:
    database = stage.copy(tmp_path)
    shutil.copytree(stage.node.data_dir, tmp_path / "var")
    (tmp_path / "var" / "mark").write_text(text)
    report = fsck(
        database, replace(stage.node, database=database, data_dir=tmp_path / "var"), ledger_only=True
    )
    database.dispose()
    assert [(found.invariant, found.table, found.column) for found in report.findings] == [
        ("I4", "mark", column)
    ]
