"""A camera, or a video file in its place, through OpenCV.

    camera:0           the first camera
    camera:visit.mp4   a recorded video, frame by frame

OpenCV is loaded only here and only when a camera is opened: the rest of the scanner works without it. Frames are
bounded in size and, where wished, in number; a camera that stops answering ends the source instead of spinning.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from scanner.decode import Consensus, Decoded, Picture, decode_frame
from scanner.errors import SourceError
from scanner.sources.port import Clock, Frame, RawScan

APT_LINE = "apt-get install libgl1 libglib2.0-0 libzbar0"
# Beyond full HD a frame takes longer to decode than the next takes to come, and labels fill a part of it anyway.
MAX_FRAME_PIXELS = 1920 * 1080
_FAILED_READS_TO_END = 30


def load_opencv() -> ModuleType:
    """OpenCV, or SourceError ``camera-missing`` that says what to install."""
    try:
        import cv2
    except ImportError as error:
        raise SourceError(
            "camera-missing",
            f"cameras need OpenCV, which cannot be loaded ({error}); "
            f"run: pip install opencv-python, and on Debian: {APT_LINE}",
        ) from error
    return cv2


@dataclass(frozen=True, slots=True)
class CameraSource:
    """Frames and scans of one camera or video file.

    `target`: a camera's index, or the path of a video file. `max_frames`: end after so many frames (None: never).
    Frames of a camera carry the clock's time; those of a video file its start by the clock plus their own offset.
    """

    target: int | Path
    clock: Clock
    max_frames: int | None = None

    @classmethod
    def parse(cls, spec: str, clock: Clock, max_frames: int | None = None) -> "CameraSource":
        """The camera that ``camera:0`` or ``camera:FILE`` names. Raises SourceError ``source-unknown``."""
        kind, _, target = spec.partition(":")
        if kind != "camera" or not target:
            raise SourceError("source-unknown", f"{spec!r} names no camera; write camera:0 or camera:FILE")
        return cls(int(target) if target.isascii() and target.isdigit() else Path(target), clock, max_frames)

    @property
    def name(self) -> str:
        """What scans call this source, e.g. ``camera:0``."""
        return f"camera:{self.target}"

    def frames(self) -> Iterator[Frame]:
        """The frames, greyscale and at most full HD. Raises SourceError where the camera cannot be opened."""
        cv2 = load_opencv()
        if isinstance(self.target, Path) and not self.target.is_file():
            raise SourceError("camera-unavailable", f"there is no video file {self.target}; check the name")
        capture = cv2.VideoCapture(self.target if isinstance(self.target, int) else str(self.target))
        try:
            if not capture.isOpened():
                raise SourceError(
                    "camera-unavailable",
                    f"{self.name} cannot be opened; is it connected, free, and may this user use it?",
                )
            # An old frame in a driver's queue would be read after the pack has left.
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            yield from self._read(cv2, capture)
        finally:
            capture.release()

    def _read(self, cv2: ModuleType, capture: Any) -> Iterator[Frame]:
        live = isinstance(self.target, int)
        began = self.clock()
        given = failed = 0
        while self.max_frames is None or given < self.max_frames:
            ok, image = capture.read()
            if not ok:
                failed += 1
                if not live or failed >= _FAILED_READS_TO_END:
                    return
                continue
            failed = 0
            given += 1
            # After the read: the position of the frame just given.
            offset_ms = 0.0 if live else max(0.0, capture.get(cv2.CAP_PROP_POS_MSEC))
            at = self.clock() if live else began + timedelta(milliseconds=offset_ms)
            yield Frame(_grey(cv2, image), self.name, at)

    def __iter__(self) -> Iterator[RawScan]:
        return scans(self.frames())


def scans(
    frames: Iterator[Frame],
    *,
    decode: Callable[[Picture], list[Decoded]] = decode_frame,
    consensus: Consensus | None = None,
) -> Iterator[RawScan]:
    """The codes shown to a camera, each once while it stays in sight; linear ones when two frames agree."""
    agreed = consensus or Consensus()
    for frame in frames:
        for code in agreed.feed(decode(frame.picture), frame.at):
            yield RawScan.of_code(code, frame.source, frame.at)


def _grey(cv2: ModuleType, image: Any) -> Picture:
    grey = image if len(image.shape) == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape[:2]
    if width * height > MAX_FRAME_PIXELS:
        shrink = math.sqrt(MAX_FRAME_PIXELS / (width * height))
        grey = cv2.resize(grey, (int(width * shrink), int(height * shrink)), interpolation=cv2.INTER_AREA)
        height, width = grey.shape[:2]
    return Picture(int(width), int(height), grey.tobytes())
