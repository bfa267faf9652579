"""Scans over the wire: the verdict, and with it what lets a scanner judge the node itself.

    POST /verification/checks    {"data": "<base64>", "symbology": "]d2", "known_size": 1200}      scope verify
    GET  /custody/contents?epc=  what should be in a container that is opened                       scope verify
    GET  /custody/shipped?epc=   the leaf of the statement by which it was shipped to the caller    scope verify

A scanner keeps the last checkpoint it saw. Each answer carries the present one and the proof that it continues that
one, so that a changed past shows at the next scan, without another request.
"""

from typing import Any

from flask_smorest import Blueprint

from app.shared.audit import disclose
from app.verification import contents, handover
from app.verification.answers import answer
from app.verification.schemas import CheckAnswer, CheckRequest, ContentsAnswer, ContentsQuery, ShippedAnswer
from app.web.access import reach
from app.web.actor import present
from app.wiring import Services, services
from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import to_base64
from ledger.log.note import Note
from ledger.log.proof import consistency_proof

blueprint = Blueprint("checks", __name__, description="Scans: verdicts and what is in a container")


@blueprint.post("/verification/checks")
@blueprint.arguments(CheckRequest)
@blueprint.response(200, CheckAnswer)
def check(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a scan for the caller's party.

    The answer carries the node's present checkpoint, the proof from `known_size` to it, and the evidence that the
    package's maker made it. 503 where this node may not sign its head: then nothing it says should be relied on.
    """
    node, actor = services(), present()
    asker = reach().party_gln
    result = node.verification.check(
        asked["data"], asked["symbology"], actor, asker=asker, site=asked["site"]
    )
    evidence = None
    if asked["evidence"] and result.subject is not None and result.record is not None:
        evidence = node.evidence.for_scan(result.subject, reader=asker)
    # One head in an answer: a scanner compares one, not two.
    note = node.node.checkpoint() if evidence is None else evidence.note
    return {
        **answer(result),
        "checkpoint": note.decode(),
        "consistency": _consistency(node, asked["known_size"], note),
        "evidence": evidence.data.decode("ascii") if evidence is not None else None,
    }


@blueprint.get("/custody/contents")
@blueprint.arguments(ContentsQuery, location="query")
@blueprint.response(200, ContentsAnswer)
def container_contents(asked: dict[str, Any]) -> contents.Inside:
    """What should be in a container that the caller's party has or gets."""
    node, actor = services(), present()
    found = contents.inside(node.database, asked["epc"], asker=reach().party_gln)
    disclose(
        node.database,
        node.clock,
        actor,
        "custody.contents",
        subject=found.epc,
        whose=found.holder or "",
        detail=f"{len(found.children)} things in it",
    )
    return found


@blueprint.get("/custody/shipped")
@blueprint.arguments(ContentsQuery, location="query")
@blueprint.response(200, ShippedAnswer)
def shipped(asked: dict[str, Any]) -> handover.Shipped:
    """The leaf that a receiver's statement refers to: of the shipper's, where the caller's party may read it."""
    node, actor, asker = services(), present(), reach().party_gln
    found = handover.shipped(node.database, node.node, asked["epc"], asker=asker)
    disclose(node.database, node.clock, actor, "custody.shipped", subject=found.epc, whose=asker or "")
    return found


def _consistency(node: Services, known: int | None, note: bytes) -> list[str]:
    size = Checkpoint.parse(Note.parse(note).text).size
    if not known or known >= size:
        # Nothing to prove; where it knows more than there is, the scanner draws its conclusion.
        return []
    with node.node.ledger.reading() as reader:
        return [to_base64(item) for item in consistency_proof(reader, known, size)]
