"""You are the crook: three frauds a node's operator could try, on copies, and how each comes out.

a. edit a row                       fsck computes everything anew and names it
b. rewrite history properly         every hash, the head, checkpoints and mark, signed again with the node's own
                                    key: fsck is content; whoever remembers an earlier checkpoint is not
c. restore yesterday's database     the node itself notices, and goes read-only

The crook has everything the operator has: all files of the node, its keys, the source. Not the parties' keys, and not
what the pharmacy's scanner remembers.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Table, insert, select, text

from app import wiring
from app.capture.committer import Committer
from app.capture.prepare import read_document, receive
from app.config import Settings
from app.demo.stage import ORIGIN, Stage, StoryBroke
from app.demo.world import PHARMACY
from app.devices.models import party_key
from app.events.records import raw_document
from app.node.service import Node
from app.proofs.fsck import fsck
from app.regulator.models import disclosure
from app.shared.clock import ManualClock
from app.wiring import Services
from ledger.log.entry import Entry, Kind
from ledger.signing.envelope import Envelope, EnvelopeSignature
from ledger.store.port import Draft
from ledger.store.sql.engine import sqlite_driver
from ledger.store.sql.metadata import metadata
from ledger.store.sql.types import from_micros
from ledger.store.sql.writer import SqlWriter

Say = Callable[[str], None]


def cheat(stage: Stage, say: Say) -> dict[str, Any]:
    """Try the three frauds on copies of the story's node; what came of each. `StoryBroke` if one goes unnoticed."""
    folder = stage.root / "cheat"
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "edit": _edit(stage, folder / "a", say),
        "rewrite": _rewrite(stage, folder / "b", say),
        "rollback": _rollback(stage, folder / "c", say),
    }


def _copy(stage: Stage, folder: Path) -> Stage:
    """The whole node and all that the parties keep, copied."""
    crook = Stage(folder, passwords=dict(stage.passwords))
    (folder / "node").mkdir(parents=True)
    stage.copy_database(folder / "node" / "packproof.db")
    shutil.copytree(stage.node / "private", folder / "node" / "private")
    shutil.copytree(stage.root / "parties", folder / "parties")
    shutil.copytree(stage.labels, folder / "labels")
    return crook


def _services(stage: Stage) -> Services:
    settings = Settings(
        database_url=f"sqlite:///{(stage.node / 'packproof.db').resolve()}",
        data_dir=stage.node / "private",
        ledger_origin=ORIGIN,
    )
    return wiring.build(settings)


def _execute(stage: Stage, *statements: str) -> None:
    with closing(sqlite_driver().connect(str(stage.node / "packproof.db"))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


# -- a


def _edit(stage: Stage, folder: Path, say: Say) -> dict[str, Any]:
    say("(a) Edit a row. An entry's bytes are changed; the trigger that forbids it is dropped first.")
    crook = _copy(stage, folder)
    _execute(
        crook,
        *[f"DROP TRIGGER {name}" for name in _triggers(crook, "entry")],
        "UPDATE entry SET body = CAST(substr(body, 1, length(body) - 1) || x'ff' AS BLOB) WHERE idx = 12",
        "UPDATE item SET holder_id = 1 WHERE item_id = 30",
    )
    services = _services(crook)
    report = fsck(services.database, services.node)
    services.database.dispose()
    if report.ok:
        raise StoryBroke("fsck did not see an edited row")
    first = report.findings[0].message
    say(f"    packproof fsck: {first}")
    return {"found": True, "first": first}


def _triggers(stage: Stage, table: str) -> list[str]:
    with closing(sqlite_driver().connect(str(stage.node / "packproof.db"))) as connection:
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        )
        return [row[0] for row in rows]


# -- b


def _rewrite(stage: Stage, folder: Path, say: Say) -> dict[str, Any]:
    say(
        "(b) Rewrite history properly: the package that was dispensed never was. Every entry is chained, hashed and"
    )
    say("    signed again with the node's own key, a new mark and a new checkpoint are made.")
    crook = _copy(stage, folder)
    changed = _rewritten(crook)
    services = _services(crook)
    report = fsck(services.database, services.node)
    services.database.dispose()
    if not report.ok:
        raise StoryBroke("The crook was clumsy: fsck found his rewriting", report.findings[0].message)
    say(f"    packproof fsck is content: {report.counts['entries']} entries, {changed} of them changed.")
    crook.serve()
    try:
        _point_at(crook)
        answer = crook.scan(PHARMACY, "check", crook.labels / "ok.png", may_fail=True)
        again = crook.scan(PHARMACY, "check", crook.labels / "ok.png", may_fail=True)
    finally:
        crook.stop()
    reason = str(json.loads(answer["stderr"]).get("message", ""))
    if not answer["exit"] or not again["exit"]:
        raise StoryBroke("The pharmacy's scanner believed a rewritten history", str(answer))
    say("    The pharmacy's scanner, which remembers the last checkpoint, refuses this node from now on:")
    say(f"    {reason}")
    return {"fsck_content": True, "scanner_refused": True, "reason": reason}


def _point_at(crook: Stage) -> None:
    """The crook answers at the address that the pharmacy knows. On one machine that is another port, so the copy of its
    bench is told it; what the bench remembers stays as it was."""
    file = crook.bench(PHARMACY) / "bench.json"
    bench = json.loads(file.read_text())
    file.write_text(json.dumps(bench | {"node": crook.url}, sort_keys=True, separators=(",", ":")))


def _rewritten(crook: Stage) -> int:
    """Append the whole ledger anew, as if nothing had been dispensed; how many entries were changed."""
    services = _services(crook)
    old = _contents(services)
    _empty(crook)
    (crook.node / "private" / "mark").unlink()
    clock = ManualClock(from_micros(0))
    node = Node(services.database, ORIGIN, crook.node / "private", clock)
    node.ledger.create()
    node.may_write()
    capture = replace(
        services.capture,
        node=node,
        clock=clock,
        committer=Committer(services.database, ORIGIN, clock, node.may_write),
    )
    changed = 0
    for entry, seed, rows, document in old:
        clock.advance(from_micros(entry.received_ms * 1000) - clock.now())
        if document is None:
            _again(services, entry, seed, rows)
            continue
        if document["channel"] == "page" and b"dispensing" in document["raw"]:
            # Not even the number of entries changes: where it was dispensed, it was only looked at.
            changed += 1
            for was, becomes in _LOOKED_AT:
                document["raw"] = document["raw"].replace(was, becomes)
        if entry.kind is Kind.CAPTURED:
            signatures = tuple(EnvelopeSignature(s.key, s.sig) for s in entry.signatures)
            envelope = Envelope(entry.statement, signatures).encode()
            capture.take_signed(envelope, seed, document["raw"], None)
        else:
            read = read_document(document["raw"], None, 100_000, 2**30)
            prepared = receive(
                document=read,
                raw=document["raw"],
                events=capture.events(read, document["by"]),
                by=document["by"],
                channel=document["channel"],
                origin=ORIGIN,
                intake_key=node.intake_key,
                account=document["intake"]["by"],
                session=document["intake"].get("session"),
            )
            capture.submit(prepared)
    node.checkpoint()
    services.database.dispose()
    return changed


_LOOKED_AT = ((b"dispensing", b"inspecting"), (b'"DELETE"', b'"OBSERVE"'), (b'"dispensed"', b'"active"'))


_Rows = list[tuple[Table, dict[str, Any]]]


def _contents(services: Services) -> list[tuple[Entry, bytes, _Rows, dict[str, Any] | None]]:
    """Every entry with its seed, the rows that rest on it (keys, what was handed to an inspector), its document."""
    found = []
    with services.database.snapshot() as connection:
        reader = services.node.ledger.reader(connection)
        rows: dict[int, _Rows] = {}
        for table in (party_key, disclosure):
            for row in connection.execute(select(table)).mappings():
                rows.setdefault(row["idx"], []).append((table, dict(row)))
        query = text("SELECT d.*, p.gln AS by FROM document d JOIN party p ON p.party_id = d.by_id")
        documents = {row["idx"]: dict(row) for row in connection.execute(query).mappings()}
        for index, body in reader.entries(0, reader.head().size):
            document = documents.get(index)
            if document is not None:
                raw, _ = services.node.vault.raw(connection, index, raw_document(document["raw"]))
                document |= {"raw": raw, "intake": json.loads(document["intake"])}
            found.append((Entry.decode(body), reader.seed(index) or b"", rows.get(index, []), document))
    return found


_KEPT = frozenset(
    "party site licence product user_account api_token web_session sign_in_failure audit_trail".split()
)


def _empty(crook: Stage) -> None:
    """Drop everything that the ledger's entries made; parties, people and products stay."""
    tables = [table.name for table in reversed(metadata.sorted_tables) if table.name not in _KEPT]
    drops = [f"DROP TRIGGER {name}" for table in tables for name in _triggers(crook, table)]
    _execute(crook, *drops, *[f"DELETE FROM {table}" for table in tables])  # noqa: S608 - our own names


def _again(services: Services, entry: Entry, seed: bytes, rows: _Rows) -> None:
    """A key's registration, as its party signed it, which the crook can only copy; or a disclosure, as it was."""
    with services.database.writing() as connection:
        writer = SqlWriter(connection, ORIGIN)
        [made] = writer.append(
            [Draft(entry.kind, entry.received_ms, entry.statement, entry.signatures, seed)]
        )
        for table, row in rows:
            connection.execute(insert(table), row | {"idx": made.index})


# -- c


def _rollback(stage: Stage, folder: Path, say: Say) -> dict[str, Any]:
    say("(c) Restore yesterday's database, from before the shortage was found, under the node's own mark.")
    crook = _copy(stage, folder)
    shutil.copy(stage.root / "yesterday.db", crook.node / "packproof.db")
    crook.serve()
    try:
        answer = requests.get(f"{crook.url}/ledger/checkpoint", timeout=30)
    finally:
        crook.stop()
    if answer.status_code != 503:
        raise StoryBroke("The node signs on after a rollback", answer.text[:300])
    detail = str(answer.json().get("detail", ""))
    say(f"    The node goes read-only and says: {detail}")
    return {"refused": True, "detail": detail}
