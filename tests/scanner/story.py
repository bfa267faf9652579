"""The beginning of every story at the bench: a maker makes, packs and ships; its labels as pictures."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.labels.rules import LogisticLabel, PackageLabel
from app.labels.service import logistic_label_png, package_label_png
from ledger.custody.event import EXPIRY, LOT, Event, Linked, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.gs1.check_digit import check_digit

MAKER, WHOLESALER, PHARMACY, STRANGER = "0399999000017", "0614141000012", "0614142000011", "0614143000010"
GTIN = "00399999001014"
LOT_NUMBER = "L7"
EXPIRES = "2031-05-31"


def package(serial: str) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def sscc(number: int) -> str:
    digits = f"00399999{number:09d}"
    return digits + check_digit(digits)


def container(number: int) -> str:
    return f"https://id.gs1.org/00/{sscc(number)}"


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def event(
    kind: EventType, action: Action, step: str, disposition: str, minutes: float, **fields: object
) -> Event:
    return Event(
        type=kind,
        event_time=ago(minutes),
        time_zone_offset="+00:00",
        action=action,
        biz_step=step,
        disposition=disposition,
        **fields,
    )


def commissioning(*serials: str, lot: str = LOT_NUMBER, expiry: str = EXPIRES, minutes: float = 60) -> Event:
    ilmd = ((EXPIRY, compact(expiry)), (LOT, compact(lot)))
    epcs = tuple(package(serial) for serial in serials)
    return event(EventType.OBJECT, Action.ADD, "commissioning", "active", minutes, epcs=epcs, ilmd=ilmd)


def packing(into: str, *children: str, minutes: float = 50) -> Event:
    return event(
        EventType.AGGREGATION, Action.ADD, "packing", "in_progress", minutes, parent=into, children=children
    )


def shipping(*keys: str, by: str = MAKER, to: str = WHOLESALER, minutes: float = 40) -> Event:
    def party(gln: str) -> Linked:
        return Linked("possessing_party", f"https://id.gs1.org/417/{gln}")

    return event(
        EventType.OBJECT,
        Action.OBSERVE,
        "shipping",
        "in_transit",
        minutes,
        epcs=keys,
        sources=(party(by),),
        destinations=(party(to),),
    )


def package_picture(folder: Path, serial: str, **changed: str) -> Path:
    """The label of a package, as a file."""
    values = {"gtin": GTIN, "serial": serial, "lot": LOT_NUMBER, "expiry": EXPIRES} | changed
    path = folder / f"package-{serial}-{len(list(folder.glob('*.png')))}.png"
    path.write_bytes(
        package_label_png(PackageLabel.parse(**values, product_name="Sonnenal", strength="20 mg"))
    )
    return path


def container_picture(folder: Path, number: int) -> Path:
    """The label of a case or pallet, as a file."""
    path = folder / f"container-{number}.png"
    path.write_bytes(logistic_label_png(LogisticLabel.parse(sscc=sscc(number))))
    return path
