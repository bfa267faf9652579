"""Recalls as pages: the maker's own with who was told and what they did; and those that affect the reader's company."""

from dataclasses import replace

from flask import Blueprint, Response, flash, render_template, request, url_for
from sqlalchemy import Connection

from app.cases import pages
from app.cases import service as cases
from app.cases.pages import CaseView, back, said, views
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody.whereabouts import MOST_LISTED, Holding, UnderWay, holdings, in_hand, under_way
from app.history.rules import shown
from app.partners import service as partners
from app.recalls import captured, notices, service
from app.recalls.rules import CLASSES, Counts, RecallClass, Scope
from app.shared.actor import Role
from app.shared.audit import disclose
from app.web.access import permitted, reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("recalls", __name__, template_folder="templates")
pages.register(blueprint, Desk.RECALLS, "/recalls")


@blueprint.get("/recalls")
def queue_page() -> str:
    """What is recalled: by the reader's company, and by others what it has or had."""
    node = services()
    party = reach().party_gln
    captured.tell_waiting(node.database, node.clock)
    with node.database.reading() as connection:
        found = cases.queue(connection, Desk.RECALLS, party)
        closed = cases.queue(connection, Desk.RECALLS, party, closed=True, limit=20)
        own = _views(connection, [each for each in found if each.kind == service.RECALL])
        affecting = _views(connection, [each for each in found if each.kind == notices.NOTICE])
        ended = _views(connection, closed)
    may_recall = permitted(present(), "recalls.new_page")
    return render_template(
        "recalls/queue.html", own=own, affecting=affecting, ended=ended, may_recall=may_recall
    )


@blueprint.route("/recalls/new", methods=["GET", "POST"])
def new_page() -> Response | str:
    """Call lots or packages back."""
    node, form = services(), request.form
    if request.method == "GET":
        return render_template("recalls/new.html", classes=[(key.value, CLASSES[key][0]) for key in CLASSES])
    scope = Scope.parse(
        form.get("gtin", "").strip(),
        [line.strip() for line in form.get("lots", "").splitlines()],
        [line.strip() for line in form.get("serials", "").splitlines()],
    )
    klass = RecallClass(form["class"]) if form.get("class") in set(RecallClass) else RecallClass.NONE
    case_id = node.recalls.open(present(), scope, klass, form.get("reason", ""), form.get("instruction", ""))
    flash("It is recalled. From now on every scan of it says so, and everybody who has it is told.")
    return back("recalls.case_page", case_id=case_id)


@blueprint.get("/recalls/<case_id>")
def case_page(case_id: str) -> str:
    """One recall: for its maker who was told and what they did, for whoever was told what to do."""
    node = services()
    with node.database.snapshot() as connection:
        found = cases.case(connection, Desk.RECALLS, case_id, reach().party_gln)
        [view] = _views(connection, [found])
        population = captured.population_of(found)
        party = partners.by_gln(connection, found.party_gln)
        assert party is not None
        mine = in_hand(connection, population, party.party_id) if found.is_open else []
        coming = under_way(connection, population, party.party_id) if found.is_open else []
        told, spread = [], []
        if found.kind == service.RECALL:
            told = notices.consignees(connection, case_id)
            spread = holdings(connection, population)
    disclose(node.database, node.clock, present(), "recall.view", subject=case_id, whose=found.party_gln)
    actor = present()
    return render_template(
        "recalls/case.html",
        case=view,
        found=found,
        is_own=found.kind == service.RECALL,
        may_end=permitted(actor, "recalls.end") and actor.role in (Role.MANUFACTURER, Role.QUALITY),
        facts=service.shown(found.data),
        classes=[(key.value, CLASSES[key][0]) for key in CLASSES],
        mine=[(shown(each.epc), each.epc, each.packages) for each in mine],
        full=len(mine) >= MOST_LISTED,
        coming=_senders(coming),
        many=len(coming) >= MOST_LISTED,
        told=told,
        effect=notices.effect(told),
        said=notices.said,
        spread=_spread(spread, {each.gln for each in told if each.gln}, found.party_gln),
    )


@blueprint.post("/recalls/<case_id>/describe")
def describe(case_id: str) -> Response:
    """Say how grave it is, why, and what to do."""
    form = request.form
    klass = RecallClass(form["class"]) if form.get("class") in set(RecallClass) else RecallClass.NONE
    services().recalls.describe(
        present(), case_id, klass, form.get("reason", ""), form.get("instruction", "")
    )
    flash("Everybody who was told of the recall is told this too.")
    return back("recalls.case_page", case_id=case_id)


@blueprint.post("/recalls/<case_id>/tell")
def tell(case_id: str) -> Response:
    """Look again who has it, and tell those who were not told yet."""
    count = services().recalls.tell_again(present(), case_id)
    flash(f"{count} more told." if count else "Nobody new has packages of it.")
    return back("recalls.case_page", case_id=case_id)


@blueprint.post("/recalls/<case_id>/end")
def end(case_id: str) -> Response:
    """Take the recall back."""
    services().recalls.end(present(), case_id, said())
    flash("The recall has ended; everybody who was told of it is told.")
    return back("recalls.case_page", case_id=case_id)


@blueprint.post("/recalls/<case_id>/acknowledge")
def acknowledge(case_id: str) -> Response:
    """Say that the notice arrived."""
    services().recalls.acknowledge(present(), case_id)
    flash("Its maker knows now that you know.")
    return back("recalls.case_page", case_id=case_id)


@blueprint.post("/recalls/<case_id>/answer")
def answer(case_id: str) -> Response:
    """Say what was done with the packages."""
    names = ("quarantined", "returned", "destroyed", "gone")
    counts = Counts.parse(**{name: request.form.get(name, "") for name in names})
    services().recalls.answer(present(), case_id, counts, request.form.get("text", "")[:1000])
    flash("Your answer is with its maker.")
    return back("recalls.case_page", case_id=case_id)


def _views(connection: Connection, found: list[DeskCase]) -> list[CaseView]:
    made = views(connection, found, services().clock.now(), _href)
    return [
        replace(view, about=f"GTIN {each.data['gtin']}, {each.data['scope']}")
        for view, each in zip(made, found, strict=True)
    ]


def _href(case: DeskCase) -> str:
    return url_for("recalls.case_page", case_id=case.case_id)


def _senders(coming: list[UnderWay]) -> list[tuple[str, int, list[tuple[str, str, int]]]]:
    """What is on its way, by who shipped it: the name, how many packs in all, and each thing with its own."""
    by_sender: dict[str, list[UnderWay]] = {}
    for each in coming:
        by_sender.setdefault(each.sender, []).append(each)
    return [
        (name, sum(each.packages for each in things), [(shown(t.epc), t.epc, t.packages) for t in things])
        for name, things in sorted(by_sender.items())
    ]


def _spread(found: list[Holding], named: set[str], own: str) -> list[tuple[str, str, int, int]]:
    """Where the packages are, by holder: those whom its maker shipped to by name, the others together."""
    rows: dict[tuple[str, str], list[int]] = {}
    for each in found:
        known = each.gln == own or each.gln in named
        who = each.name if known else notices.FURTHER_DOWN
        count = rows.setdefault((who, each.state), [0, 0])
        count[0] += each.packages
        count[1] += each.inferred
    return [(who, state, count[0], count[1]) for (who, state), count in rows.items()]
