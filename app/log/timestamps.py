"""``packproof ledger timestamp``: a stranger's clock under a day's checkpoint (RFC 3161).

Our own clock proves nothing, and a cosignature's time only what its witness says. A time-stamping authority signs that
it saw the SHA-256 of a checkpoint's note at some moment; with it nobody can have made that head later::

    PACKPROOF_TSA_URL=https://tsa.example PACKPROOF_TSA_CERTIFICATES=tsa.pem packproof ledger timestamp
    packproof ledger timestamp --show -o stamp          stamp.note and stamp.tsr
    openssl ts -verify -data stamp.note -in stamp.tsr -CAfile tsa.pem

The answer is verified before it is kept. One a day is enough, so the command may run as often as one likes. A node that
serves takes the day's by itself (`app.log.stamping`).
"""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import Connection, insert, select

from app.errors import AppError, Invalid, NotFound
from app.log.models import time_stamp
from app.node.service import Node
from app.shared import asking
from ledger.signing.durable import write_whole
from ledger.store.sql.engine import Database

if TYPE_CHECKING:
    from app.cli import Context

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 30
"""For each piece of an answer, and for all of them together."""
LARGEST_ANSWER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A kept time stamp: when by the authority's clock, of how many entries, the note stamped, the answer in DER."""

    at: datetime
    size: int
    note: bytes
    response: bytes


def latest(connection: Connection) -> TimeStamp | None:
    """The time stamp that was kept last."""
    columns = (time_stamp.c.at, time_stamp.c.size, time_stamp.c.note, time_stamp.c.response)
    row = connection.execute(select(*columns).order_by(time_stamp.c.stamp_id.desc()).limit(1)).one_or_none()
    return None if row is None else TimeStamp(row.at, row.size, bytes(row.note), bytes(row.response))


def obtain(database: Database, node: Node, url: str, roots: list[Certificate]) -> TimeStamp:
    """Have the present checkpoint stamped by the authority at `url`, verify the answer against `roots`, keep it.

    Raises `AppError` ``tsa.unreachable`` or ``tsa.wrong``; then nothing was kept.
    """
    note = node.checkpoint()
    size = node.opened(note).checkpoint.size
    request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
    raw = _ask(url, request.as_bytes())
    at = check(note, raw, roots, nonce=request.nonce)
    stamp = TimeStamp(at, size, note, raw)
    with database.writing() as connection:
        kept = b"".join(root.public_bytes(Encoding.PEM) for root in roots)
        row = {"at": at, "size": size, "note": note, "response": raw, "certificates": kept}
        connection.execute(insert(time_stamp).values(row))
    return stamp


def check(note: bytes, raw: bytes, roots: list[Certificate], nonce: int | None = None) -> datetime:
    """When the authority saw `note`, by its own clock. Raises `AppError` ``tsa.wrong``."""
    try:
        response = decode_timestamp_response(raw)
        builder = VerifierBuilder(roots=list(roots), nonce=nonce)
        builder.build().verify_message(response, note)
    except (VerificationError, ValueError) as error:
        raise AppError(
            "tsa.wrong",
            502,
            "The time stamp does not verify",
            str(error),
            "Nothing was kept. PACKPROOF_TSA_CERTIFICATES must hold the authority's root, and its intermediates.",
        ) from error
    return moment(response)


def moment(response: TimeStampResponse) -> datetime:
    """The authority's time in an answer, UTC."""
    at = response.tst_info.gen_time
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _ask(url: str, request: bytes) -> bytes:
    def send() -> requests.Response:
        return requests.post(
            url,
            data=request,
            headers={"Content-Type": "application/timestamp-query", "Accept-Encoding": "identity"},
            timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S),
            allow_redirects=False,
            stream=True,
        )

    try:
        status, body = asking.answer(url, send, LARGEST_ANSWER_BYTES, ANSWER_TIMEOUT_S)
    except asking.NoAnswer as error:
        raise _unreachable(url, str(error)) from error
    if status != HTTPStatus.OK or len(body) > LARGEST_ANSWER_BYTES:
        raise _unreachable(url, f"it answered {status}, {len(body)} bytes")
    return body


def _unreachable(url: str, why: str) -> AppError:
    return AppError(
        "tsa.unreachable",
        503,
        "The time-stamping authority gives no answer",
        f"{url}: {why}",
        "Nothing was kept. Ask again later; PACKPROOF_TSA_URL is its address.",
    )


def certificates(path: Path | None) -> list[Certificate]:
    """The authority's certificates, PEM. Raises `Invalid`."""
    if path is None:
        raise Invalid("tsa.settings", "No certificates are set", "", "Set PACKPROOF_TSA_CERTIFICATES.")
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid("tsa.settings", f"{path} holds no certificates", str(error)) from error


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "timestamp",
        help="have the day's checkpoint stamped by a time-stamping authority (RFC 3161)",
        epilog="examples:\n  packproof ledger timestamp\n  packproof ledger timestamp --show -o stamp",
    )
    parser.add_argument("--force", action="store_true", help="also if today's is there already")
    parser.add_argument("--show", action="store_true", help="verify and show the last one instead")
    parser.add_argument("-o", "--output", metavar="NAME", help="write NAME.note and NAME.tsr")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    services, settings = context.services, context.settings
    missing = [
        name
        for name, value in (
            ("PACKPROOF_TSA_URL", arguments.show or settings.tsa_url),
            ("PACKPROOF_TSA_CERTIFICATES", settings.tsa_certificates),
        )
        if not value
    ]
    if missing:
        raise Invalid(
            "tsa.settings",
            "No time-stamping authority is set",
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} empty",
            "Set PACKPROOF_TSA_URL to its address and PACKPROOF_TSA_CERTIFICATES to a file with its root (PEM).",
        )
    roots = certificates(settings.tsa_certificates)
    with services.database.reading() as connection:
        stamp = latest(connection)
    fresh = False
    if arguments.show:
        if stamp is None:
            raise NotFound("There is no time stamp yet", "", "run: packproof ledger timestamp")
        check(stamp.note, stamp.response, roots)
    elif stamp is None or arguments.force or stamp.at.date() < services.clock.now().date():
        stamp, fresh = obtain(services.database, services.node, settings.tsa_url, roots), True
    files = []
    if arguments.output:
        for suffix, data in (("note", stamp.note), ("tsr", stamp.response)):
            files.append(f"{arguments.output}.{suffix}")
            write_whole(Path(files[-1]), data)
    data = {"new": fresh, "at": stamp.at.isoformat(), "size": stamp.size, "files": files}
    context.show(
        data, f"{'Stamped' if fresh else 'Was stamped'} at {stamp.at.isoformat()}: {stamp.size} entries"
    )
