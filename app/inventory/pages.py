"""The page 'What we have': products, lots and expiries, here and on their way; as CSV to take away."""

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.errors import Invalid
from app.inventory.api import looked
from app.inventory.rules import EXPIRING_DAYS, PAGE_LINES, Asked, Show
from app.inventory.service import Stock, as_table
from app.web.access import reach

blueprint = Blueprint("inventory", __name__, template_folder="templates")

SAID: dict[Show, str] = {
    Show.ALL: "Everything",
    Show.HERE: "Here",
    Show.COMING: "On its way",
    Show.HELD: "On hold",
    Show.RECALLED: "Recalled",
    Show.EXPIRED: "Expired",
    Show.SOON: f"Expires within {EXPIRING_DAYS} days",
}


@blueprint.get("/inventory")
def stock_page() -> tuple[str, int] | str:
    """What the reader's company has and what is on its way to it."""
    typed = {name: request.args.get(name, "")[:200] for name in ("gtin", "lot", "show")}
    problem: Invalid | None = None
    try:
        asked = Asked.parse(**typed)
        found = looked(asked)
    except Invalid as error:
        asked, problem = Asked(), error
    if problem is not None:
        page = render_template(
            "inventory/stock.html", typed=typed, problem=problem, found=None, asked=asked, tiles=[], said=SAID
        )
        return page, problem.status
    number = _page(request.args.get("page", ""), len(found.lines))
    begin = (number - 1) * PAGE_LINES
    return render_template(
        "inventory/stock.html",
        typed=typed,
        problem=None,
        found=found,
        asked=asked,
        said=SAID,
        tiles=_tiles(found, asked),
        lines=found.lines[begin : begin + PAGE_LINES],
        first=begin + 1,
        count=len(found.lines),
        before=_there(asked, page=number - 1) if number > 1 else "",
        after=_there(asked, page=number + 1) if begin + PAGE_LINES < len(found.lines) else "",
        file=_there(asked, to="inventory.table"),
        days=EXPIRING_DAYS,
    )


@blueprint.get("/inventory.csv")
def table() -> Response:
    """The same lines, all of them, as CSV."""
    asked = Asked.parse(*(request.args.get(name, "")[:200] for name in ("gtin", "lot", "show")))
    found = looked(asked, "as CSV")
    response = make_response(as_table(found))
    response.headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
    name = f"inventory-{reach().party_gln}-{found.at:%Y%m%dT%H%MZ}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _tiles(found: Stock, asked: Asked) -> list[tuple[str, int, str, str, bool]]:
    """The totals, each a way to its lines: what it is called, packages, a word beside, where it leads, whether it is
    shown now."""
    totals, outer = found.totals, found.outermost
    whole = not asked.gtin and not asked.lot
    here = _containers(outer.here) if whole else ""
    coming = _containers(outer.coming) if whole else ""
    if totals.short:
        coming = f"{totals.short} more not found in their container"
    rows = (
        (Show.HERE, totals.here, here),
        (Show.COMING, totals.coming, coming),
        (Show.HELD, totals.held, ""),
        (
            Show.RECALLED,
            totals.recalled,
            f"{totals.coming_stopped} more recalled or held, on their way" if totals.coming_stopped else "",
        ),
        (Show.EXPIRED, totals.expired, ""),
        (Show.SOON, totals.soon, ""),
    )
    return [
        (
            SAID[show],
            count,
            beside,
            _there(Asked(asked.gtin, asked.lot, Show.ALL if show is asked.show else show)),
            show is asked.show,
        )
        for show, count, beside in rows
        if not (found.only_here and show is Show.COMING)
    ]


def _containers(count: int) -> str:
    """How many lie on the dock by themselves, beside what is loose."""
    return "" if not count else f"{count} pallet{'s' if count > 1 else ''} or case{'s' if count > 1 else ''}"


def _there(asked: Asked, *, to: str = "inventory.stock_page", page: int = 1) -> str:
    """The address of these lines."""
    return url_for(
        to,
        gtin=asked.gtin or None,
        lot=asked.lot or None,
        show=None if asked.show is Show.ALL else asked.show.value,
        page=page if page > 1 else None,
    )


def _page(text: str, count: int) -> int:
    """The number of a page that exists."""
    last = max(1, -(-count // PAGE_LINES))
    return min(max(int(text), 1), last) if text.isascii() and text.isdigit() and len(text) < 9 else 1
