"""What the receiving desk's interface takes, as OpenAPI shows it, and how it shows a delivery."""

from typing import Any

from marshmallow import Schema, fields, validate

from app.receiving.kept import Done
from app.receiving.outcomes import DAMAGES, SAID
from app.receiving.service import State
from app.verification.service import MOST_RAW


class Begin(Schema):
    """Which delivery: a label in it, or the number of its despatch advice or order."""

    text = fields.String(required=True, validate=validate.Length(1, MOST_RAW))


class Opened(Schema):
    """Which container was opened, or set apart."""

    epc = fields.String(required=True, validate=validate.Length(1, 500))


class Damaged(Opened):
    """What is damaged, and how."""

    reason = fields.String(required=True, validate=validate.OneOf(list(DAMAGES)))


def shown(state: State) -> dict[str, Any]:
    """A delivery as JSON."""
    delivery, tally = state.delivery, state.tally
    return {
        "id": delivery.receiving_id,
        "state": delivery.state,
        "reference": delivery.reference,
        "purchase_order": delivery.purchase_order,
        "seller": delivery.seller_gln,
        "seller_authorized": delivery.data["authorized"],
        "statement_affirmed": delivery.data["affirmed"],
        "text": delivery.data.get("result", tally.text(live=delivery.is_open)),
        "expected": tally.expected,
        "found": tally.found,
        "short": tally.missed if delivery.is_open else tally.short,
        "to_come": tally.short - tally.missed if delivery.is_open else 0,
        "over": [{"epc": act.epc, "outcome": act.outcome.value} for act in tally.over],
        "missing": [row.line.epc for row in tally.rows if not row.complete and not row.found][:1000],
        "undecided": list(tally.undecided),
        "last": _last(state.last),
        "entry": delivery.index,
        "exceptions": list(delivery.data.get("cases", [])),
    }


def _last(done: Done | None) -> dict[str, Any] | None:
    if done is None:
        return None
    title, step = SAID[done.act.outcome]
    return {
        "kind": done.act.kind.value,
        "epc": done.act.epc,
        "outcome": done.act.outcome.value,
        "said": title,
        "next_step": step,
        "by": done.who,
        "check": done.check_id,
    }
