"""The audit names what was changed on PostgreSQL as well: a sample of what test_tampering.py changes on SQLite.

The story is told once, on a database of its own; each change is made in a copy and past every trigger.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.node.service import Node
from app.proofs import fsck as audits
from app.proofs.fsck import fsck
from ledger.store.findings import FsckReport
from ledger.store.sql.engine import Database, open_engine
from tests.app.proofs.test_tampering import tell
from tests.app.proofs.test_tampering_redacted import ends_early
from tests.support.app import make_node
from tests.support.crook import tamper
from tests.support.postgres import Postgres
from tests.support.trade import Trade

SAMPLE = {
    "item.holder_id": ("UPDATE item SET holder_id = holder_id + 1 WHERE holder_id IS NOT NULL", "item"),
    "item.parent_id": ("UPDATE item SET parent_id = 77777 WHERE parent_id IS NOT NULL", "item"),
    "contained.t": ("UPDATE contained SET t = t - 1", "contained"),
    "finding.severity": ("UPDATE finding SET severity = 'x' WHERE NOT lasting", "finding"),
    "party.gln": ("UPDATE party SET gln = gln || 'x'", "party_key"),
    "document.raw": ("UPDATE document SET raw = raw || '\\x00'::bytea WHERE signer IS NULL", "document"),
    "document.intake": ("UPDATE document SET intake = '{}'", "document"),
    "event.body": ("UPDATE event SET body = set_byte(body, 0, 2)", "event"),
    "event.digest": ("UPDATE event SET digest = sha256(digest)", "event"),
    "event.event_time": ("UPDATE event SET event_time = event_time + 1", "event"),
    "event_epc.role": ("UPDATE event_epc SET role = role + 10", "event_epc"),
    "endorsement.ev_no": ("UPDATE endorsement SET ev_no = ev_no + 1", "endorsement"),
    "party_key.label": ("UPDATE party_key SET label = label || 'x'", "party_key"),
    "chain_link.prev": ("UPDATE chain_link SET prev = sha256(prev)", "chain_link"),
    "parked.record": ("UPDATE parked SET record = record || '\\x00'::bytea", "parked"),
    "exception_case.kind": ("UPDATE exception_case SET kind = 'x'", "exception_case"),
    "erasable.path": ("UPDATE erasable SET path = path || 'x'", "erasable"),
    "redaction.basis": ("UPDATE redaction SET basis = basis || 'x'", "redaction"),
    "entry.body": ("UPDATE entry SET body = set_byte(body, 60, 1 # get_byte(body, 60)) WHERE idx = 4", "entry"),
    "seed.seed": ("UPDATE seed SET seed = sha256(seed) WHERE idx = (SELECT idx FROM document LIMIT 1)", "document"),
    "head.root": ("UPDATE head SET root = sha256(root)", "head"),
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(
    postgres: Postgres, _postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Node]]:
    """The name of a database after the story, and the rest of its node."""
    folder = tmp_path_factory.mktemp("stage")
    url = postgres.create(_postgres_template)
    database = open_engine(url)
    node = make_node(database, sign_in_per_minute=1000, data_dir=folder / "var")
    tell(Trade(node, folder / "parties"))
    node.services.database.dispose()
    database.dispose()
    yield url.rsplit("/", 1)[1], node.services.node
    postgres.drop(url)


@pytest.fixture
def copy(postgres: Postgres, stage: tuple[str, Node]) -> Iterator[Database]:
    """A copy of that database."""
    url = postgres.create(stage[0])
    database = open_engine(url)
    yield database
    database.dispose()
    postgres.drop(url)


def audited(database: Database, node: Node) -> FsckReport:
    return fsck(database, replace(node, database=database))


def test_as_it_traded_it_has_no_findings(stage: tuple[str, Node], copy: Database) -> None:
    report = audited(copy, stage[1])
    assert report.ok, report.findings
    assert report.counts["events"] == 13


@pytest.mark.parametrize("name", SAMPLE)
def test_what_is_changed_is_named(stage: tuple[str, Node], copy: Database, name: str) -> None:
    change, table = SAMPLE[name]
    assert tamper(copy, change) >= 1
    report = audited(copy, stage[1])
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == table, report.findings[0].message


def test_a_query_that_the_database_refuses_hides_nothing(
    stage: tuple[str, Node], copy: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "AUDITS", (ends_early, *audits.AUDITS))
    assert tamper(copy, SAMPLE["redaction.basis"][0]) >= 1
    tables = [each.table for each in audited(copy, stage[1]).findings]
    assert tables == ["database", "redaction"]
