"""Pictures for the scanner's tests, made by the real encoder."""

import zxingcpp
from PIL import Image

GTIN = "00399999001014"
PACKAGE = f"(01){GTIN}(21)a1/B%(17)280531(10)L7"
PACKAGE_BYTES = b"0100399999001014" + b"21a1/B%\x1d" + b"17280531" + b"10L7"


def datamatrix(content: str = PACKAGE, scale: int = 6) -> Image.Image:
    """A GS1 DataMatrix with its quiet zone."""
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, gs1=True, force_square=True)
    return Image.fromarray(code.to_image(scale=scale))


def ean13(digits: str = "5030159003930", scale: int = 4) -> Image.Image:
    """An EAN-13 symbol with its quiet zone."""
    return Image.fromarray(
        zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.EAN13).to_image(scale=scale)
    )


def beside(*images: Image.Image) -> Image.Image:
    """The images in one row on white."""
    gap = 40
    sheet = Image.new("L", (sum(i.width + gap for i in images), max(i.height for i in images) + 2 * gap), 255)
    x = gap // 2
    for image in images:
        sheet.paste(image, (x, gap))
        x += image.width + gap
    return sheet
