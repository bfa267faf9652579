"""The sheet of labels: one picture for each thing a pharmacist may come across, named for what it is."""

from datetime import date, timedelta
from pathlib import Path

from app.demo.damage import damage
from app.demo.world import LOTS, MAKER, OLD_LOT, WHOLESALER, World
from app.labels import service
from app.labels.rules import LogisticLabel, PackageLabel
from ledger.gs1.epc import Sgtin


def element_text(package: Sgtin, expiry: date, lot: str) -> str:
    """The label's text as a person types it."""
    return f"(01){package.gtin.digits}(21){package.serial}(17){expiry:%y%m%d}(10){lot}"


def write(world: World, folder: Path, *, ok: Sgtin, wrong: Sgtin, elsewhere: Sgtin) -> dict[str, str]:
    """Write the sheet to `folder`; for each picture the word that the pharmacy must be told."""
    first, recalled, _ = LOTS
    pictures = {
        "ok.png": (_label(world, ok, first), "OK"),
        "dispensed-elsewhere.png": (_label(world, elsewhere, first), "SUSPECT"),
        "never-made.png": (_label(world, Sgtin(world.gtin, "A99999X99"), first), "SUSPECT"),
        "no-record.png": (_stranger(world), "CANNOT CONFIRM YET"),
        "wrong-lot.png": (_label(world, wrong, first, printed_lot="A1024"), "DETAILS DIFFER"),
        "expired.png": (_label(world, world.package(OLD_LOT, 1), OLD_LOT), "GENUINE, DO NOT USE"),
        "recalled.png": (_label(world, world.package(recalled, 5), recalled), "GENUINE, DO NOT USE"),
    }
    for name, (label, _) in pictures.items():
        (folder / name).write_bytes(service.package_label_png(label))
    (folder / "damaged.png").write_bytes(damage(service.package_label_png(pictures["ok.png"][0])))
    pallet = LogisticLabel(
        sscc=world.small_pallet,
        unit="PALLET",
        ship_from=(WHOLESALER.name, WHOLESALER.address),
        ship_to=("Corner Pharmacy",),
        product_name="Examplinib 50 mg",
        contents="2 cases, 20 packages",
    )
    (folder / "pallet.png").write_bytes(service.logistic_label_png(pallet))
    expected = {name: word for name, (_, word) in pictures.items()}
    return expected | {"damaged.png": "COULD NOT READ", "pallet.png": "GENUINE, DO NOT USE"}


def _label(world: World, package: Sgtin, lot: str, printed_lot: str | None = None) -> PackageLabel:
    return PackageLabel(
        gtin=package.gtin,
        serial=package.serial,
        lot=printed_lot or lot,
        expiry=world.expiry(lot),
        product_name="Examplinib",
        strength="50 mg",
        form="Tablets",
        quantity="30 tablets",
        ndc="99999-001-01",
        maker=MAKER.name,
    )


def _stranger(world: World) -> PackageLabel:
    """A package of a maker that is not on this node."""
    return PackageLabel(
        gtin=world.stranger_gtin,
        serial="ZK40718Q",
        lot="QX17",
        expiry=(world.now + timedelta(days=400)).date(),
        product_name="Samplitol",
        strength="10 mg",
        form="Capsules",
        quantity="60 capsules",
        ndc="77777-003-05",
        maker="Quarry Labs",
    )
