import io
import os
import pty
import threading
import time
import tty
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.gs1.element_string import parse_scan
from scanner.errors import SourceError
from scanner.sources import KeyboardSource, RawScan
from scanner.sources.keyboard import MAX_LINE_BYTES, read_line
from tests.support.patience import PATIENCE_S

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LABEL = b"0100399999001014" + b"21A1B2\x1d" + b"17280531" + b"10L7"


def _noon() -> datetime:
    return NOON


def _scans(typed: bytes, **more: "object") -> list[RawScan]:
    return list(KeyboardSource(io.BytesIO(typed), _noon, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b"\n\r", b"\r\n\r\n"])
def test_a_line_is_a_scan_however_it_ends(end: bytes) -> None:
    assert _scans(LABEL + end + b"012345" + end) == [
        RawScan(LABEL, None, "keyboard", NOON),
        RawScan(b"012345", None, "keyboard", NOON),
    ]


def test_the_last_line_needs_no_end() -> None:
    assert [scan.data for scan in _scans(b"one\ntwo")] == [b"one", b"two"]


def test_empty_and_blank_lines_are_no_scans() -> None:
    assert _scans(b"\n\r\n   \n\t\n") == []


def test_the_symbology_in_front_is_taken_off() -> None:
    [scan] = _scans(b"]d2" + LABEL + b"\r")
    assert (scan.data, scan.symbology) == (LABEL, "]d2")


@pytest.mark.parametrize("spelled", ["\x1d", "<GS>", "{GS}", "\\x1d", "[GS]", "\\u001d", "␝", "^]"])
def test_a_separator_is_understood_however_the_wedge_spells_it(spelled: str) -> None:
    [scan] = _scans(b"]d2" + LABEL.replace(b"\x1d", spelled.encode()) + b"\n")
    parsed = parse_scan(scan.data, scan.symbology)
    assert (parsed.serial, parsed.lot, str(parsed.expiry)) == ("A1B2", "L7", "280531")


def test_brackets_in_a_serial_are_left_alone_where_the_real_separator_is_sent() -> None:
    [scan] = _scans(b"]d2010039999900101421A<GS>B\x1d1728053110L7\n")
    assert parse_scan(scan.data, scan.symbology).serial == "A<GS>B"


def test_letters_keep_their_case_and_a_lost_separator_stays_lost() -> None:
    assert read_line(b"010039999900101421abC17280531") == (b"010039999900101421abC17280531", None)


def test_a_line_longer_than_any_barcode_is_refused_and_the_next_is_read() -> None:
    refused: list[SourceError] = []
    typed = b"good1\n" + b"x" * (3 * MAX_LINE_BYTES) + b"\ngood2\n" + b"y" * (MAX_LINE_BYTES + 1)
    scans = _scans(typed, on_refused=refused.append)
    assert [scan.data for scan in scans] == [b"good1", b"good2"]
    assert [error.code for error in refused] == ["line-too-long"] * 2


def test_an_endless_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    refused: list[SourceError] = []
    with Path("/dev/zero").open("rb") as zeros:
        endless = io.BufferedReader(io.BytesIO(zeros.read(20 * 1024 * 1024)))
        assert list(KeyboardSource(endless, _noon, on_refused=refused.append)) == []
    assert len(refused) == 1


def test_a_text_stream_works_as_well() -> None:
    assert [scan.data for scan in KeyboardSource(io.StringIO("abc␝d\n"), _noon)] == [b"abc\x1dd"]


def test_an_error_of_the_stream_reaches_the_reader() -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            raise OSError("the cable was pulled")

    with pytest.raises(OSError, match="cable"):
        list(KeyboardSource(Broken(), _noon))


def test_no_scan_is_lost_when_they_come_faster_than_they_are_handled() -> None:
    """A real terminal: it holds 4 KiB, so a source that read only when asked would lose most of this burst."""
    keyboard, screen = pty.openpty()
    tty.setraw(screen)
    sent = [b"]d20100399999001014" + f"21S{n:05}\x1d1728053110L7".encode() for n in range(600)]
    received: list[bytes] = []
    all_came = threading.Event()

    def type_them() -> None:
        for line in sent:
            os.write(keyboard, line + b"\r")
        all_came.wait(PATIENCE_S)  # a terminal that is closed may lose what nobody has read yet
        os.close(keyboard)

    typist = threading.Thread(target=type_them)
    with os.fdopen(screen, "rb", buffering=0) as stream:
        source = iter(KeyboardSource(io.BufferedReader(stream), _noon))  # type: ignore[type-var]
        typist.start()
        try:
            for scan in source:
                received.append(b"]d2" + scan.data)
                time.sleep(0.001)
                if len(received) == len(sent):
                    all_came.set()
        except OSError:
            pass  # a pty whose other side is closed says EIO where a file says end
        typist.join()
    assert received == sent


def test_a_scan_is_dated_when_it_was_typed_not_when_its_turn_came() -> None:
    times = iter(NOON + timedelta(seconds=n) for n in range(10))
    source = iter(KeyboardSource(io.BytesIO(b"a\nb\nc\n"), lambda: next(times)))
    first = next(source)
    time.sleep(0.05)
    assert [first.at, *(scan.at for scan in source)] == [NOON + timedelta(seconds=n) for n in range(3)]


def test_a_scan_without_a_time_zone_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="aware"):
        RawScan(b"x", None, "keyboard", datetime(2026, 11, 22))  # noqa: DTZ001
