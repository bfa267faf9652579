"""``packproof labels``: print what a commissioning document begins, each label read back before it is written."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import AppError, Invalid
from app.labels import service
from app.labels.rules import LabelError, LogisticLabel, PackageLabel
from app.products import service as products
from app.products.service import Product
from ledger.custody.event import EXPIRY, LOT
from ledger.custody.vocabulary import Action
from ledger.epcis.document import Document
from ledger.epcis.errors import DocumentError
from ledger.epcis.read import read
from ledger.gs1.epc import Sgtin, parse_epc
from ledger.gs1.sscc import Sscc

if TYPE_CHECKING:
    from app.cli import Context

MOST_LABELS = 10_000
Label = PackageLabel | LogisticLabel


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    labels = commands.add_parser(
        "labels",
        help="print labels for what a commissioning document begins",
        description="GS1 DataMatrix (01, 21, 17, 10) for packages and cases, GS1-128 for SSCCs, as PNG or SVG. "
        "Every label is read back before it is written.",
        epilog="example:\n  packproof labels commissioning.json --out labels\n"
        "  packproof labels commissioning.json --out labels --format svg",
    )
    labels.add_argument("file", type=Path, metavar="FILE", help="an EPCIS document, JSON or XML")
    labels.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    labels.add_argument("--format", choices=("png", "svg"), default="png")
    labels.add_argument("--dpi", type=int, choices=(203, 300, 600), default=300)
    labels.set_defaults(run=_labels)


def _labels(arguments: argparse.Namespace, context: "Context") -> None:
    try:
        document = read(arguments.file.read_bytes())
    except DocumentError as error:
        raise Invalid(f"document.{error.code}", "The document cannot be used", str(error)) from error
    try:
        wanted = dict(_wanted(document, context))
    except LabelError as error:
        raise AppError(error.code, 400, "A label cannot be printed", str(error)) from error
    if len(wanted) > MOST_LABELS:
        raise Invalid("labels.too_many", f"{len(wanted)} labels at once", f"at most {MOST_LABELS}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    jobs = [
        (label, arguments.out / f"{name}.{arguments.format}", arguments.dpi) for name, label in wanted.items()
    ]
    try:
        with ProcessPoolExecutor() as workers:
            written = list(workers.map(_write, jobs, chunksize=16))
    except LabelError as error:
        raise AppError(error.code, 500, "A label cannot be printed", str(error)) from error
    context.show(
        {"labels": len(written), "folder": str(arguments.out)},
        f"{len(written)} labels in {arguments.out}, each read back before it was written.",
    )


def _wanted(document: Document, context: "Context") -> Iterator[tuple[str, Label]]:
    """A file's name and a label for everything that `document` begins."""
    with context.services.database.reading() as connection:
        begun = [event for event in document.events if event.action is Action.ADD and event.epcs]
        keys = [parse_epc(key) for event in begun for key in event.epcs]
        known = products.by_gtins(connection, {key.gtin.digits for key in keys if isinstance(key, Sgtin)})
    for event in begun:
        lot, expiry = event.ilmd_text(LOT), event.ilmd_text(EXPIRY)
        for key in map(parse_epc, event.epcs):
            if isinstance(key, Sgtin) and lot and expiry:
                yield (
                    f"{key.gtin.digits}-{_safe(key.serial)}",
                    _package(key, lot, expiry, known.get(key.gtin.digits)),
                )
            elif isinstance(key, Sscc):
                yield key.digits, LogisticLabel(sscc=key, unit="PALLET")


def _package(key: Sgtin, lot: str, expiry: str, product: Product | None) -> PackageLabel:
    printed = (
        {
            "product_name": product.name,
            "strength": product.strength,
            "form": product.dosage_form.capitalize(),
            "quantity": product.net_content,
            "ndc": product.ndc,
            "maker": product.manufacturer,
        }
        if product
        else {}
    )
    return PackageLabel(
        gtin=key.gtin, serial=key.serial, lot=lot, expiry=date.fromisoformat(expiry), **printed
    )


def _safe(serial: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else f"~{ord(char):02x}" for char in serial)


def _write(job: tuple[Label, Path, int]) -> str:
    label, path, dpi = job
    if path.suffix == ".svg":
        drawn = (
            service.package_label_svg(label)
            if isinstance(label, PackageLabel)
            else service.logistic_label_svg(label)
        )
        path.write_text(drawn)
    elif isinstance(label, PackageLabel):
        path.write_bytes(service.package_label_png(label, dpi=dpi))
    else:
        path.write_bytes(service.logistic_label_png(label, dpi=dpi))
    return path.name
