"""What was handed out, each under an entry of the ledger that names its manifest by SHA-256.

The entry is of the kind audit, action `disclosed` (docs/formats/statement.md): who has the manifest can prove that it
was recorded, and nobody else learns what it was about. Answers are kept as they went out, and never made anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from app.errors import NotFound
from app.node.service import Node
from app.regulator.answers import Answer
from app.regulator.models import disclosure
from app.shared.actor import Actor
from app.shared.clock import Clock
from ledger.log.entry import Kind
from ledger.signing.aside import Disclosed, sign_aside
from ledger.signing.keys import load_verifier
from ledger.store.port import Draft
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter


@dataclass(frozen=True, slots=True)
class HandedOut:
    """An answer that went out: the entry that says so, when, and by whom."""

    index: int
    at: datetime
    by_name: str
    manifest: bytes


def enter(
    connection: Connection,
    node: Node,
    clock: Clock,
    request: str,
    data: Mapping[str, Any],
    made: Answer,
    actor: Actor,
) -> int:
    """Append the entry that says what was handed out, and keep the answer, in the caller's transaction; its index.

    `data` has the standing of who asked and the reason. Raises `CaptureStopped` on a node that may not write.
    """
    node.may_write()
    writer, intake, now = SqlWriter(connection, node.origin), node.intake_key, clock.now()
    writer.lock()
    told = Disclosed(made.digest, request, data["standing"], data["reason"])
    signed = sign_aside(told, node.origin, [intake])
    signatures = signed.envelope.entry_signatures([load_verifier(intake.spki)])
    draft = Draft(Kind.AUDIT, to_micros(now) // 1000, signed.envelope.statement, signatures, signed.seed)
    [entry] = writer.append([draft])
    connection.execute(
        insert(disclosure).values(
            idx=entry.index,
            request=request,
            record=signed.document,
            manifest=made.manifest,
            answer=made.archive,
            at=now,
            by_id=actor.id,
            by_name=actor.name,
        )
    )
    return entry.index


def of_request(connection: Connection, request: str) -> Sequence[HandedOut]:
    """What went out for a request."""
    columns = (disclosure.c.idx, disclosure.c.at, disclosure.c.by_name, disclosure.c.manifest)
    query = select(*columns).where(disclosure.c.request == request).order_by(disclosure.c.idx)
    return [HandedOut(row.idx, row.at, row.by_name, bytes(row.manifest)) for row in connection.execute(query)]


def archive(connection: Connection, request: str) -> bytes:
    """The answer as it went out. Raises `NotFound`."""
    query = select(disclosure.c.answer).where(disclosure.c.request == request).order_by(disclosure.c.idx)
    found = connection.execute(query).scalars().first()
    if found is None:
        raise NotFound("No answer yet", request, "It is there once the company has answered.")
    return bytes(found)
