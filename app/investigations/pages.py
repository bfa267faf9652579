"""Quarantine and investigations as pages: the queue, the form that sets apart, one case with its next steps."""

from datetime import date

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.cases import pages
from app.cases.pages import back, said
from app.cases.rules import Desk
from app.cases.service import DeskCase
from app.custody import service as custody
from app.errors import Invalid
from app.history.rules import shown
from app.investigations import answering, forms, partners_told, service
from app.investigations.form3911 import KINDS
from app.investigations.holds import OnHold
from app.investigations.information import information, makers_word
from app.investigations.rules import CAUSES, DECIDING, GROUNDS, Ground, Move, State, Transition, open_to
from app.investigations.service import INVESTIGATION, Suspicion
from app.shared.audit import disclose
from app.transactions.purchases import WORDS
from app.vrs import signals
from app.web.access import permitted, reach
from app.web.actor import present
from app.wiring import services

blueprint = Blueprint("investigations", __name__, template_folder="templates")

MOST_SHOWN = 200

pages.register(blueprint, Desk.INVESTIGATIONS, "/investigations")


@blueprint.get("/investigations")
def queue_page() -> str:
    """Open investigations and notifications by their clock, and what was noticed lately."""
    node = services()
    party = reach().party_gln
    with node.database.reading() as connection:
        open_views, closed_views = pages.both_queues(connection, Desk.INVESTIGATIONS, _href, CAUSES)
        noticed = signals.signals(connection, party)[:10] if party else []
    return render_template(
        "investigations/queue.html", cases=open_views, closed=closed_views, noticed=noticed
    )


@blueprint.route("/investigations/new", methods=["GET", "POST"])
def new_page() -> Response | str:
    """Set packages apart as suspect."""
    form = request.values
    if request.method == "GET":
        return render_template(
            "investigations/new.html",
            typed=form.get("epc", ""),
            check_id=form.get("check", ""),
            grounds=[(key.value, text) for key, text in GROUNDS.items()],
        )
    texts = [form.get(name, "") for name in ("packages", "ground", "bin", "text", "check_id")]
    case_id = services().investigations.open(present(), Suspicion.parse(*texts))
    flash("It is in quarantine. Scans of it say so from now on.")
    return back("investigations.case_page", case_id=case_id)


@blueprint.route("/investigations/holds", methods=["GET", "POST"])
def holds_page() -> Response | str:
    """What is on hold without an investigation, and the form that lets it go."""
    node, form = services(), request.form
    if request.method == "POST":
        done = node.holds.release(present(), "\n".join(form.getlist("packages")), form.get("text", ""))
        count = len(done.epcs)
        flash(
            f"Released: {count} package{'s' if count != 1 else ''}, entry {done.entry} of the ledger."
            if count
            else "Nothing of it was on hold any more."
        )
        return back("investigations.holds_page")
    party = reach().party_gln
    found = node.holds.listed(party) if party else []
    disclose(node.database, node.clock, present(), "quarantine.list", subject="", whose=party or "")
    rows = [(shown(each.epc), each, _case_href(each)) for each in found]
    return render_template(
        "investigations/holds.html",
        rows=rows,
        may_release=present().role in DECIDING,
        typed=request.args.get("epc", ""),
    )


def _case_href(hold: OnHold) -> str:
    """Where the case is that a hold is part of, for those who may read it."""
    endpoint = f"{hold.desk.value}.case_page"
    return url_for(endpoint, case_id=hold.case_id) if permitted(present(), endpoint) else ""


@blueprint.get("/investigations/<case_id>")
def case_page(case_id: str) -> str:
    """One investigation with its next steps, or a partner's notification."""
    node, actor = services(), present()
    with node.database.reading() as connection:
        found = service.case_of(connection, case_id, reach().party_gln)
        [view] = pages.views(connection, [found], node.clock.now(), _href, CAUSES)
        packages = [number for number, state in found.items.items() if state != partners_told.OF_LOT]
        keys = custody.keys_of(connection, packages[:MOST_SHOWN])
        here = partners_told.found_here(connection, found) if found.kind == partners_told.NOTIFICATION else []
        sample = node.investigations.sample(connection, found)
        told = partners_told.told(connection, case_id)
        made = forms.of_case(connection, case_id)
        is_maker = answering.is_maker(connection, found.data.get("gtin", ""), found.party_gln)
        brought = information(connection, found)
        asked = makers_word(connection, found.party_gln, keys.values())
    disclose(node.database, node.clock, actor, "investigation.view", subject=case_id, whose=found.party_gln)
    is_own = found.kind == INVESTIGATION
    steps = open_to(State(found.state), actor.role) if is_own else []
    return render_template(
        "investigations/case.html",
        case=view,
        found=found,
        is_own=is_own,
        steps=[
            (step, _asks(step, told_fda=bool(made) or bool(found.data.get("high_risk")))) for step in steps
        ],
        facts=_facts(found),
        packages=[
            (shown(keys[number]), found.items[number], asked.get(keys[number], "")) for number in sorted(keys)
        ],
        brought=brought,
        standings=WORDS,
        may_read_sales=permitted(actor, "sales.one_page"),
        more=max(0, len(packages) - MOST_SHOWN),
        here=[(shown(each.epc), each.packages) for each in here],
        sample=sample,
        told=told,
        forms=made,
        kinds=KINDS,
        causes=list(CAUSES.items()),
        investigating=found.state == State.INVESTIGATING,
        asks_risk=is_own
        and is_maker
        and found.state in (State.SUSPECT, State.INVESTIGATING)
        and not found.data.get("high_risk")
        and permitted(actor, "investigations.risk"),
        decided=found.state
        in (State.ILLEGITIMATE, State.NOTIFIED, State.DISPOSITIONED, State.TERMINATION_REQUESTED),
    )


@blueprint.post("/investigations/<case_id>/move")
def move(case_id: str) -> Response:
    """Go on to the next state."""
    form = request.form
    if form.get("move") not in set(Move):
        raise Invalid("investigation.move", "Say which step", "", "Use the buttons of the case.")
    text = form.get("text", "")[:1500]
    if (notified := form.get("fda_notified", "")[:10]) and text.strip():  # a day is no reason yet
        text += f" FDA was notified of it on {_day(notified)}."
    state = services().investigations.move(
        present(),
        case_id,
        Move(form["move"]),
        text=text,
        maker_consulted=form.get("maker_consulted", "")[:200],
        retain=form.get("retain", ""),
        whole_lots="whole_lots" in form,
    )
    flash(f"It is {service.said(state)} now.")
    return back("investigations.case_page", case_id=case_id)


@blueprint.post("/investigations/<case_id>/inspect")
def inspect(case_id: str) -> Response:
    """Verify one package of the sample."""
    raw = request.form.get("code", "").strip("\r\n").encode("utf-8", "surrogatepass")
    flash(services().investigations.inspect(present(), case_id, raw, None))
    return back("investigations.case_page", case_id=case_id)


@blueprint.post("/investigations/<case_id>/risk")
def risk(case_id: str) -> Response:
    """A manufacturer finds a high risk: its 24 hours run."""
    services().investigations.high_risk(present(), case_id, said())
    return back("investigations.case_page", case_id=case_id)


@blueprint.post("/investigations/<case_id>/close")
def close(case_id: str) -> Response:
    """Answer a partner's notification."""
    services().investigations.answer(present(), case_id, request.form.get("root_cause", ""), said())
    return back("investigations.case_page", case_id=case_id)


def _href(case: DeskCase) -> str:
    return url_for("investigations.case_page", case_id=case.case_id)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid("investigation.date", "That is no date", text, "Write it as year-month-day.") from None


def _asks(step: Transition, *, told_fda: bool) -> tuple[str, ...]:
    """The fields that the form of a step has. `told_fda`: a notification of this case went, or may have gone, to FDA,
    which is then told too that the product is not illegitimate (FD&C Act 582(c)(4)(A)(iii), (d)(4)(A)(iii))."""
    fields = ("text",) if step.move is not Move.INVESTIGATE else ()
    fields += ("maker_consulted",) if "maker_consulted" in step.needs else ()
    fields += ("fda_notified",) if step.move is Move.CLEAR and told_fda else ()
    fields += ("whole_lots",) if step.move is Move.NOTIFY else ()
    return fields + (("retain",) if step.move is Move.DISPOSE else ())


def _facts(case: DeskCase) -> list[tuple[str, str]]:
    data = case.data
    facts = [
        ("Product", data.get("product", "")),
        ("Suspected", GROUNDS[Ground(data["ground"])]),
        ("Set apart in", data.get("bin", "")),
        ("Seen", data.get("text", "") or data.get("message", "")),
        ("Determined illegitimate", str(data.get("illegitimate_at", ""))[:16].replace("T", " ")),
        ("FDA incident number", data.get("incident_number", "")),
        ("High risk", "found by its manufacturer" if data.get("high_risk") else ""),
    ]
    return [(name, value) for name, value in facts if value]
