import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from scanner.decode import Picture, decode_picture, load_picture
from scanner.decode import picture as limits
from scanner.errors import ImageError
from tests.scanner.pictures import PACKAGE_BYTES, datamatrix


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(10_000, 6_000), (12_000, 10_000), (60_000, 60_000)])
def test_a_small_file_that_claims_a_huge_picture_is_refused_before_it_is_unpacked(
    width: int, height: int
) -> None:
    with pytest.raises(ImageError) as refused:
        load_picture(_claiming(width, height), name="bomb.png")
    assert refused.value.code == "image-too-large"
    assert "bomb.png" in refused.value.message


def test_a_file_of_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_IMAGE_BYTES", 1000)
    big = tmp_path / "big.png"
    big.write_bytes(b"x" * 1001)
    with pytest.raises(ImageError) as refused:
        load_picture(big)
    assert refused.value.code == "image-too-large"


@pytest.mark.parametrize("cut", [0, 1, 8, 40, 200])
def test_a_picture_cut_short_is_a_clear_error(cut: int) -> None:
    with pytest.raises(ImageError) as refused:
        load_picture(_png(datamatrix())[:cut], name="cut.png")
    assert refused.value.code == "image-unreadable"
    assert "cut.png" in refused.value.message
    assert "BytesIO" not in refused.value.message


def test_bytes_flipped_anywhere_in_a_picture_give_a_picture_or_a_clear_error() -> None:
    good = _png(datamatrix())
    for at in range(0, len(good), 7):
        broken = bytearray(good)
        broken[at] ^= 0xFF
        try:
            decode_picture(load_picture(bytes(broken)), rescue_s=0)
        except ImageError as error:
            assert error.code in {"image-unreadable", "image-too-large"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as refused:
        load_picture(tmp_path / "nowhere.png")
    assert refused.value.code == "file-unreadable"
    assert "nowhere.png" in refused.value.message


def test_text_and_postscript_are_not_pictures() -> None:
    for data in (b"hello", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"<svg xmlns='x'/>"):
        with pytest.raises(ImageError, match="not a picture"):
            load_picture(data)


def _transparent(code: Image.Image) -> Image.Image:
    """Black modules on nothing, as drawing programs export them."""
    layer = Image.new("RGBA", code.size, (0, 0, 0, 0))
    layer.paste((0, 0, 0, 255), mask=code.point(lambda value: 255 - value))
    return layer


def _deep(code: Image.Image) -> Image.Image:
    return code.convert("I").point(lambda value: value * 257).convert("I;16")


@pytest.mark.parametrize(
    "changed",
    [
        lambda code: code.convert("RGB"),
        lambda code: code.convert("1"),
        lambda code: code.convert("P"),
        lambda code: code.convert("CMYK").convert("RGB"),
        _transparent,
        _deep,
    ],
)
def test_a_code_is_read_whatever_the_picture_is_made_of(changed: "object") -> None:
    image = changed(datamatrix())  # type: ignore[operator]
    [code] = decode_picture(load_picture(_png(image)))
    assert code.data == PACKAGE_BYTES


def test_a_picture_of_a_wrong_number_of_bytes_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="do not make a picture"):
        Picture(10, 10, b"\x00" * 99)
