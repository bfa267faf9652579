"""Products and locations from a document's vocabularies, and the attributes to write them with.

    EPCClass  urn:epc:idpat:sgtin:030001.0012345.*   urn:epcglobal:cbv:mda#regulatedProductName = Epcistra
    Location  urn:epc:id:sgln:030001.111111.0        urn:epcglobal:cbv:mda#streetAddressOne = 1 Biopharm Ct

Sources: CBV 2.0, section 9 (attribute names); GS1 US guideline for DSCSA (which of them). An entry that cannot be
used is noted and left out: master data completes what events say, and never stops them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ledger.custody.event import compact
from ledger.epcis.document import Document, LocationMaster, NoteCode, ProductMaster
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.names import MDA
from ledger.epcis.report import Report
from ledger.epcis.trees import Tree, text_of
from ledger.gs1.epc import GtinClass, Lgtin, Pgln, Sgln, parse_epc
from ledger.gs1.errors import Gs1Error, shown

T = TypeVar("T")

PRODUCT_ATTRIBUTES = {
    "ndc": f"{MDA}#additionalTradeItemIdentification",
    "ndc_type": f"{MDA}#additionalTradeItemIdentificationTypeCode",
    "name": f"{MDA}#regulatedProductName",
    "manufacturer": f"{MDA}#manufacturerOfTradeItemPartyName",
    "dosage_form": f"{MDA}#dosageFormType",
    "strength": f"{MDA}#strengthDescription",
    "net_content": f"{MDA}#netContentDescription",
}
LOCATION_ATTRIBUTES = {
    "name": f"{MDA}#name",
    "street1": f"{MDA}#streetAddressOne",
    "street2": f"{MDA}#streetAddressTwo",
    "city": f"{MDA}#city",
    "state": f"{MDA}#state",
    "postal_code": f"{MDA}#postalCode",
    "country": f"{MDA}#countryCode",
}
VTYPE = "urn:epcglobal:epcis:vtype:"
PRODUCT_VOCABULARY = VTYPE + "EPCClass"
LOCATION_VOCABULARY = VTYPE + "Location"
_PRODUCTS = frozenset(("EPCClass",))
_LOCATIONS = frozenset(("Location", "BusinessLocation", "ReadPoint", "SourceDest", "Party"))


class Entries:
    """The vocabulary elements of one document, as they are found."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: list[tuple[str, str, dict[str, Tree], str]] = []

    def add(self, kind: str, identifier: str, attributes: dict[str, Tree], where: str) -> None:
        """One element: its vocabulary's type, its id, its attributes by expanded name. ``too_many`` beyond the
        limit.
        """
        if len(self._found) >= self._most:
            raise ValueProblem(ProblemCode.TOO_MANY, f"more than {self._most} vocabulary elements", where)
        self._found.append((kind, identifier, attributes, where))

    def build(self, report: Report) -> tuple[tuple[ProductMaster, ...], tuple[LocationMaster, ...]]:
        """The products and locations, each once, in the document's order."""
        products: dict[str, ProductMaster] = {}
        locations: dict[str, LocationMaster] = {}
        for kind, identifier, attributes, where in self._found:
            word = kind.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
            try:
                epc = parse_epc(identifier)
            except Gs1Error as problem:
                _unusable(report, f"{shown(identifier)}: {problem.message}", where)
                continue
            if word in _PRODUCTS and isinstance(epc, GtinClass | Lgtin):
                key = epc.gtin.digits
                product = ProductMaster(key, **_known(attributes, PRODUCT_ATTRIBUTES))
                _keep(products, key, product, report, where)
            elif word in _LOCATIONS and isinstance(epc, Sgln | Pgln):
                place = LocationMaster(epc.canonical, **_known(attributes, LOCATION_ATTRIBUTES))
                _keep(locations, epc.canonical, place, report, where)
            else:
                _unusable(
                    report, f"{shown(identifier)} of {shown(kind)} is neither a product nor a place", where
                )
        return tuple(products.values()), tuple(locations.values())


def vocabularies(
    document: Document, epc: Callable[[str], str]
) -> Iterator[tuple[str, list[tuple[str, list[tuple[str, Tree]]]]]]:
    """The document's master data as vocabularies: type, and elements with their id (spelled by `epc`) and
    attributes.
    """
    products = [(f"https://id.gs1.org/01/{product.gtin}", product) for product in document.products]
    if products:
        yield PRODUCT_VOCABULARY, [(epc(name), _attributes(entry)) for name, entry in products]
    if document.locations:
        yield LOCATION_VOCABULARY, [(epc(entry.id), _attributes(entry)) for entry in document.locations]


def _attributes(entry: ProductMaster | LocationMaster) -> list[tuple[str, Tree]]:
    names = PRODUCT_ATTRIBUTES if isinstance(entry, ProductMaster) else LOCATION_ATTRIBUTES
    found: list[tuple[str, Tree]] = [
        (names[f.name], getattr(entry, f.name))
        for f in fields(entry)
        if f.name in names and getattr(entry, f.name) is not None
    ]
    found += [(name, json.loads(text)) for name, text in entry.other]
    return found


def _known(attributes: dict[str, Tree], names: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = dict(attributes)
    for field, name in names.items():
        text = text_of(left.get(name))
        if text is not None:
            found[field] = text
            del left[name]
    found["other"] = tuple((name, compact(left[name])) for name in sorted(left))
    return found


def _keep(into: dict[str, T], key: str, entry: T, report: Report, where: str) -> None:
    there = into.setdefault(key, entry)
    if there != entry:
        report.note(
            NoteCode.MASTER_DATA_CONFLICT,
            f"{key} has master data twice, and they differ: the first are kept",
            where,
        )


def _unusable(report: Report, message: str, where: str) -> None:
    report.note(NoteCode.MASTER_DATA_UNUSABLE, f"master data left out: {message}", where)
