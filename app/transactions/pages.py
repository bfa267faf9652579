"""The pages 'Transactions': what was sold and bought, with information and statement, to read, print and take away."""

from flask import Blueprint, Response, render_template, request

from app.errors import Invalid, NotFound
from app.shared.audit import Outcome, disclose
from app.transactions.api import epcis_response, listed
from app.transactions.service import State, Transaction
from app.transactions.showing import WORDS, direction
from app.transactions.values import AFFIRMATIONS, Guideline
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.epcis.document import Form

blueprint = Blueprint("sales", __name__, template_folder="templates")


@blueprint.get("/ti")
def list_page() -> str:
    """Sales and purchases, the last recorded first."""
    reader = reach().party_gln or ""
    before = request.args.get("before", "")
    found, more = listed(reader, int(before) if before.isdigit() and len(before) < 18 else None)
    return render_template(
        "transactions/list.html", sales=[_row(each, reader) for each in found], more=more, first=not before
    )


@blueprint.get("/ti/<string:transaction_id>")
def one_page(transaction_id: str) -> str:
    """One of them, as it is printed."""
    found = _found(transaction_id, "")
    return render_template(
        "transactions/one.html",
        sale=found,
        row=_row(found, reach().party_gln),
        info=found.info,
        affirmations=AFFIRMATIONS,
        missing=found.missing if reach().party_gln == found.sale.seller else (),
        checks=services().transactions.authorization(found),
        forms=[
            ("2.0 JSON, R1.3", "json20", "R1.3"),
            ("1.2 XML, R1.3", "xml12", "R1.3"),
            ("1.2 XML, R1.2", "xml12", "R1.2"),
        ],
    )


@blueprint.get("/ti/<string:transaction_id>/file")
def download(transaction_id: str) -> Response:
    """The EPCIS document."""
    try:
        form = Form(request.args.get("form", Form.JSON20.value))
        guideline = Guideline(request.args.get("guideline", Guideline.R13.value))
    except ValueError as error:
        raise Invalid(
            "transaction.form", "No such form", str(error), "json20 or xml12; R1.2 or R1.3"
        ) from error
    if form is Form.XML20:
        raise Invalid("transaction.form", "No such form", form.value, "json20 or xml12; R1.2 or R1.3")
    return epcis_response(_found(transaction_id, f"{form.value} {guideline.value}"), guideline, form)


def _found(transaction_id: str, detail: str) -> Transaction:
    node, reader = services(), reach().party_gln or ""

    def tell(outcome: Outcome, whose: str) -> None:
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

    try:
        found = node.transactions.one(transaction_id, reader=reader)
    except NotFound:
        tell(Outcome.NOTHING, "")
        raise
    tell(Outcome.SHOWN, found.sale.seller)
    return found


def _row(found: Transaction, reader: str | None) -> dict[str, object]:
    """What a line of the list says."""
    out = direction(found, reader) == "out"
    other = found.info.buyer if out else found.info.seller
    names = dict.fromkeys(line.product.name or f"GTIN {line.product.gtin}" for line in found.info.lines)
    return {
        "id": found.transaction_id,
        "out": out,
        "title": f"{'Sold to' if out else 'Bought from'} {other.name or other.gln}",
        "state": found.state.value,
        "word": WORDS[found.state],
        "released": found.state is State.RELEASED,
        "packages": found.info.packages,
        "products": ", ".join(names) or "nothing known to be in it",
        "date": found.info.transaction_date or "no date",
        "order": found.info.order,
        "missing": len(found.missing),
    }
