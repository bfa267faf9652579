import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from scanner.errors import SourceError
from scanner.sources import CameraSource
from scanner.sources.files import look
from tests.scanner.pictures import PACKAGE_BYTES, datamatrix, ean13
from tests.support.shared import missing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _noon() -> datetime:
    return NOON


@pytest.fixture
def cv2() -> "object":
    try:
        import cv2
    except ImportError as error:
        missing(f"OpenCV cannot be loaded: {error}")
    return cv2


def _video(cv2: "object", path: Path, shown: list[Image.Image], size: tuple[int, int] = (640, 480)) -> Path:
    """A video of 25 frames a second that shows each image for one frame."""
    import numpy

    codec = cv2.VideoWriter_fourcc(*"MJPG")  # type: ignore[attr-defined]
    writer = cv2.VideoWriter(str(path), codec, 25.0, size)  # type: ignore[attr-defined]
    assert writer.isOpened()
    for image in shown:
        sheet = Image.new("RGB", size, (200, 200, 200))
        sheet.paste(image, (60, 60))
        writer.write(numpy.asarray(sheet)[:, :, ::-1].copy())
    writer.release()
    return path


NOTHING = Image.new("L", (10, 10), 200)


def test_a_package_held_before_the_camera_is_reported_once(cv2: "object", tmp_path: Path) -> None:
    video = _video(cv2, tmp_path / "visit.avi", [NOTHING] * 5 + [datamatrix()] * 20 + [NOTHING] * 5)
    [scan] = list(CameraSource.parse(f"camera:{video}", _noon))
    assert scan.data == PACKAGE_BYTES
    assert scan.symbology == "]d2"
    assert scan.source == f"camera:{video}"
    assert scan.at == NOON + timedelta(milliseconds=200)  # the sixth frame at 25 a second


def test_a_retail_code_needs_two_frames(cv2: "object", tmp_path: Path) -> None:
    once = _video(cv2, tmp_path / "once.avi", [NOTHING] * 3 + [ean13()] + [NOTHING] * 3)
    assert list(CameraSource.parse(f"camera:{once}", _noon)) == []
    twice = _video(cv2, tmp_path / "twice.avi", [NOTHING] * 3 + [ean13()] * 2 + [NOTHING] * 3)
    [scan] = list(CameraSource.parse(f"camera:{twice}", _noon))
    assert scan.data == b"5030159003930"
    assert not scan.single_read


def test_a_package_shown_again_after_a_while_is_a_second_scan(cv2: "object", tmp_path: Path) -> None:
    video = _video(cv2, tmp_path / "again.avi", [datamatrix()] * 3 + [NOTHING] * 45 + [datamatrix()] * 3)
    assert len(list(CameraSource.parse(f"camera:{video}", _noon))) == 2


def test_frames_are_bounded_in_number_and_size(cv2: "object", tmp_path: Path) -> None:
    video = _video(cv2, tmp_path / "large.avi", [datamatrix()] * 10, size=(2560, 1920))
    shown = list(CameraSource(video, _noon, max_frames=4).frames())
    assert len(shown) == 4
    assert all(frame.picture.width * frame.picture.height <= 1920 * 1080 for frame in shown)


def test_a_file_that_is_no_video_and_one_that_is_not_there_are_clear_errors(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a video")
    for spec in (text, tmp_path / "nowhere.avi"):
        with pytest.raises(SourceError) as refused:
            list(CameraSource.parse(f"camera:{spec}", _noon))
        assert refused.value.code == "camera-unavailable"


@pytest.mark.parametrize("spec", ["camera", "camera:", "webcam:0", ""])
def test_a_source_that_names_no_camera_is_refused(spec: str) -> None:
    with pytest.raises(SourceError, match="camera:0"):
        CameraSource.parse(spec, _noon)


def test_without_opencv_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SourceError) as refused:
        list(CameraSource(0, _noon))
    assert refused.value.code == "camera-missing"
    assert "apt-get install libgl1 libglib2.0-0 libzbar0" in refused.value.message


def test_picture_files_are_scans(tmp_path: Path) -> None:
    label, broken = tmp_path / "label.png", tmp_path / "broken.png"
    datamatrix().save(label)
    broken.write_bytes(b"\x89PNG\r\n\x1a\nrest")
    bad, good = list(look([broken, label], _noon))
    assert bad.error is not None
    assert bad.error.code == "image-unreadable"
    assert [scan.data for scan in good.scans] == [PACKAGE_BYTES]
    assert (good.scans[0].source, good.scans[0].at) == (str(label), NOON)
