"""Where scans come from: picture files, a keyboard wedge, a camera. None interprets what it reads."""

from scanner.sources.camera import CameraSource
from scanner.sources.keyboard import KeyboardSource
from scanner.sources.port import Clock, Frame, RawScan, utc_now

__all__ = ["CameraSource", "Clock", "Frame", "KeyboardSource", "RawScan", "utc_now"]
