import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.labels import service, symbols
from app.labels.rules import LabelError, LogisticLabel, PackageLabel
from app.labels.svg import symbol_in
from app.labels.symbols import Symbol
from ledger.gs1.element_string import parse_scan
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc
from scanner.decode import decode_picture, load_picture
from tests.support.speed import within

PACKAGE = PackageLabel(
    Gtin("00312345678906"),
    "A1B2C3D4E5",
    "L2028A",
    date(2028, 5, 31),
    product_name="Atorvastatin Calcium Tablets",
    strength="20 mg",
    quantity="90 tablets",
    ndc="1234-5678-90",
    maker="Mfd. by Northfield Pharmaceuticals, Inc., Madison, WI 53703",
)
PALLET = LogisticLabel(
    Sscc("103999990000000014"),
    ship_from=("Northfield Pharmaceuticals", "1200 Lakeside Drive", "Madison, WI 53703"),
    ship_to=("Great Rivers Wholesale", "88 Dockside Road, Gate 4", "Memphis, TN 38103"),
    product_name="Atorvastatin Calcium Tablets 20 mg",
    gtin=Gtin("00312345678906"),
    lot="L2028A",
    expiry=date(2028, 5, 31),
    contents="24 cases · 240 packages",
    reference="PO 4500012345",
)
SVG = "{http://www.w3.org/2000/svg}"


def _read(png: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    [code] = decode_picture(load_picture(png), rescue_s=0)
    return code.symbology, parse_scan(code.data, code.symbology).ais


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_a_package_label_reads_as_its_four_elements(dpi: int) -> None:
    png = service.package_label_png(PACKAGE, dpi=dpi)
    assert _read(png) == ("]d2", PACKAGE.elements)
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.5)
        assert image.width / dpi == pytest.approx(2.5, abs=0.3)  # inches of label stock


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_a_pallet_label_reads_as_its_sscc(dpi: int) -> None:
    png = service.logistic_label_png(PALLET, dpi=dpi)
    assert _read(png) == ("]C1", (("00", "103999990000000014"),))
    with Image.open(io.BytesIO(png)) as image:
        assert (image.width / dpi, image.height / dpi) == pytest.approx((4, 6), abs=0.1)


def test_a_digital_link_leads_to_the_same_package() -> None:
    symbology, ais = _read(service.digital_link_qr_png(PACKAGE, stem="https://verify.example/p"))
    assert symbology == "]Q1"
    assert dict(ais) == dict(PACKAGE.elements)
    assert (
        service.digital_link_of(PACKAGE)
        == "https://id.gs1.org/01/00312345678906/10/L2028A/21/A1B2C3D4E5?17=280531"
    )


@pytest.mark.parametrize(
    "stem", ["", "javascript:alert(1)", "example.com", "https://exa mple.com", "ftp://example.com"]
)
def test_a_stem_that_makes_no_digital_link_is_refused(stem: str) -> None:
    with pytest.raises(LabelError) as refused:
        service.digital_link_qr_png(PACKAGE, stem=stem)
    assert refused.value.code == "label-link"


@pytest.mark.parametrize("dpi", [0, 72, 301, -300])
def test_a_resolution_that_no_label_printer_has_is_refused(dpi: int) -> None:
    with pytest.raises(LabelError) as refused:
        service.package_label_png(PACKAGE, dpi=dpi)
    assert refused.value.code == "label-size"


@pytest.mark.parametrize(
    ("draw", "encode"),
    [
        (lambda: service.package_label_svg(PACKAGE), lambda: symbols.datamatrix(PACKAGE.elements)),
        (lambda: service.logistic_label_svg(PALLET), lambda: symbols.gs1_128(PALLET.elements)),
        (
            lambda: service.digital_link_qr_svg(PACKAGE),
            lambda: symbols.qr(service.digital_link_of(PACKAGE)),
        ),
    ],
    ids=["package", "pallet", "link"],
)
def test_a_vector_label_draws_the_modules_of_its_symbol(
    draw: Callable[[], str], encode: Callable[[], Symbol]
) -> None:
    document, symbol = draw(), encode()
    assert symbol_in(document) == symbol.rows
    root = ElementTree.fromstring(document)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    path = root.find(f".//{SVG}path")
    assert path is not None
    runs = path.attrib["d"].split("M")[1:]
    xs = [int(run.split(" ")[0]) for run in runs]
    assert min(xs) >= symbol.quiet
    assert max(xs) + symbol.quiet <= width
    assert all(0 <= float(text.attrib["y"]) <= height for text in root.iter(f"{SVG}text"))


def test_a_vector_label_shows_people_what_the_symbol_says() -> None:
    root = ElementTree.fromstring(service.package_label_svg(PACKAGE))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for shown in ("00312345678906", "A1B2C3D4E5", "2028-05-31", "L2028A", "(01)00312345678906(21)A1B2C3D4E5"):
        assert shown in texts
    assert "(17)280531(10)L2028A" in texts


def test_texts_cannot_break_out_of_the_vector_label() -> None:
    hostile = PackageLabel(
        PACKAGE.gtin, '"><b>&', "<GS>'", PACKAGE.expiry, product_name="</text><script>alert(1)</script>"
    )
    document = service.package_label_svg(hostile)
    root = ElementTree.fromstring(document)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "title",
        "rect",
        "g",
        "path",
        "text",
    }
    assert "</text><script>alert(1)</script>" in [text.text for text in root.iter(f"{SVG}text")]


def test_the_quiet_zone_around_every_symbol_is_white() -> None:
    for png in (
        service.package_label_png(PACKAGE),
        service.logistic_label_png(PALLET),
        service.digital_link_qr_png(PACKAGE),
    ):
        [code] = decode_picture(load_picture(png), rescue_s=0)
        xs, ys = [x for x, _ in code.position], [y for _, y in code.position]
        margin = {"]d2": 5, "]C1": 60, "]Q1": 24}[
            code.symbology
        ]  # quiet modules of General Specifications, in dots
        with Image.open(io.BytesIO(png)) as image:
            high = (min(ys), max(ys)) if code.symbology == "]C1" else (min(ys) - margin, max(ys) + margin)
            for strip in (
                (min(xs) - margin, high[0], min(xs) - 2, high[1]),
                (max(xs) + 3, high[0], max(xs) + margin, high[1]),
            ):
                assert image.crop(strip).getextrema() == (255, 255), code.symbology


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    serial=st.text("!\"%&'()*+,-./09:;<=>?AZ_az", min_size=1, max_size=20),
    lot=st.text("!\"%&'()*+,-./09:;<=>?AZ_az", min_size=1, max_size=20),
)
def test_any_serial_and_lot_can_be_printed_and_read_back(serial: str, lot: str) -> None:
    label = PackageLabel(PACKAGE.gtin, serial, lot, PACKAGE.expiry)
    assert _read(service.package_label_png(label, dpi=203)) == ("]d2", label.elements)
    service.package_label_svg(label)
    service.digital_link_qr_svg(label)


def _of_another_package(elements: "object") -> Symbol:
    other = PackageLabel(PACKAGE.gtin, "SOMEBODY-ELSE", PACKAGE.lot, PACKAGE.expiry)
    return _datamatrix(other.elements)


def _plain(elements: "object") -> Symbol:
    """What ``options="gs1"`` gives: a symbol without FNC1, silently."""
    code = zxingcpp.create_barcode(
        "010031234567890621A117280531", zxingcpp.BarcodeFormat.DataMatrix, options="gs1", force_square=True
    )
    rows = memoryview(code.to_image(scale=1, add_quiet_zones=False)).tolist()
    return Symbol(tuple("".join("#" if dot < 128 else "." for dot in row) for row in rows), 1, "]d2")


def _spoilt(elements: "object") -> Symbol:
    good = _datamatrix(PACKAGE.elements)
    return Symbol(tuple("#" * good.width for _ in good.rows), good.quiet, good.symbology)


_datamatrix = symbols.datamatrix


@pytest.mark.parametrize("wrong", [_of_another_package, _plain, _spoilt])
def test_a_label_that_reads_otherwise_never_leaves(monkeypatch: pytest.MonkeyPatch, wrong: "object") -> None:
    monkeypatch.setattr(symbols, "datamatrix", wrong)
    for render in (service.package_label_png, service.package_label_svg):
        with pytest.raises(LabelError) as refused:
            render(PACKAGE)
        assert refused.value.code == "label-readback"


def test_a_vector_drawing_that_differs_from_its_symbol_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = service.vector.svg
    monkeypatch.setattr(
        service.vector, "svg", lambda drawing: drawn(drawing).replace("h1v1h-1z", "h2v1h-2z", 1)
    )
    with pytest.raises(LabelError) as refused:
        service.package_label_svg(PACKAGE)
    assert refused.value.code == "label-readback"


def test_a_symbol_is_square_so_that_older_readers_know_it() -> None:
    symbol = symbols.datamatrix(PACKAGE.elements)
    assert symbol.width == symbol.height


def test_a_pallet_of_labels_is_drawn_and_read_back_in_ten_seconds_of_one_core() -> None:
    """240 packages in 10 s: a tenth of them in a tenth of the time."""

    def draw() -> None:
        for number in range(24):
            service.package_label_png(replace(PACKAGE, serial=f"A1B2C3{number:04}"))

    within(1, draw)


def _shown(document: str) -> list[tuple[str, float]]:
    root = ElementTree.fromstring(document)
    return [(text.text or "", float(text.attrib["font-size"])) for text in root.iter(f"{SVG}text")]


def test_a_name_too_long_is_cut_but_what_identifies_or_doses_is_only_made_smaller() -> None:
    long = PackageLabel(
        PACKAGE.gtin,
        "W" * 20,
        "M" * 20,
        PACKAGE.expiry,
        product_name="W" * 60,
        strength="12.5 mg/20 mg",
        form="extended-release tablets, film-coated",
        quantity="1000 tablets in one bottle",
        maker="M" * 60,
    )
    shown = dict(_shown(service.package_label_svg(long)))
    assert "12.5 mg/20 mg extended-release tablets, film-coated" in shown
    assert {"W" * 20, "M" * 20, f"(01)00312345678906(21){'W' * 20}"} <= set(shown)
    assert [text[-1] for text in shown if text.startswith(("WWW", "MMM")) and len(text) > 20] == ["…", "…"]
    assert min(shown.values()) * 0.423 > 1.0  # millimetres
    assert _read(service.package_label_png(long)) == ("]d2", long.elements)


def test_a_bare_label_has_no_empty_headings() -> None:
    shown = [text for text, _ in _shown(service.logistic_label_svg(LogisticLabel(PALLET.sscc)))]
    assert shown == ["PALLET", "SSCC", "103999990000000014", "(00)103999990000000014"]
