from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from PIL import Image, ImageFilter, ImageOps

from scanner.decode import Consensus, Decoded, Picture, decode_picture, settle_still
from scanner.decode import zbar as zbar_module
from scanner.decode.rescue import Rescue
from scanner.decode.zbar import ZbarDecoder
from scanner.decode.zxing import ZxingDecoder
from tests.scanner.pictures import PACKAGE_BYTES, beside, datamatrix, ean13
from tests.support.patience import PATIENCE_S

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SQUARE = ((0, 0), (9, 0), (9, 9), (0, 9))
ELSEWHERE = ((50, 0), (59, 0), (59, 9), (50, 9))


def _ean(data: bytes, position: "object" = SQUARE, engine: str = "zxing") -> Decoded:
    return Decoded(data, "]E0", "EAN-13", position, engine=engine)  # type: ignore[arg-type]


def test_a_package_label_is_read_as_bytes_with_its_separator_and_symbology() -> None:
    [code] = decode_picture(Picture.of_image(datamatrix()))
    assert code.data == PACKAGE_BYTES
    assert code.symbology == "]d2"
    assert code.format == "Data Matrix"
    assert code.carries_ais
    assert not code.single_read


def test_the_code_that_names_the_package_comes_before_the_retail_code_beside_it() -> None:
    codes = decode_picture(Picture.of_image(beside(ean13(), datamatrix())))
    assert [code.symbology for code in codes] == ["]d2", "]E0"]


def test_a_retail_code_from_a_still_picture_is_marked_as_read_once() -> None:
    [code] = decode_picture(Picture.of_image(ean13()), rescue_s=0)
    assert code.data == b"5030159003930"
    assert code.single_read


@pytest.mark.parametrize("turn", [0, 33, 90, 147, 180, 270])
def test_a_label_is_read_however_it_lies(turn: int) -> None:
    turned = datamatrix().rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert [code.data for code in decode_picture(Picture.of_image(turned))] == [PACKAGE_BYTES]


def test_white_on_black_is_read() -> None:
    inverted = ImageOps.expand(ImageOps.invert(datamatrix()), 30, 0)
    assert [code.data for code in decode_picture(Picture.of_image(inverted))] == [PACKAGE_BYTES]


def _faint() -> Picture:
    """Blurred and nearly without contrast: more than one look can take."""
    image = datamatrix(scale=3).filter(ImageFilter.GaussianBlur(0.9)).point(lambda value: 120 + value // 12)
    return Picture.of_image(ImageOps.expand(image, 100, image.getpixel((0, 0))))


def test_the_second_look_reads_what_the_first_did_not() -> None:
    picture = _faint()
    assert ZxingDecoder().decode(picture) == []
    [code] = decode_picture(picture, rescue_s=PATIENCE_S)
    assert code.data == PACKAGE_BYTES
    assert code.engine.startswith("zxing, ")
    (left, top), _, (right, bottom), _ = code.position
    assert 90 < left < right < picture.width - 90
    assert 90 < top < bottom < picture.height - 90


def test_without_a_second_look_there_is_none() -> None:
    assert decode_picture(_faint(), rescue_s=0) == []


def test_the_second_look_ends_when_its_time_is_used_up() -> None:
    """By a clock that goes on by a second whenever it is looked at: two renderings fit into five seconds."""
    ticks = count()
    nothing = Picture.of_image(Image.new("L", (160, 120), 255))
    assert Rescue(budget_s=5.0, now=lambda: float(next(ticks))).decode(nothing) == []
    assert next(ticks) == 6, "the beginning, twice for each of two renderings, and once for what is too late"


def test_no_rung_is_begun_after_the_deadline() -> None:
    ticks = iter(range(100))
    looked = Rescue(budget_s=0.0, now=lambda: float(next(ticks)))
    assert looked.decode(Picture.of_image(datamatrix())) == []


def test_zbar_reads_retail_codes_and_nothing_else() -> None:
    if not zbar_module.available():
        pytest.skip("libzbar0 is not installed; the scanner works without it")
    codes = ZbarDecoder().decode(Picture.of_image(beside(ean13(), datamatrix())))
    assert [(code.data, code.symbology) for code in codes] == [(b"5030159003930", "]E0")]


def test_everything_works_where_zbar_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zbar_module, "_pyzbar", lambda: None)
    assert not zbar_module.available()
    [code] = decode_picture(Picture.of_image(ean13()), rescue_s=0)
    assert code.data == b"5030159003930"


def test_two_engines_that_read_the_same_ink_differently_are_both_disbelieved() -> None:
    read, other = _ean(b"7034759003930"), _ean(b"5030159003930", engine="zbar")
    assert settle_still([read], [other]) == []
    assert settle_still([read], [_ean(b"7034759003930", engine="zbar")]) == [read]
    assert settle_still([read], [_ean(b"5030159003930", ELSEWHERE, "zbar")]) == [read]
    assert settle_still([read], []) == [read]


def test_a_linear_code_is_believed_when_two_frames_agree() -> None:
    consensus = Consensus()
    good, bad = _ean(b"5030159003930"), _ean(b"7034759003930")
    assert consensus.feed([bad], NOON) == []
    assert consensus.feed([good], NOON + timedelta(milliseconds=40)) == []
    [believed] = consensus.feed([good], NOON + timedelta(milliseconds=80))
    assert believed.data == good.data
    assert believed.frames == 2
    assert not believed.single_read


def test_the_same_code_twice_in_one_frame_is_not_two_frames() -> None:
    assert Consensus().feed([_ean(b"5030159003930"), _ean(b"5030159003930", ELSEWHERE)], NOON) == []


def test_readings_too_far_apart_do_not_agree() -> None:
    consensus = Consensus(within=timedelta(seconds=2))
    assert consensus.feed([_ean(b"5030159003930")], NOON) == []
    assert consensus.feed([_ean(b"5030159003930")], NOON + timedelta(seconds=3)) == []


def test_a_clock_that_is_set_back_keeps_no_code_reported() -> None:
    consensus = Consensus()
    matrix = Decoded(PACKAGE_BYTES, "]d2", "Data Matrix", SQUARE)
    times = [NOON, NOON - timedelta(hours=1), NOON - timedelta(hours=1) + timedelta(milliseconds=33)]
    assert [len(consensus.feed([matrix], at)) for at in times] == [1, 1, 0]


def test_a_matrix_code_is_believed_at_once_and_reported_once_while_it_stays() -> None:
    consensus = Consensus(rearm=timedelta(seconds=1.5))
    matrix = Decoded(PACKAGE_BYTES, "]d2", "Data Matrix", SQUARE)
    reports = [consensus.feed([matrix], NOON + timedelta(milliseconds=33 * n)) for n in range(90)]
    assert [len(report) for report in reports] == [1] + [0] * 89
    gone = NOON + timedelta(milliseconds=33 * 89)
    assert consensus.feed([], gone + timedelta(seconds=1)) == []
    assert len(consensus.feed([matrix], gone + timedelta(seconds=2))) == 1
