"""The scan page: type, use a handheld, or drop a picture; and dispensing, which begins with the same scan."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for

from app.dispensing.service import NotDispensed, why_not
from app.history.rules import shown
from app.partners import service as partners
from app.proofs.sealed import sealed
from app.shared.audit import Outcome, disclose, record
from app.verification import waiting
from app.verification.service import Result
from app.vrs.messages import Answer, Failure, Info
from app.web.access import permitted, reach
from app.web.actor import present
from app.wiring import services
from ledger.custody.verdict import TABLE, Reason
from ledger.gs1.element_string import ScanNote
from scanner.decode import MAX_IMAGE_BYTES, decode_picture, load_picture
from scanner.errors import ScannerError

blueprint = Blueprint("verification", __name__, template_folder="templates")

MOST_APART_SHOWN = 50  # packages in a container that a page names: to be found in it, and set apart

# What a reason is called on the screen; docs/reference/verdicts.md says more about each.
SAID: dict[Reason, str] = {
    Reason.NOTHING_DECODED: "No code could be read.",
    Reason.SEPARATOR_LOST: "A separator between two fields is missing.",
    Reason.NAMES_NO_PACKAGE: "This code names a product, not a package.",
    Reason.UNREADABLE: "The code was read, and does not make sense.",
    Reason.TWO_CUSTODIANS: "Seen by two parties that no shipment links.",
    Reason.IMPOSSIBLE_TRAVEL: "Seen too far away too recently.",
    Reason.SEEN_AFTER_END: "Dispensed or destroyed before, elsewhere or more than a day ago.",
    Reason.NEVER_MADE: "Its maker says that it never made this serial.",
    Reason.RECALLED: "Recalled by its maker.",
    Reason.EXPIRED: "Past its expiry date.",
    Reason.HELD: "On hold.",
    Reason.DECOMMISSIONED: "Its serial number was taken out of use.",
    Reason.ENDED_HERE: "Dispensed or destroyed here within the last day.",
    Reason.LOT_DIFFERS: "The lot on the label differs from the record.",
    Reason.EXPIRY_DIFFERS: "The expiry on the label differs from the record.",
    Reason.SHIPPED_ELSEWHERE: "Shipped to somebody else.",
    Reason.NOT_OURS: "By the record, you are not its holder.",
    Reason.NOT_FOUND_IN_CONTAINER: "It was missing when its container was opened.",
    Reason.NO_RECORD: "There is no record of this serial.",
    Reason.MAKER_NOT_VOUCHED: "Nobody vouches that who commissioned it makes this product.",
    Reason.NOT_COMMISSIONED: "Its maker's data has not arrived.",
    Reason.IN_PROGRESS: "The document that names it is still being taken in.",
    Reason.OFFLINE_TOO_OLD: "What is known here is too old.",
    Reason.OK: "Known, in your hands, in date, nothing against it.",
}


# Why a picture is of no use, in words for whoever took it.
PICTURE: dict[str, str] = {
    "image-too-large": "This picture is too large. Take a smaller one, or cut out the label.",
    "image-unreadable": "This file cannot be read as a picture. Take the picture again, or save it as PNG or JPEG.",
}
# What another company's node said of its pack, in words for whoever holds it.
MAKER_SAYS: dict[str, str] = {
    "": "was asked and gave no answer; that says nothing about the pack",
    "verified": "confirms serial, lot and expiry",
    Failure.SERIAL: "says that it never gave this serial",
    Failure.LOT_EXPIRY: "knows the serial with another lot and expiry",
    Failure.LOT: "knows the serial with another lot",
    Failure.EXPIRY: "knows the serial with another expiry",
    Failure.POLICY: "does not confirm it, by its own policy",
    Failure.NOT_FOR_REDISTRIBUTION: "says that it is not to be passed on",
    Failure.NO_REASON: "does not confirm it, and gives no reason",
    Info.EXPIRED: "confirms it, and says that it has expired",
    Info.EXTENDED: "confirms it, and says that it may be used beyond the printed date",
    Info.RECALLED: "confirms it, and says that it is recalled",
    Info.SUSPECT: "says that it is suspect",
    Info.ILLEGITIMATE: "says that it is illegitimate",
}
# What reading the label had to put up with and its printer should not do; how the scanner sends it is nobody's concern.
NOTED: dict[str, str] = {
    ScanNote.DAY_ZERO: "its expiry has day 00, taken as the last of the month; not permitted on medicines since 2025",
}
A_FEW = 10
"""How many packs that wait are judged again before the scan page appears."""
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a form brought. `raw` None: nothing; `problem`: the picture is of no use; `codes` in the picture."""

    raw: bytes | None = None
    symbology: str | None = None
    problem: str = ""
    codes: int = 0


@blueprint.route("/scan", methods=["GET", "POST"])
def scan_page() -> Response:
    """Check a package. A GET with `code` answers too, so that an answer can be linked to and asked for again."""
    scanned = _scanned()
    if scanned.raw is None:
        return _page("scan", scanned, None)
    node, actor = services(), present()
    party = reach().party_gln
    result = node.verification.check(
        scanned.raw, scanned.symbology, actor, asker=party, site=_site() if party else None
    )
    seal = sealed(node.node)
    if seal.refusal is not None:
        # What it knows may be another's doing: such a node answers no scan, whoever asks.
        raise seal.refusal
    disclose(
        node.database,
        node.clock,
        actor,
        "package.check",
        subject=result.subject or result.raw.decode("utf-8", "replace"),
        outcome=Outcome.SHOWN if result.record else Outcome.NOTHING,
        detail=f"{result.verdict.word.value}, {result.check_id}",
    )
    return _page("scan", scanned, result, sealed_at=seal.size)


@blueprint.get("/waiting")
def waiting_page() -> str:
    """Packs that were set aside because they could not be confirmed, each as it stands now."""
    node, party = services(), reach().party_gln
    assert party is not None
    found = node.verification.waiting(party)
    disclose(
        node.database,
        node.clock,
        present(),
        "package.waiting",
        subject="",
        whose=party,
        detail=f"{len(found)} packs",
    )
    now = node.clock.now()
    rows = [(each, shown(each.subject), SAID[each.reason], each.due_at < now) for each in found]
    return render_template("verification/waiting.html", rows=rows)


@blueprint.post("/waiting/<check_id>")
def put_away(check_id: str) -> Response:
    """Take a pack off the list."""
    node, party = services(), reach().party_gln
    assert party is not None
    with node.database.writing() as connection:
        subject = waiting.put_away(connection, node.clock, check_id, party)
        record(connection, node.clock, present(), "package.put-away", subject=subject, whose=party)
    flash("Taken off the list.")
    return redirect(url_for("verification.waiting_page"), 303)  # type: ignore[return-value]


@blueprint.route("/dispense", methods=["GET", "POST"])
def dispense() -> Response:
    """Close a package's serial, or say why not."""
    scanned = _scanned() if request.method == "POST" else Scanned()
    if scanned.raw is None:
        return _page("dispense", scanned, None)
    try:
        done = services().dispensing.dispense(scanned.raw, scanned.symbology, present(), site=_site())
    except NotDispensed as error:
        return _page("dispense", scanned, error.check, error.status, refused=error)
    return _page("dispense", scanned, done.check, done=done)


def _page(name: str, scanned: Scanned, result: Result | None, status: int = 200, **more: Any) -> Response:
    values = {"done": None, "refused": None, "sealed_at": None, **shown_of(result), **more}
    values |= {"sites": _sites(), "site": _site()}
    if name == "scan" and result is None and (party := reach().party_gln) is not None:
        found = services().verification.waiting(party, most_judged=A_FEW)
        values["cleared"] = sum(each.cleared_at is not None for each in found)
    page = render_template(f"verification/{name}.html", scanned=scanned, **values)
    return make_response(page, 400 if scanned.problem else status)


def _site() -> str | None:
    """The GLN of the site where it is scanned, as chosen in the form; None where nobody chose."""
    return request.values.get("site", "")[:13] or None


def _sites() -> list[tuple[str, str]]:
    """The sites of who scans, to choose from."""
    party = reach().party_gln
    if party is None:
        return []
    with services().database.reading() as connection:
        return [(gln, name) for gln, name in partners.sites_of(connection, party) if gln != party]


def _scanned() -> Scanned:
    """What the form or a picture brought: the bytes of a scan and its symbology."""
    picture = request.files.get("picture")
    if picture is not None and picture.filename:
        try:
            codes = decode_picture(load_picture(picture.read(MAX_IMAGE_BYTES + 1), name="the picture"))
        except ScannerError as error:
            return Scanned(problem=PICTURE.get(error.code, PICTURE["image-unreadable"]))
        if not codes:
            return Scanned(b"")
        different = {code.data for code in codes if code.carries_ais}
        return Scanned(codes[0].data, codes[0].symbology, codes=len(different))
    code = request.values.get("code", "").strip("\r\n")
    symbology = request.values.get("symbology", "")
    # A handheld's control characters come through a form as they are.
    raw = code.encode("utf-8", "surrogatepass") or None
    return Scanned(raw, symbology if SYMBOLOGY.fullmatch(symbology) else None)


def shown_of(result: Result | None) -> dict[str, Any]:
    """What the templates need of an answer."""
    if result is None:
        return {"result": None}
    verdict = result.verdict
    rows = {reason: (word, step) for reason, word, _, step in TABLE}
    others = [
        (rows[reason][0].value, f"{rows[reason][0].value}: {SAID[reason]}", rows[reason][1])
        for reason in verdict.others
    ]
    reason, next_step = told(result)
    return {
        "result": result,
        "reason": reason,
        "next_step": next_step,
        "others": others,
        "facts": _facts(result),
        "subject_shown": shown(result.subject) if result.subject else None,
        "may_dispense": why_not(result) is None and permitted(present(), "verification.dispense"),
        "known": age(result.knowledge_age_s),
        "raw": _visible(result.raw),
        "apart": [
            (shown(each.epc), SAID[each.reason])
            for each in (result.contents.apart[:MOST_APART_SHOWN] if result.contents else ())
        ],
    }


def told(result: Result) -> tuple[str, str]:
    """Why, and what next, in the words that fit who asks and what was scanned."""
    verdict, record, inside = result.verdict, result.record, result.contents
    reason, step = SAID[verdict.reason], result.next_step
    if verdict.reason is Reason.OK:
        if result.blocked_by:
            return f"Known, in date; but it is part of {result.blocked_by[0].what}.", step
        if record is not None and record.in_transit:
            return "Known, on its way to you, in date, nothing against it.", "Receive it, then continue."
        if record is None or not record.yours:
            return "Known, in date, nothing against it.", step
        return reason, step
    count = inside.by_word.get(verdict.word.value, 0) if inside else 0
    if inside is None or not count:
        return reason, step
    if count == inside.packages:
        return f"{'The one package' if count == 1 else f'All {count} packages'} inside. {reason}", step
    return f"{count} of the {inside.packages} packages inside. Most serious: {reason}", step


def age(seconds: int) -> str:
    """How old what an answer rests on is, in words."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{seconds // size} {unit}{'s' if seconds // size > 1 else ''} old"
    return "up to this moment"


def _visible(raw: bytes) -> str:
    """What was read, with control characters as their pictures (Unicode 2400 to 241F): a lost separator is seen."""
    text = raw.decode("utf-8", "replace")
    return "".join(chr(0x2400 + ord(char)) if ord(char) < 32 else char for char in text)


def _facts(result: Result) -> list[tuple[str, str]]:
    """What is shown below the verdict, as (name, value)."""
    label, product = result.label, result.product
    facts: list[tuple[str, str | None]] = []
    if product is not None:
        facts.append(("Product", f"{product.title}, {product.dosage_form.lower()}".rstrip(", ")))
    if label.serial:
        facts += [("GTIN", label.gtin), ("Serial", label.serial)]
    facts.append(("SSCC", label.sscc))
    facts += _from_both(result)
    facts += [("Label", NOTED[note]) for note in label.notes if note in NOTED]
    if result.contents is not None:
        facts += _inside(result)
    facts += _of_record(result)
    facts += _of_maker(result)
    facts += [("Open case", f"{each.title} ({each.desk.value})") for each in result.blocked_by]
    if result.licensed is not None:
        facts.append(("Its licence", "valid at that time" if result.licensed else "none on record"))
    return [(name, value) for name, value in facts if value]


def _from_both(result: Result) -> list[tuple[str, str | None]]:
    """Lot and expiry, side by side where label and record differ."""
    label, record = result.label, result.record
    facts: list[tuple[str, str | None]] = []
    for name, on_label, on_record in (
        ("Lot", label.lot, record.lot if record else None),
        ("Expiry", label.expiry.isoformat() if label.expiry else None, record.expiry if record else None),
    ):
        differ = on_label and on_record and on_label != on_record
        facts.append(
            (name, f"{on_label} on the label, {on_record} on record" if differ else on_label or on_record)
        )
    return facts


def _of_record(result: Result) -> list[tuple[str, str | None]]:
    record = result.record
    if record is None:
        return []
    return [
        ("Came from", record.last_custodian),
        ("Since", f"{record.since:%Y-%m-%d %H:%M} UTC" if record.since else None),
        ("Seen", "by its container's label alone" if record.inferred else None),
    ]


def _of_maker(result: Result) -> list[tuple[str, str | None]]:
    """What the maker's own node says, what nearly matches, and whom to chase."""
    said, chase = result.maker_said, result.chase
    facts: list[tuple[str, str | None]] = []
    if result.near:
        facts.append(
            ("Nearly", f"the serial differs only in {result.near} from one that is known: scan again")
        )
    if said is not None and said.why != "no_entry":
        facts.append(("Its maker", MAKER_SAYS[says_word(said.answer)]))
    if chase is not None:
        facts.append(("Ask", f"{chase.who}, by {chase.by:%Y-%m-%d %H:%M} UTC"))
    return facts


def says_word(answer: Answer | None) -> str:
    """The code of what a maker answered: its failure, else its additional info, else verified; "" for no answer."""
    return "" if answer is None else str(answer.failure or answer.info or "verified")


def _inside(result: Result) -> list[tuple[str, str]]:
    inside = result.contents
    assert inside is not None
    facts = [("Packages inside", str(inside.packages))]
    if inside.inferred:
        facts.append(("Inferred", f"{inside.inferred} known by the container's label alone"))
    if inside.missing:
        facts.append(("Short", f"{inside.missing} missing when it was opened"))
    return facts
