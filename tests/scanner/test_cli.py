import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scanner.cli import build_parser, main
from scanner.commands import doctor
from tests.scanner.pictures import GTIN, PACKAGE_BYTES, datamatrix, ean13
from tests.support.patience import PATIENCE_S


def test_decode_prints_for_programs_what_the_label_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = tmp_path / "label.png"
    datamatrix().save(label)
    assert main(["decode", "--json", str(label)]) == 0
    [looked] = json.loads(capsys.readouterr().out)
    [code] = looked["codes"]
    assert looked["file"] == str(label)
    assert looked["error"] is None
    assert bytes.fromhex(code["data_hex"]) == PACKAGE_BYTES
    assert code["text"] == PACKAGE_BYTES.decode().replace("\x1d", "␝")
    assert (code["symbology"], code["format"], code["single_read"]) == ("]d2", "Data Matrix", False)
    gs1 = code["gs1"]
    assert gs1["ais"] == [
        {"ai": "01", "value": GTIN},
        {"ai": "21", "value": "a1/B%"},
        {"ai": "17", "value": "280531"},
        {"ai": "10", "value": "L7"},
    ]
    assert (gs1["gtin"], gs1["serial"], gs1["lot"], gs1["expiry"]) == (GTIN, "a1/B%", "L7", "280531")


def test_a_code_that_is_not_gs1_is_shown_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zxingcpp

    picture = tmp_path / "plain.png"
    plain = zxingcpp.create_barcode("hello", zxingcpp.BarcodeFormat.DataMatrix)
    Image.fromarray(plain.to_image(scale=6)).save(picture)
    assert main(["decode", "--json", str(picture)]) == 0
    [looked] = json.loads(capsys.readouterr().out)
    assert looked["codes"][0]["gs1"]["error"]["code"] == "not_ai_data"


def test_a_retail_code_gives_a_gtin_and_no_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "retail.png"
    ean13().save(picture)
    main(["decode", "--json", "--rescue", "0", str(picture)])
    [looked] = json.loads(capsys.readouterr().out)
    gs1 = looked["codes"][0]["gs1"]
    assert (gs1["gtin"], gs1["serial"], gs1["epc"]) == ("05030159003930", None, None)


def test_one_bad_file_does_not_hide_the_good_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label, bad, empty = tmp_path / "label.png", tmp_path / "bad.png", tmp_path / "empty.png"
    datamatrix().save(label)
    bad.write_text("no picture")
    Image.new("L", (50, 50), 255).save(empty)
    assert main(["decode", "--json", str(bad), str(empty), str(label)]) == 2
    looked = json.loads(capsys.readouterr().out)
    assert [entry["error"] and entry["error"]["code"] for entry in looked] == ["image-unreadable", None, None]
    assert [len(entry["codes"]) for entry in looked] == [0, 0, 1]
    assert main(["decode", str(empty)]) == 1


def test_decode_prints_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = tmp_path / "label.png"
    datamatrix().save(label)
    main(["decode", str(label)])
    out = capsys.readouterr().out
    assert "(21) SN    a1/B%" in out
    assert "␝" in out


def test_control_characters_in_a_code_never_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zxingcpp

    picture = tmp_path / "hostile.png"
    hostile = zxingcpp.create_barcode("\x1b[2Jgone\x07", zxingcpp.BarcodeFormat.DataMatrix)
    Image.fromarray(hostile.to_image(scale=6)).save(picture)
    main(["decode", str(picture)])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b[2Jgone\\x07" in out


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["decode"], ["doctor"]):
        with pytest.raises(SystemExit) as left:
            main([*command, "--help"])
        assert left.value.code == 0
        assert "examples:" in capsys.readouterr().out


def test_commands_are_found_by_themselves() -> None:
    assert {"decode", "doctor"} <= set(build_parser()._subparsers._group_actions[0].choices)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("seconds", ["-1", "31", "nan", "soon"])
def test_an_unreasonable_time_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["decode", "--rescue", seconds, "x.png"])
    assert "number of seconds" in capsys.readouterr().err


def test_doctor_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "zxing-cpp" in capsys.readouterr().out


def test_doctor_prints_the_one_line_that_brings_what_lacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "lacking  opencv-python" in out
    assert "apt-get install libgl1 libglib2.0-0 libzbar0" in out
    assert doctor.APT_LINE in out


def test_decoding_loads_neither_opencv_nor_numpy(tmp_path: Path) -> None:
    """The bench works on zxing-cpp and Pillow alone; a fresh interpreter shows it."""
    label = tmp_path / "label.png"
    datamatrix().save(label)
    script = (
        "import sys\n"
        "sys.modules.update({'cv2': None, 'numpy': None, 'pyzbar': None})\n"
        "from scanner.cli import main\n"
        f"raise SystemExit(main(['decode', {str(label)!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert "(10) LOT   L7" in done.stdout
