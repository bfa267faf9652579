"""Receive delivery: what is on its way, and one delivery at the dock, scan by scan. Works without script."""

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from app.cases import pages
from app.cases import service as cases
from app.cases.rules import Desk
from app.errors import AppError, Conflict, Invalid, NotFound
from app.history.rules import shown
from app.partners import service as partners
from app.receiving import kept
from app.receiving.kept import Done
from app.receiving.outcomes import DAMAGES, SAID, Outcome
from app.receiving.rules import ActKind, Row, Seen, Tally
from app.receiving.service import State
from app.shared.actor import Actor
from app.shared.audit import disclose
from app.transactions import purchases
from app.transactions.purchases import Standing
from app.web.access import reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("receiving", __name__, template_folder="templates")
pages.register(blueprint, Desk.RECEIVING, "/receiving", page="delivery_page", name="receiving_id")

_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_MOST_ROWS = 300  # lines of one page; what is missing is shown first
_GOOD = frozenset({Outcome.MATCH, Outcome.OTHER_DELIVERY, Outcome.DONE, Outcome.AGAIN})
_MOST_TO_DECIDE = 20  # containers that the page asks about at once

Answer = Response | tuple[str, int]


def _told_here(act: Callable[[str], Response]) -> Callable[[str], Answer]:
    """A command of the page: what speaks against it is told on the page itself, with all that was scanned."""

    @wraps(act)
    def answered(receiving_id: str) -> Answer:
        try:
            return act(receiving_id)
        except (Conflict, Invalid) as problem:
            return _delivery(receiving_id, problem), problem.status

    return answered


@blueprint.get("/receiving")
def list_page() -> str:
    """What is on its way to us, what is being received, what was received lately."""
    return _list()


@blueprint.post("/receiving")
def begin() -> Response | tuple[str, int]:
    """Begin with a delivery: by a label in it, its number, or the one that was chosen."""
    node, actor = services(), _ours()
    assert actor.party_gln is not None
    asked = request.form.get("shipment") or request.form.get("code", "")
    try:
        shipment = node.receiving.find(asked[:4096], actor.party_gln)
    except NotFound as error:
        if request.form.get("shipment"):
            raise
        return _list(problem=f"{error.title}. {error.next_step}", asked=asked), HTTPStatus.NOT_FOUND
    return _to(node.receiving.open(shipment, actor))


@blueprint.get("/receiving/<receiving_id>")
def delivery_page(receiving_id: str) -> str:
    """One delivery: how far it is, what was scanned last, what lacks."""
    return _delivery(receiving_id)


def _delivery(receiving_id: str, problem: AppError | None = None) -> str:
    node = services()
    state = node.receiving.state(receiving_id, reach().party_gln)
    delivery = state.delivery
    disclose(
        node.database, node.clock, present(), "receiving.view", subject=receiving_id, whose=delivery.party_gln
    )
    with node.database.reading() as connection:
        names = partners.names(connection, [delivery.seller_gln] if delivery.seller_gln else [])
        found = cases.some(connection, delivery.data.get("cases", []))
        # Deliveries that were begun before they had cases have none.
        has_case = bool(cases.some(connection, [receiving_id]))
        own = cases.case(connection, Desk.RECEIVING, receiving_id, delivery.party_gln) if has_case else None
        view = pages.views(connection, [own], node.clock.now(), lambda case: "")[0] if own else None
        information = Standing(delivery.data.get("information", Standing.INCOMPLETE))
        if information is Standing.INCOMPLETE:  # the seller may have sent what was missing
            information = purchases.standing(connection, delivery.data["seqs"])
    rows = _rows(state.tally, live=delivery.is_open)
    return render_template(
        "receiving/delivery.html",
        delivery=delivery,
        seller=names.get(delivery.seller_gln or "", "not known"),
        information=information.value,
        tally=state.tally,
        said=delivery.data.get("result") or state.tally.text(live=delivery.is_open),
        problem=problem,
        decide=[(epc, shown(epc)) for epc in state.tally.undecided[:_MOST_TO_DECIDE]]
        if delivery.is_open
        else [],
        last=_last(state),
        rows=rows[:_MOST_ROWS],
        more=max(0, len(rows) - _MOST_ROWS),
        over=[(shown(act.epc), SAID[act.outcome][0]) for act in state.tally.over if act.epc],
        others=[shown(epc) for epc in state.tally.others],
        damages=list(DAMAGES.items()),
        cases=sorted(found.values(), key=lambda each: each.case_id),
        case=view,
        thread=own.thread if own else (),
        mine=any(done.who_id == present().id for done in state.acts),
    )


@blueprint.post("/receiving/<receiving_id>/scans")
@_told_here
def scan(receiving_id: str) -> Response:
    """Count what a handheld typed. An empty field is no scan."""
    code = request.form.get("code", "").strip("\r\n")
    symbology = request.form.get("symbology", "")
    if code.strip():
        raw = code.encode("utf-8", "surrogatepass")
        known = symbology if _SYMBOLOGY.fullmatch(symbology) else None
        services().receiving.scan(receiving_id, raw, known, _ours())
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/opened")
@_told_here
def opened(receiving_id: str) -> Response:
    """A container was opened: count what is in it."""
    services().receiving.opened(receiving_id, request.form.get("epc", "")[:500], _ours())
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/apart")
@_told_here
def apart(receiving_id: str) -> Response:
    """A container with something in it that is not OK is set apart as it is."""
    services().receiving.apart(receiving_id, request.form.get("epc", "")[:500], _ours())
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/damaged")
@_told_here
def damaged(receiving_id: str) -> Response:
    """Something is damaged, with what is wrong with it."""
    epc, reason = request.form.get("epc", "")[:500], request.form.get("reason", "")
    services().receiving.damaged(receiving_id, epc, reason, _ours())
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/missing")
@_told_here
def missing(receiving_id: str) -> Response:
    """It is not there; or of an opened container what was not seen is not."""
    services().receiving.missing(receiving_id, request.form.get("epc", "")[:500], _ours())
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/undo")
@_told_here
def undo(receiving_id: str) -> Response:
    """Take back the reader's last act."""
    services().receiving.undo(receiving_id, _ours())
    flash("Undone.")
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/finish")
@_told_here
def finish(receiving_id: str) -> Response:
    """Record what is there."""
    delivery = services().receiving.finish(receiving_id, _ours())
    count = len(delivery.data.get("cases", []))
    flash(
        f"Recorded: {delivery.data['result']}."
        + (f" {count} exception{'s are' if count > 1 else ' is'} open." if count else "")
    )
    return _to(receiving_id)


@blueprint.post("/receiving/<receiving_id>/give-up")
def give_up(receiving_id: str) -> Response:
    """Stop: nothing is recorded."""
    services().receiving.give_up(receiving_id, _ours())
    flash("Given up. Nothing was recorded; the delivery is on its way as before.")
    return redirect(url_for("receiving.list_page"), HTTPStatus.SEE_OTHER)  # type: ignore[return-value]


def _list(problem: str = "", asked: str = "") -> str:
    node, actor = services(), present()
    gln = actor.party_gln or ""
    coming = node.receiving.inbound(gln)
    with node.database.reading() as connection:
        party = partners.by_gln(connection, gln)
        ended = kept.listed(connection, party.party_id, (kept.FINISHED,))[:10] if party else []
        names = partners.names(connection, {each.seller_gln for each in ended if each.seller_gln})
    disclose(node.database, node.clock, actor, "receiving.list", subject=gln, whose=gln)
    return render_template(
        "receiving/list.html", coming=coming, ended=ended, names=names, problem=problem, asked=asked
    )


def _ours() -> Actor:
    """Who acts, for a party of their own."""
    actor = present()
    if actor.party_gln is None:
        abort(HTTPStatus.FORBIDDEN)
    return actor


def _to(receiving_id: str) -> Response:
    return redirect(url_for("receiving.delivery_page", receiving_id=receiving_id), HTTPStatus.SEE_OTHER)  # type: ignore[return-value]


def _rows(tally: Tally, *, live: bool) -> list[dict[str, Any]]:
    """The lines to show, what lacks or does not fit first; of what is there by a container's label, that alone."""
    trees: list[list[Row]] = []
    for row in tally.rows:
        if row.depth == 0:
            trees.append([])
        if row.depth == 0 or _is_open_below(row):
            trees[-1].append(row)
    trees.sort(key=lambda tree: all(row.complete for row in tree))
    # Of what nobody has seen anything of, one button says it all.
    return [_row(row, live, whole=row is not tree[0] and not tree[0].found) for tree in trees for row in tree]


def _is_open_below(row: Row) -> bool:
    return row.seen is not Seen.INFERRED or bool(row.damaged)


def _row(row: Row, live: bool, *, whole: bool) -> dict[str, Any]:
    words = {
        Seen.AWAITED: "not seen yet" if live else "not seen",
        Seen.SEEN: "scanned",
        Seen.INFERRED: "by its container's label",
        Seen.OPENED: "opened",
    }
    state = "not there" if row.missed == row.units and row.seen is Seen.AWAITED else words[row.seen]
    if row.container and row.units > 1:
        state = f"{state}, {row.found} of {row.units}"
    if row.seen is Seen.SEEN and row.container and row.units > 1:
        state = f"{state} by its label"
    return {
        "epc": row.line.epc,
        "name": shown(row.line.epc),
        "kind": ("Case or pallet" if row.container else "Package"),
        "lot": row.line.lot or "",
        "expiry": row.line.expiry or "",
        "state": state,
        "there": row.complete,
        "seen": row.seen is not Seen.AWAITED or row.found > 0,
        "depth": min(row.depth, 3),
        "container": row.container and row.units > 0 and row.seen is not Seen.OPENED,
        "opens": row.container and row.seen is not Seen.OPENED,
        "lacks": not whole
        and row.found + row.missed < row.units
        and (not row.found or row.seen is Seen.OPENED),
        "damaged": DAMAGES.get(row.damaged, row.damaged),
        "undecided": row.undecided,
        "differs": "Set apart as it is"
        if row.apart
        else SAID[row.outcome][0]
        if row.outcome not in (None, *_GOOD)
        else "",
    }


def _last(state: State) -> dict[str, Any] | None:
    last: Done | None = state.last
    if last is None:
        return None
    title, step = SAID[last.act.outcome]
    if last.act.kind is ActKind.OPEN:
        title, step = "Opened", "Scan what is in it, one by one."
    elif last.act.kind is ActKind.APART:
        title, step = "Set apart as it is", "All that is in it is held. Scan the next one."
    elif last.act.kind is ActKind.MISSING:
        title, step = "Not there", "It counts as short. If you find it, scan it."
    elif last.act.kind is ActKind.DAMAGED:
        title, step = (
            f"Damaged: {DAMAGES.get(last.act.note, last.act.note).lower()}",
            "Set it apart. It is held.",
        )
    raw = last.raw.decode("utf-8", "replace")
    return {
        "title": title,
        "step": step,
        "good": last.act.outcome in _GOOD and last.act.kind is not ActKind.DAMAGED,
        "what": shown(last.act.epc)
        if last.act.epc
        else "".join(c if c.isprintable() else "␣" for c in raw)[:200],
        "who": last.who,
        "note": last.act.note if last.act.kind is ActKind.SCAN else "",
        "number": last.number,
    }
