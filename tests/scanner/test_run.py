"""`run`: a process that answers scan after scan, as fast as a handheld types."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from scanner.commands.run import Once, waiting
from scanner.sources import RawScan
from tests.scanner.story import GTIN, commissioning, package_picture
from tests.support import programs

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(home, lines, *more):
    return programs.run("-m", "scanner.cli", "run", "--home", home, *more, given=lines)


def wedge(serial, lot="L7"):
    return f"]d201{GTIN}21{serial}\x1d1731053110{lot}\r\n"


def test_fifty_scans_in_one_burst_are_all_answered_in_order(dock, bench):
    serials = [f"b{n}" for n in range(50)]
    dock.node.capture(dock.maker, commissioning(*serials))
    done = run(bench(dock.maker), "".join(map(wedge, serials)), "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["label"]["serial"] for answer in found] == serials
    assert {answer["word"] for answer in found} == {"OK"}
    assert {answer["proof"]["kind"] for answer in found} == {"signed"}
    assert done.returncode == 0, done.stderr


def test_a_pack_held_still_is_shown_once_and_its_neighbour_is_not_swallowed(dock, bench):
    dock.node.capture(dock.maker, commissioning("h1", "h2"))
    done = run(bench(dock.maker), wedge("h1") * 5 + wedge("h2") + wedge("h1"), "--json")
    assert [json.loads(line)["label"]["serial"] for line in done.stdout.splitlines()] == ["h1", "h2"]


def test_what_is_shown_for_people_ends_on_a_sum(dock, bench):
    dock.node.capture(dock.maker, commissioning("p1"))
    done = run(bench(dock.maker), wedge("p1") + wedge("p1", lot="L8"))
    text = done.stdout
    assert "OK" in text
    assert text.rstrip().endswith("2 scans: 1 OK, 1 DETAILS DIFFER.")
    assert done.returncode == 1


def test_a_video_of_a_label_is_answered_once(dock, bench, tmp_path):
    cv2 = pytest.importorskip("cv2")
    dock.node.capture(dock.maker, commissioning("film"))
    frame = cv2.imread(str(package_picture(tmp_path, "film")))
    film = cv2.VideoWriter(
        str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, frame.shape[1::-1]
    )
    for _ in range(8):
        film.write(frame)
    film.release()
    done = run(bench(dock.maker), "", "--json", "--source", f"camera:{tmp_path / 'film.avi'}")
    [answer] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (answer["word"], answer["label"]["serial"]) == ("OK", "film"), done.stderr


def test_a_repeat_counts_as_a_new_scan_after_a_second():
    once = Once()
    at = [0, 0.3, 0.9, 1.8, 3.0]
    scans = [RawScan(b"x", None, "keyboard", NOON + timedelta(seconds=s)) for s in at]
    # While it is repeated within a second it is the same pack, however long it lies there.
    assert [once.is_new(scan) for scan in scans] == [True, False, False, False, True]


def test_a_clock_that_is_set_back_makes_no_scan_a_repeat():
    once = Once()
    scans = [RawScan(b"x", None, "keyboard", NOON + timedelta(seconds=s)) for s in (0, -3600, -1800)]
    assert [once.is_new(scan) for scan in scans] == [True, True, True]


def test_a_source_that_breaks_is_told_after_what_it_gave():
    def source():
        yield RawScan(b"x", None, "keyboard", NOON)
        raise OSError("unplugged")

    found = waiting(source())
    assert next(found).data == b"x"
    with pytest.raises(OSError, match="unplugged"):
        next(found)


def test_a_source_that_nobody_knows_is_refused(dock, bench):
    done = run(bench(dock.maker), "", "--source", "telepathy")
    assert (done.returncode, "[source-unknown]" in done.stderr) == (2, True)
