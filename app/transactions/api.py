"""Transaction information for partners' systems.

    GET  /transactions                       the caller's sales and purchases, the last recorded first  scope query
    GET  /transactions/{id}                  one of them: information, statement, what is missing       scope query
    GET  /transactions/{id}/epcis            the same as an EPCIS document                              scope query

What is another party's, and what is withheld from the caller, is answered as what does not exist.
"""

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from app.errors import AppError, NotFound
from app.shared.audit import Outcome, disclose
from app.transactions.schemas import DocumentQuery, PageQuery
from app.transactions.service import Transaction
from app.transactions.showing import shown
from app.transactions.values import Guideline
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.epcis.document import Form

blueprint = Blueprint("transactions", __name__, description="Transaction information and statements")

TYPES = {Form.JSON20: "application/json", Form.XML12: "application/xml"}


@blueprint.get("/transactions")
@blueprint.arguments(PageQuery, location="query")
def listing(asked: dict[str, Any]) -> dict[str, Any]:
    """The caller's sales and purchases, without their packages."""
    reader = _reader()
    found, before = listed(reader, asked["before"])
    return {"transactions": [shown(each, reader, packages=False) for each in found], "before": before}


def listed(reader: str, before: int | None) -> tuple[list[Transaction], int | None]:
    """A page of the reader's sales and purchases, and where the next begins. The audit trail has it: for the page of
    people too."""
    node = services()
    found, more = node.transactions.page(reader, before)
    disclose(
        node.database,
        node.clock,
        present(),
        "transactions.list",
        subject="",
        whose=reader,
        outcome=Outcome.SHOWN if found else Outcome.NOTHING,
        detail=", ".join(each.transaction_id for each in found),
    )
    return found, more


@blueprint.get("/transactions/<string:transaction_id>")
def one(transaction_id: str) -> dict[str, Any]:
    """One sale with its packages. 404 for a stranger's, and for one that is withheld from its buyer, as for none."""
    return shown(_found(transaction_id), _reader())


@blueprint.get("/transactions/<string:transaction_id>/epcis")
@blueprint.arguments(DocumentQuery, location="query")
def document(asked: dict[str, Any], transaction_id: str) -> Response:
    """The sale as EPCIS 2.0 JSON or 1.2 XML, in the release of GS1 US's guideline that is asked for."""
    found = _found(transaction_id)
    return epcis_response(found, Guideline(asked["guideline"]), Form(asked["form"]))


def epcis_response(found: Transaction, guideline: Guideline, form: Form) -> Response:
    """The document as a file; 409 where it is withheld."""
    if found.missing:
        raise AppError(
            "transaction.withheld",
            409,
            "This transaction information is not released",
            "; ".join(found.missing)[:1000],
            "Put right what is named; then it is released by itself.",
        )
    body = services().transactions.document(found, guideline, form)
    ending = "json" if form is Form.JSON20 else "xml"
    name = f"transaction-{found.transaction_id}-{guideline.value}.{ending}"
    return Response(
        body,
        mimetype=TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _reader() -> str:
    return reach().party_gln or ""


def _found(transaction_id: str) -> Transaction:
    """The sale, for the caller; that it was shown, or asked for in vain, is written down."""
    node, reader = services(), _reader()
    try:
        found = node.transactions.one(transaction_id, reader=reader)
    except NotFound:
        _tell(transaction_id, Outcome.NOTHING, "")
        raise
    _tell(transaction_id, Outcome.SHOWN, found.sale.seller)
    return found


def _tell(transaction_id: str, outcome: Outcome, whose: str) -> None:
    node = services()
    detail = request.path.rpartition("/")[2] if request.path.endswith("/epcis") else ""
    disclose(
        node.database,
        node.clock,
        present(),
        "transaction.view",
        subject=transaction_id,
        whose=whose,
        outcome=outcome,
        detail=detail,
    )
