"""Labels as bytes, each read back before it leaves.

What is drawn is given to the same decoder that the bench uses and parsed by the same rules; a label that does not
read as exactly what was meant is never returned. A wrong label costs a recall, reading it costs milliseconds.

    png = package_label_png(PackageLabel.parse(gtin=..., serial=..., lot=..., expiry="2028-05-31"))
"""

from PIL import Image, ImageOps

from app.labels import layout, raster, symbols
from app.labels import svg as vector
from app.labels.drawing import Drawing
from app.labels.rules import Elements, LabelError, LogisticLabel, PackageLabel, human_readable
from ledger.gs1.digital_link import CANONICAL_STEM, format_link, from_ais
from ledger.gs1.digital_link import parse as parse_link
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error
from scanner.decode import Picture, decode_picture, load_picture

DEFAULT_DPI = 300
_READ_BACK_DOTS = 4


def package_label_png(label: PackageLabel, *, dpi: int = DEFAULT_DPI) -> bytes:
    """The package label as PNG at 203, 300 or 600 dpi.

    Raises LabelError: ``label-size``, ``label-symbol``, ``label-readback``.
    """
    return _png(_package(label), label.elements, dpi)


def package_label_svg(label: PackageLabel) -> str:
    """The package label as SVG. Raises LabelError: ``label-symbol``, ``label-readback``."""
    return _svg(_package(label), label.elements)


def logistic_label_png(label: LogisticLabel, *, dpi: int = DEFAULT_DPI) -> bytes:
    """The logistic unit's label as PNG at 203, 300 or 600 dpi; errors as `package_label_png`."""
    return _png(_logistic(label), label.elements, dpi)


def logistic_label_svg(label: LogisticLabel) -> str:
    """The logistic unit's label as SVG; errors as `package_label_svg`."""
    return _svg(_logistic(label), label.elements)


def digital_link_of(label: PackageLabel, *, stem: str = CANONICAL_STEM) -> str:
    """The package's GS1 Digital Link under `stem`, with serial, lot and expiry.

    Raises LabelError ``label-link``.
    """
    address = format_link(from_ais(label.elements), stem)
    try:
        parse_link(address)
    except Gs1Error as error:
        raise LabelError(
            "label-link", f"{stem!r} is no beginning of a Digital Link: {error.message}"
        ) from error
    return address


def digital_link_qr_png(label: PackageLabel, *, stem: str = CANONICAL_STEM, dpi: int = DEFAULT_DPI) -> bytes:
    """The package's Digital Link as a QR code, PNG; errors as `package_label_png`, and ``label-link``."""
    return _png(_link(label, stem), label.elements, dpi)


def digital_link_qr_svg(label: PackageLabel, *, stem: str = CANONICAL_STEM) -> str:
    """The package's Digital Link as a QR code, SVG; errors as `package_label_svg`, and ``label-link``."""
    return _svg(_link(label, stem), label.elements)


def _package(label: PackageLabel) -> Drawing:
    return layout.package(label, symbols.datamatrix(label.elements))


def _logistic(label: LogisticLabel) -> Drawing:
    return layout.logistic(label, symbols.gs1_128(label.elements))


def _link(label: PackageLabel, stem: str) -> Drawing:
    address = digital_link_of(label, stem=stem)
    return layout.link(label, address, symbols.qr(address))


def _png(drawing: Drawing, elements: Elements, dpi: int) -> bytes:
    data = raster.png(drawing, dpi)
    # The file's own bytes, opened as a stranger would open them.
    _require_reads_as(load_picture(data, name="the label"), drawing.placed.symbol.symbology, elements)
    return data


def _svg(drawing: Drawing, elements: Elements) -> str:
    document = vector.svg(drawing)
    rows = vector.symbol_in(document)
    if rows != drawing.placed.symbol.rows:
        raise LabelError(
            "label-readback", "the vector drawing differs from its symbol; the label was not made"
        )
    _require_reads_as(_enlarged(drawing.placed.symbol), drawing.placed.symbol.symbology, elements)
    return document


def _enlarged(symbol: symbols.Symbol) -> Picture:
    """The bare symbol in its quiet zone, large enough for a decoder."""
    high = symbol.height if symbol.height > 1 else 20
    dots = raster.modules_image(symbol).resize(
        (symbol.width * _READ_BACK_DOTS, high * _READ_BACK_DOTS), Image.Resampling.NEAREST
    )
    return Picture.of_image(ImageOps.expand(dots, symbol.quiet * _READ_BACK_DOTS, 255))


def _require_reads_as(picture: Picture, symbology: str, elements: Elements) -> None:
    codes = decode_picture(picture, rescue_s=0)
    if [code.symbology for code in codes] != [symbology]:
        seen = ", ".join(f"{code.format} {code.symbology}" for code in codes) or "nothing"
        raise LabelError(
            "label-readback",
            f"the label of {human_readable(elements)} reads as {seen}, not as one {symbology} symbol",
        )
    try:
        read = parse_scan(codes[0].data, codes[0].symbology).ais
    except Gs1Error as error:
        raise LabelError("label-readback", f"the label does not parse: {error.message}") from error
    if dict(read) != dict(elements):
        raise LabelError(
            "label-readback", f"the label reads as {human_readable(read)}, not as {human_readable(elements)}"
        )
