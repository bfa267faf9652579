"""A document of which something was erased, its events without ids of their own: a change is found where it was made.

And one changed row hides no other: the audit names what it cannot read and goes on. `REDACTED` (columns.py) says what
is located how.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.erasable.vault import digest_of
from app.migrate import upgrade
from app.node.service import Node
from app.proofs import fsck as audits
from app.proofs.fsck import fsck
from app.shared.auditing import AuditContext
from ledger.custody.stored import pack_fields, unpack_fields
from ledger.signing import remains
from ledger.signing.commitment import Leaf
from ledger.store.findings import FsckFinding
from ledger.store.sql.engine import Database, open_engine
from tests.app.proofs.columns import REDACTED
from tests.app.redaction.private import BASIS, NOTE, NOTE_PATH, noted
from tests.support.app import OPERATOR, make_node
from tests.support.crook import flipped, tamper
from tests.support.trade import Trade


def ends_early(context: AuditContext) -> None:
    """An audit in which the database refuses a query: after that PostgreSQL answers nothing, SQLite goes on."""
    if context.connection.dialect.name == "sqlite":
        raise ValueError("no number")
    context.connection.exec_driver_sql("SELECT 1 / 0")


class Stage:
    """A copy of a node's database. `redacted` and `whole`: the entries of two documents."""

    def __init__(self, database: Database, node: Node, redacted: int, whole: int) -> None:
        self.database, self.node = database, replace(node, database=database)
        self.redacted, self.whole = redacted, whole

    def value(self, query: str) -> bytes:
        with self.database.reading() as connection:
            return connection.exec_driver_sql(query).scalar_one()

    def seed(self, index: int, change: Callable[[bytes], bytes]) -> None:
        """Another seed for the entry at `index`."""
        new = change(bytes(self.value(f"SELECT seed FROM seed WHERE idx = {index}")))
        assert tamper(self.database, f"UPDATE seed SET seed = ? WHERE idx = {index}", [new]) == 1

    def document(self, column: str, value: object, index: int) -> None:
        assert tamper(self.database, f"UPDATE document SET {column} = ? WHERE idx = {index}", [value]) == 1

    def findings(self) -> list[FsckFinding]:
        return fsck(self.database, self.node, signatures=False).findings


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Node, int, int]]:
    """The database's file, its node, and the entries of a redacted and of a whole document."""
    folder = tmp_path_factory.mktemp("redacted")
    database = open_engine(f"sqlite:///{folder}/packproof.db")
    upgrade(database)
    node = make_node(database, data_dir=folder / "var")
    trade, services = Trade(node, folder / "parties"), node.services
    first, second, other = noted(trade, 1, event_id=None), trade.begun(2, event_id=None), trade.begun(3)
    third = replace(trade.begun(4, event_id=None), extensions=(NOTE,))
    for events in ((first, second, third), (other,)):
        assert trade.post_epcis(trade.document(*events)).status_code == 202
    with services.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT idx FROM document ORDER BY idx").scalars()
        redacted, whole = map(int, found)
    services.redactions.redact(first.id, [NOTE_PATH], BASIS, OPERATOR)
    services.database.dispose()
    database.dispose()
    tamper(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    yield folder / "packproof.db", services.node, redacted, whole


@pytest.fixture
def stage(told: tuple[Path, Node, int, int], tmp_path: Path) -> Iterator[Stage]:
    path, node, redacted, whole = told
    database = open_engine(f"sqlite:///{shutil.copy(path, tmp_path / 'copy.db')}")
    yield Stage(database, node, redacted, whole)
    database.dispose()


def _leaf_less(kept: bytes) -> bytes:
    """The remains of a document with one leaf less."""
    count = int.from_bytes(kept[1:5], "big")
    return remains.encode(remains.openings(kept, count)[:-1])


def _first_leaf(kept: bytes) -> int:
    return 5 + (int.from_bytes(kept[1:5], "big") + 7) // 8


SEEDS: dict[str, Callable[[bytes], bytes]] = {
    "version": lambda kept: flipped(kept, 0),
    "number of leaves": lambda kept: flipped(kept, 4),
    "first byte of the number": lambda kept: flipped(kept, 1),
    "bitmap": lambda kept: flipped(kept, 5),
    "a byte short": lambda kept: kept[:-1],
    "a byte more": lambda kept: kept + b"\x00",
    "32 bytes": lambda kept: kept[:32],
    "leaf 0": lambda kept: flipped(kept, _first_leaf(kept)),
    "a salt": lambda kept: flipped(kept, _first_leaf(kept) + 32),
    "the last salt": lambda kept: flipped(kept, len(kept) - 1),
    "a leaf less": _leaf_less,
}


def test_as_it_is_it_has_no_findings(stage: Stage) -> None:
    assert stage.findings() == []


@pytest.mark.parametrize("name", REDACTED)
def test_a_change_in_a_redacted_document_is_named_where_it_was_made(stage: Stage, name: str) -> None:
    if name in SEEDS:
        stage.seed(stage.redacted, SEEDS[name])
    elif name == "body of an event":
        body = f"(SELECT body FROM event WHERE idx = {stage.whole})"
        change = f"UPDATE event SET body = {body} WHERE idx = {stage.redacted} AND ev_no = 1"
        assert tamper(stage.database, change) == 1
    else:
        old = str(stage.value(f"SELECT intake FROM document WHERE idx = {stage.redacted}"))
        new = {
            "intake": old.replace('"onBehalfOf"', '"onBehalfOg"'),
            "intake, a member more": old.replace("{", '{"zzz": "1", ', 1),
            "intake, no object": "5",
        }
        assert new[name] != old
        stage.document("intake", new[name], stage.redacted)
    first, *others = stage.findings()
    assert (first.table, first.column) == (REDACTED[name].table, REDACTED[name].column), first.message
    key = str(stage.redacted) if first.table == "seed" else f"(entry {stage.redacted})"
    assert first.table == "event" or key in first.key, first.message
    if first.table in ("seed", "document") and name in SEEDS:
        assert others == [], "one change is one finding"


def test_an_event_rewritten_whole_in_a_redacted_document_is_named_by_what_the_document_says(
    stage: Stage,
) -> None:
    """Body, digest and columns agree with each other, and with the seed nothing can be told any more."""
    stage.seed(stage.redacted, lambda kept: flipped(kept, 0))
    where = f"WHERE idx = {stage.redacted} AND ev_no = 1"
    fields = unpack_fields(bytes(stage.value(f"SELECT body FROM event {where}")))
    changed = [Leaf("disposition", b"inactive") if each.path == "disposition" else each for each in fields]
    row = [pack_fields(changed), digest_of(changed), "inactive"]
    update = f"UPDATE event SET body = ?, digest = ?, disposition = ? {where}"
    assert tamper(stage.database, update, row) == 1
    named = [(each.table, each.column) for each in stage.findings()]
    assert named[:2] == [("seed", "seed"), ("event", "body (disposition)")]


@pytest.mark.parametrize("damage", ["remains", "a whole seed of 33 bytes", "a short seed", "intake", "raw"])
def test_one_broken_row_hides_no_other(stage: Stage, damage: str) -> None:
    broken = {
        "remains": lambda: stage.seed(stage.redacted, lambda kept: flipped(kept, 0)),
        "a whole seed of 33 bytes": lambda: stage.seed(stage.whole, lambda kept: b"\x01" + kept),
        "a short seed": lambda: stage.seed(stage.redacted, lambda kept: kept[:5]),
        "intake": lambda: stage.document("intake", "[1]", stage.redacted),
        "raw": lambda: stage.document("raw", "text", stage.redacted),
    }
    broken[damage]()
    for index in (stage.redacted, stage.whole):
        assert (
            tamper(stage.database, f"UPDATE event SET biz_step = 'x' WHERE idx = {index} AND ev_no = 0") == 1
        )
    assert tamper(stage.database, "UPDATE redaction SET basis = 'x'") == 1
    assert tamper(stage.database, "UPDATE item SET held = 77") >= 1
    found = stage.findings()
    steps = {each.key for each in found if (each.table, each.column) == ("event", "biz_step")}
    assert len(steps) == 2, found
    assert {"redaction", "item"} <= {each.table for each in found}
    if "seed" in damage or damage == "remains":
        index = stage.whole if "33" in damage else stage.redacted
        assert [each.key for each in found if each.table == "seed"] == [str(index)]
    else:
        assert any(each.table == "document" and str(stage.redacted) in each.key for each in found)


def test_the_damaged_seed_of_a_redactions_entry_is_named_and_hides_no_other(stage: Stage) -> None:
    index = int(stage.value("SELECT max(idx) FROM redaction"))
    stage.seed(index, lambda kept: b"\x01" + kept)
    assert tamper(stage.database, "UPDATE erasable SET path = path || 'x' WHERE path LIKE 'e2/%'") == 1
    tables = [(each.table, each.key) for each in stage.findings()]
    assert tables[:2] == [("seed", str(index)), ("redaction", f"entry {index}")]
    assert "erasable" in {table for table, _ in tables}


def test_a_part_of_the_audit_that_ends_early_is_named_and_the_next_runs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "AUDITS", (ends_early, *audits.AUDITS))
    assert tamper(stage.database, "UPDATE redaction SET basis = 'x'") == 1
    first, *others = stage.findings()
    assert (first.table, first.key) == ("database", ends_early.__module__)
    assert {each.table for each in others} == {"redaction"}
