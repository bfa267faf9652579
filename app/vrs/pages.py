"""The maker's page of verifications: who asked about its products, what did not match, and what was noticed."""

from datetime import timedelta

from flask import Blueprint, render_template

from app.history.rules import shown
from app.partners import service as partners
from app.shared.audit import disclose
from app.vrs import requests, signals, volume
from app.vrs.messages import Failure, Info
from app.vrs.requests import Kept
from app.vrs.rules import SignalKind
from app.vrs.signals import Signal
from app.web.access import reach
from app.web.actor import present
from app.wiring import services
from ledger.custody.findings import Severity

blueprint = Blueprint("verifications", __name__, template_folder="templates")

LOOKED_BACK = timedelta(days=30)
MOST_SIGNS = 100

NOTICED: dict[SignalKind, str] = {
    SignalKind.SERIAL_GUESSING: "Looks like guessing",
    SignalKind.VERIFICATION_HEAT: "Asked about by many",
    SignalKind.NO_MATCH: "Did not match",
    SignalKind.NEAR_DUPLICATE: "Nearly another serial",
    SignalKind.VOLUME_ANOMALY: "More about than was made",
    SignalKind.UNSOLD_RETURN: "Returned, never sold",
    SignalKind.IMPOSSIBLE_SCAN: "Scanned too far away",
}
ANSWERED: dict[str, str] = {
    "verified": "Verified",
    Failure.SERIAL: "Never given",
    Failure.LOT_EXPIRY: "Lot and expiry differ",
    Failure.LOT: "Lot differs",
    Failure.EXPIRY: "Expiry differs",
    Failure.POLICY: "Your policy",
    Failure.NOT_FOR_REDISTRIBUTION: "Not for redistribution",
    Failure.NO_REASON: "No reason given",
}
BESIDE: dict[str, str] = {Info.EXTENDED: "life extended"}


@blueprint.get("/verifications")
def maker_page() -> str:
    """What was asked about the products of the reader's party in the last 30 days."""
    node, maker = services(), reach().party_gln
    assert maker is not None
    since = node.clock.now() - LOOKED_BACK
    with node.database.reading() as connection:
        noticed = sorted(signals.signals(connection, maker, since), key=_is_minor)[:MOST_SIGNS]
        askers = requests.askers_of(connection, maker, since)
        volumes = volume.volumes(connection, maker, since)
        asked = requests.of_maker(connection, maker, since)
        glns = {each.requester for each in noticed} | {each.gln for each in askers}
        names = partners.names(connection, glns | {each.question.requester for each in asked})
    disclose(
        node.database, node.clock, present(), "verification.requests", subject="", whose=maker,
        detail=f"{len(asked)} requests, {len(noticed)} signs",
    )  # fmt: skip
    return render_template(
        "vrs/maker.html",
        noticed=[
            (each, NOTICED[each.kind], names.get(each.requester, each.requester), shown(each.about))
            for each in noticed
        ],
        volumes=[(each, each.sign) for each in volumes],
        askers=[
            (names.get(each.gln, each.gln), each.asked, each.missed, f"{each.last:%Y-%m-%d %H:%M}")
            for each in askers
        ],
        asked=[_row(each, names) for each in asked],
    )


def _is_minor(each: Signal) -> bool:
    return each.severity is not Severity.HOLD


def _row(kept: Kept, names: dict[str, str]) -> tuple[str, ...]:
    asked = kept.question
    answered = ANSWERED.get(kept.outcome, kept.outcome)
    beside = BESIDE.get(kept.info, kept.info.lower())
    who = names.get(asked.requester, asked.requester)
    return (
        f"{kept.at:%Y-%m-%d %H:%M}",
        f"{who}, {asked.contact}" if asked.contact else who,
        asked.gtin,
        asked.serial,
        asked.lot,
        asked.expiry,
        f"{answered}, {beside}" if beside else answered,
    )
