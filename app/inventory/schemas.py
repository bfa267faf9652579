"""What programs send to /api/inventory and get."""

from typing import Any

from marshmallow import Schema, fields, validate

from app.inventory.rules import MOST_LINES, Line, Show
from app.inventory.service import Stock

MOST_PAGE = 500


class StockQuery(Schema):
    """Which lines, and which page of them."""

    gtin = fields.String(load_default="", validate=validate.Length(max=14))
    lot = fields.String(load_default="", validate=validate.Length(max=20))
    show = fields.String(load_default=Show.ALL.value, validate=validate.OneOf([each.value for each in Show]))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_PAGE))
    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MOST_LINES),
        metadata={"description": "`next` of the page before"},
    )


def shown(found: Stock, after: int, limit: int) -> dict[str, Any]:
    """A page of the lines, with the totals of all."""
    page = found.lines[after : after + limit]
    totals = found.totals

    def coming(count: int) -> int | None:
        return None if found.only_here else count

    return {
        "at": found.at.isoformat(),
        "totals": {
            "here": totals.here,
            "on_its_way": coming(totals.coming),
            "on_its_way_stopped": coming(totals.coming_stopped),
            "not_found_in_its_container": coming(totals.short),
            "on_hold": totals.held,
            "recalled": totals.recalled,
            "expired": totals.expired,
            "expires_soon": totals.soon,
            "containers_here": found.outermost.here,
            "containers_on_their_way": found.outermost.coming,
        },
        "lines": [_line(line, found) for line in page],
        "next": after + limit if after + limit < len(found.lines) else None,
    }


def _line(line: Line, found: Stock) -> dict[str, Any]:
    return {
        "gtin": line.gtin,
        "product": line.name,
        "lot": line.lot or None,
        "expiry": line.expiry.isoformat() if line.expiry else None,
        "here": line.here,
        "containers": line.containers,
        "loose": line.loose,
        "on_hold": line.held,
        "recalled": line.recalled,
        "expired": line.expired(found.today),
        "on_its_way": None if found.only_here else line.coming,
        "on_its_way_stopped": None if found.only_here else line.coming_stopped,
        "not_found_in_its_container": None if found.only_here else line.short,
    }
