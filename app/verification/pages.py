"""The scan page: type, use a handheld, or drop a picture; and dispensing, which begins with the same scan."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from app.dispensing.service import NotDispensed
from app.errors import Invalid
from app.history.rules import shown
from app.verification.service import Result
from app.web.access import permitted, reach
from app.web.actor import present
from app.wiring import services
from ledger.custody.verdict import TABLE, Reason, Word
from scanner.decode import decode_picture, load_picture
from scanner.errors import ScannerError

blueprint = Blueprint("verification", __name__, template_folder="templates")

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
    Reason.ENDED_HERE: "Dispensed or destroyed here within the last day.",
    Reason.LOT_DIFFERS: "The lot on the label differs from the record.",
    Reason.EXPIRY_DIFFERS: "The expiry on the label differs from the record.",
    Reason.SHIPPED_ELSEWHERE: "Shipped to somebody else.",
    Reason.NOT_OURS: "By the record, you are not its holder.",
    Reason.NOT_FOUND_IN_CONTAINER: "It was missing when its container was opened.",
    Reason.NO_RECORD: "There is no record of this serial.",
    Reason.NOT_COMMISSIONED: "Its maker's data has not arrived.",
    Reason.IN_PROGRESS: "The document that names it is still being taken in.",
    Reason.OFFLINE_TOO_OLD: "What is known here is too old.",
    Reason.OK: "Known, in your hands, in date, nothing against it.",
}


@blueprint.route("/scan", methods=["GET", "POST"])
def scan_page() -> str:
    """Check a package. A GET with `code` answers too, so that an answer can be linked to and asked for again."""
    raw, symbology = _scanned()
    result = None
    if raw is not None:
        result = services().verification.check(raw, symbology, present(), asker=reach().party_gln)
    return render_template("verification/scan.html", **_shown(result), typed=request.values.get("code", ""))


@blueprint.route("/dispense", methods=["GET", "POST"])
def dispense() -> Response:
    """Close a package's serial, or say why not."""
    raw, symbology = _scanned() if request.method == "POST" else (None, None)
    if raw is None:
        return make_response(render_template("verification/dispense.html", done=None, **_shown(None)))
    try:
        done = services().dispensing.dispense(raw, symbology, present())
    except NotDispensed as error:
        page = render_template("verification/dispense.html", done=None, refused=True, **_shown(error.check))
        return make_response(page, error.status)
    return make_response(render_template("verification/dispense.html", done=done, **_shown(done.check)))


def _scanned() -> tuple[bytes | None, str | None]:
    """What the form or a picture brought: the bytes of a scan and its symbology; None where nothing came."""
    picture = request.files.get("picture")
    if picture is not None and picture.filename:
        try:
            codes = decode_picture(load_picture(picture.read(), name="the picture"))
        except ScannerError as error:
            raise Invalid(
                "picture.unreadable", "The picture cannot be used", str(error), "Send a PNG or JPEG."
            ) from error
        return (codes[0].data, codes[0].symbology) if codes else (b"", None)
    code = request.values.get("code", "").strip("\r\n")
    # A handheld's control characters come through a form as they are.
    return (code.encode("utf-8", "surrogatepass"), None) if code else (None, None)


def _shown(result: Result | None) -> dict[str, Any]:
    """What the templates need of an answer."""
    if result is None:
        return {"result": None}
    verdict = result.verdict
    rows = {reason: (word, step) for reason, word, _, step in TABLE}
    others = [(rows[reason][0].value, SAID[reason], rows[reason][1]) for reason in verdict.others]
    may_dispense = (
        verdict.word is Word.OK
        and result.contents is None
        and result.record is not None
        and result.record.yours
        and permitted(present(), "verification.dispense")
    )
    return {
        "result": result,
        "reason": SAID[verdict.reason],
        "others": others,
        "facts": _facts(result),
        "subject_shown": shown(result.subject) if result.subject else None,
        "may_dispense": may_dispense,
        "raw": result.raw.decode("utf-8", "replace").replace("\x1d", "␝"),
    }


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
    if result.contents is not None:
        facts += _inside(result)
    facts += _of_record(result)
    if result.licensed is not None:
        facts.append(("Licence then", "valid" if result.licensed else "none on record"))
    facts.append(("Read as", label.error))
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
        ("Seen", "inferred from its container's label" if record.inferred else None),
    ]


def _inside(result: Result) -> list[tuple[str, str]]:
    inside = result.contents
    assert inside is not None
    counted = ", ".join(f"{count} {word}" for word, count in inside.by_word.items())
    facts = [("Packages inside", f"{inside.packages}: {counted}")]
    if inside.inferred:
        facts.append(("Inferred", f"{inside.inferred} seen only by the container's label"))
    if inside.missing:
        facts.append(("Short", str(inside.missing)))
    return facts
