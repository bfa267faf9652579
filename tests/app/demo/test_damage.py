import io
from datetime import date

import pytest
from PIL import Image, ImageChops

from app.demo.damage import damage
from app.labels.rules import LogisticLabel, PackageLabel
from app.labels.service import logistic_label_png, package_label_png
from ledger.gs1.gtin import Gtin
from scanner.decode import decode_picture, load_picture

LABEL = PackageLabel(
    Gtin("00312345678906"), "A1B2C3D4E5", "L2028A", date(2028, 5, 31), product_name="Atorvastatin"
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dpi", [203, 300])
def test_a_damaged_label_cannot_be_read_even_at_a_second_look(dpi: int, seed: int) -> None:
    png = package_label_png(LABEL, dpi=dpi)
    assert len(decode_picture(load_picture(png))) == 1
    assert decode_picture(load_picture(damage(png, seed=seed)), rescue_s=2.0) == []


def test_damage_is_the_same_for_the_same_seed() -> None:
    png = package_label_png(LABEL)
    assert damage(png, seed=3) == damage(png, seed=3)
    assert damage(png, seed=3) != damage(png, seed=4)


def test_what_people_read_beside_the_symbol_is_left_alone() -> None:
    png = package_label_png(LABEL)
    with Image.open(io.BytesIO(png)) as before, Image.open(io.BytesIO(damage(png))) as after:
        assert before.size == after.size
        changed = ImageChops.difference(before.convert("L"), after.convert("L")).getbbox()
    assert changed is not None
    assert changed[2] < before.width / 3


def test_a_pallet_label_can_be_damaged_too() -> None:
    png = logistic_label_png(LogisticLabel.parse(sscc="103999990000000014"), dpi=203)
    assert decode_picture(load_picture(damage(png))) == []


def test_a_picture_without_a_code_cannot_be_damaged_further() -> None:
    buffer = io.BytesIO()
    Image.new("L", (100, 100), 255).save(buffer, "PNG")
    with pytest.raises(ValueError, match="no code"):
        damage(buffer.getvalue())
