"""Answers to authorities are what their entries say: each entry's record, and the manifest that it names."""

import hashlib

from sqlalchemy import select

from app.regulator.answers import fits
from app.regulator.models import disclosure
from app.shared.auditing import AuditContext
from ledger.errors import VerificationError
from ledger.log.entry import Kind
from ledger.signing.aside import Disclosed
from ledger.store.sql.types import to_micros

_ANSWER = "what an authority was handed"


def check(context: AuditContext) -> None:
    """Compare every answer with its entry, and tell the other audits which entries it explains."""
    for row in context.connection.execute(select(disclosure).order_by(disclosure.c.idx)):
        context.counts["disclosures"] += 1
        key, entry = f"entry {row.idx}", context.entry(row.idx)
        if entry is None or entry.kind is not Kind.AUDIT:
            context.add("I9", "disclosure", key, "idx", "the entry that says so", "another", _ANSWER)
            continue
        context.explained.add(row.idx)
        try:
            record = Disclosed.parse(bytes(row.record))
        except VerificationError as error:
            context.add("I9", "disclosure", key, "record", "a record of a disclosure", str(error), _ANSWER)
            continue
        if not context.commits(entry, bytes(row.record)):
            context.add("I9", "disclosure", key, "record", "what its entry committed to", "other", _ANSWER)
        elif record.answer != hashlib.sha256(bytes(row.manifest)).digest():
            context.add("I9", "disclosure", key, "manifest", record.answer.hex(), "another", _ANSWER)
        elif record.request != row.request:
            context.add("I9", "disclosure", key, "request", record.request, row.request, _ANSWER)
        elif to_micros(row.at) // 1000 != entry.received_ms:
            context.add("I9", "disclosure", key, "at", str(entry.received_ms), str(row.at), _ANSWER)
        else:
            _files(context, key, bytes(row.manifest), bytes(row.answer))


def _files(context: AuditContext, key: str, manifest: bytes, archive: bytes) -> None:
    problem = fits(manifest, archive)
    if problem:
        context.add("I9", "disclosure", key, "answer", "the files of its manifest", problem, _ANSWER)
