"""Sending what a party signed to a node, over HTTP: ``POST /ledger/captures``.

Nothing is lost on the way: a capture is in its folder's outbox before it is sent, stays there until the node has
answered with a receipt, and is sent as the same bytes each time, which gives the same receipt.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from app.errors import AppError
from app.shared import sending
from app.witness.client import look
from ledger.epcis.document import Document, Form
from ledger.errors import LedgerError
from ledger.signing.client import KeyFolder, SignedCapture, sign_capture

POLL_S = 1.0
MOST_FAILURES = 60  # polls in a row that a node may fail to answer
CONTENT_TYPES = {
    Form.JSON20: "application/json",
    Form.XML12: "application/xml",
    Form.XML20: "application/xml",
}
Tell = Callable[[int, int], None]
_JOB = re.compile("[0-9a-f]{32}")
# Answers after which the same bytes will never be taken; everything else may pass, and is sent again later.
FINAL = frozenset({400, 403, 409, 413, 415, 422})


def sign_and_send(
    folder: KeyFolder,
    node: str,
    raw: bytes,
    document: Document,
    tell: Tell | None = None,
    *,
    refs: tuple[bytes, ...] = (),
    also: Sequence[KeyFolder] = (),
) -> tuple[Mapping[str, Any], int]:
    """Sign `raw`, which was read as `document`, with the key in `folder` and send it; its receipt, and how many
    captures went first that were signed earlier and not acknowledged. Raises `AppError`.

    `tell` hears how many events of a long document are applied, of how many. `refs` are leaves that the capture refers
    to: that of a parked act, to adopt it. The keys in `also` sign along.
    """
    try:
        # What was signed earlier goes first: the chain should arrive in its order.
        late = send_outbox(folder, node)
        signed = sign_capture(
            folder,
            raw,
            CONTENT_TYPES[document.form],
            [event.fields() for event in document.events],
            refs,
            also,
        )
    except LedgerError as error:
        raise AppError(f"client.{error.code}", 400, "It cannot be signed", str(error)) from error
    return send(folder, node, signed, tell), late


def send(folder: KeyFolder, node: str, capture: SignedCapture, tell: Tell | None = None) -> Mapping[str, Any]:
    """Send one capture to the node at the address `node`; its receipt, kept in the folder too.

    Raises `AppError`: with what the node said where it refuses (the capture is then parked), or where it cannot be
    reached (then it stays in the outbox).
    """
    # Whoever captures is a witness: nothing goes to a node that shows another past than before.
    base = sending.address(node)
    look(folder, base)
    status, answer = sending.post_signed(
        base + "/ledger/captures",
        capture.envelope,
        capture.document,
        capture.seed,
        capture.content_type,
        next_step="Nothing is lost: what was signed stays in the outbox and is sent again by the next packproof "
        "capture.",
    )
    if status == HTTPStatus.ACCEPTED:
        status, answer = _wait(base, answer, tell)
    if status == HTTPStatus.CREATED:
        folder.acknowledged(capture, answer)
        return answer
    if status in FINAL:
        folder.refused(capture, answer)
        kept = "It is parked in the folder's refused/, for a person to look at."
    else:
        kept = "It stays in the outbox and is sent again by the next packproof capture."
    raise sending.refusal(node, status, answer, kept=kept, extra=("problems",))


def _wait(node: str, job: Mapping[str, Any], tell: Tell | None) -> tuple[int, dict[str, Any]]:
    """Ask after a long document's job until it is finished: as if the node had answered with its receipt or problem.

    An answer that is none, or a node that is away for a while, is asked again: the node has the document.
    """
    name, failures = str(job.get("captureID", "")), 0
    if not _JOB.fullmatch(name):
        return HTTPStatus.BAD_GATEWAY, {"title": "an answer without the job's id: is this a packproof node?"}
    while True:
        status, told = sending.get(f"{node}/ledger/captures/{name}")
        if status == HTTPStatus.OK:
            failures = 0
            if told.get("receipt"):
                return HTTPStatus.CREATED, dict(told["receipt"])
            if told.get("errors"):
                problem = dict(told["errors"][0])
                return int(problem.get("status", HTTPStatus.BAD_REQUEST)), problem
            progress = told.get("progress") or {}
            if tell is not None:
                tell(int(progress.get("applied") or 0), int(progress.get("events") or 0))
        else:
            failures += 1
            if failures > MOST_FAILURES:
                return int(status), told
        time.sleep(POLL_S)


def send_outbox(folder: KeyFolder, node: str) -> int:
    """Send what is still in the outbox, in the order of signing; how many. Raises as `send` does."""
    waiting = folder.outbox()
    for capture in waiting:
        send(folder, node, capture)
    return len(waiting)
