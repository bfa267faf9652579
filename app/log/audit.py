"""Audit of the time stamps: each is of a head that this log signed, and of that very note."""

from collections.abc import Iterator
from typing import Any

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from sqlalchemy import Row, func, select

from app.log.models import time_stamp
from app.log.timestamps import moment
from app.shared.auditing import AuditContext
from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import Note
from ledger.log.proof import root_at

RESTS = "when that head was there, by a stranger's clock"


def check(context: AuditContext) -> None:
    """Name the rows of `time_stamp` that are not what was stamped.

    Whose authority it is, is for `packproof ledger timestamp --show` to judge: an audit needs no settings.
    """
    count = context.connection.execute(select(func.count()).select_from(time_stamp)).scalar_one()
    rows = context.connection.execute(select(time_stamp).order_by(time_stamp.c.stamp_id))
    for done, row in enumerate(rows, 1):
        context.counts["time stamps"] += 1
        key = str(row.stamp_id)
        wrong = [*_of_head(context, row), *_of_answer(row)]
        for column, expected, found in wrong:
            context.add("I5", "time_stamp", key, column, expected, found, RESTS)
        context.tell("time stamps", done, count)


def _of_head(context: AuditContext, row: Row[Any]) -> Iterator[tuple[str, str, str]]:
    """(column, expected, found) of what is wrong with the head that was stamped."""
    try:
        head = Checkpoint.parse(Note.parse(row.note).text)
        if root_at(context.reader, head.size) != head.root:
            yield "note", "a head of this ledger", f"a head of {head.size} entries that is not on its tree"
        elif head.size != row.size:
            yield "size", str(head.size), str(row.size)
    except LedgerError as error:
        yield "note", "a checkpoint of this ledger", error.message


def _of_answer(row: Row[Any]) -> Iterator[tuple[str, str, str]]:
    """(column, expected, found) of what is wrong with the authority's answer."""
    try:
        roots = load_pem_x509_certificates(row.certificates)
    except ValueError as error:
        yield "certificates", "certificates in PEM", str(error)
        return
    try:
        response = decode_timestamp_response(row.response)
        VerifierBuilder(roots=roots).build().verify_message(response, row.note)
    except (VerificationError, ValueError) as error:
        yield "response", "a time stamp of the note beside it by these certificates", str(error)
        return
    if moment(response) != row.at:
        yield "at", moment(response).isoformat(), str(row.at)
