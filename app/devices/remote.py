"""Sending key records, void-seqs and single captures to a node: what a party's own machine does."""

from typing import Any

from app.shared import sending
from ledger.signing.registration import Registration

_DONE = (200, 201)


def send(
    node: str, path: str, record: Registration, document_type: str = "application/json"
) -> dict[str, Any]:
    """POST the record to the node at the address `node`; its answer. Raises `AppError` with what the node said.

    Sending again is harmless: the same record changes nothing.
    """
    status, answer = sending.post_signed(
        sending.address(node) + path,
        record.envelope,
        record.document,
        record.seed,
        document_type,
        next_step="Send it again.",
    )
    if status in _DONE:
        return answer
    raise sending.refusal(node, status, answer, extra=("parked",))
