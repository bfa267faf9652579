"""What every source of scans yields, whatever it is made of: a wedge, a camera, a folder of pictures.

    RawScan(data=b"0100399999001014...", symbology="]d2", source="label.png", at=datetime(..., tzinfo=UTC))

The bytes are as transmitted; nothing is interpreted here. Sources are iterables that end when their input does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from scanner.decode import Decoded, Picture

# A function that tells the time, passed in wherever a scan is dated.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real clock, for the composition root (the commands) alone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RawScan:
    """One scan: the bytes read, the AIM symbology identifier where it is known, where and when (aware UTC).

    `single_read` marks a linear code that only one look has shown, so that the screen can ask for another.
    """

    data: bytes
    symbology: str | None
    source: str
    at: datetime
    single_read: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a scan's time must be aware")

    @classmethod
    def of_code(cls, code: Decoded, source: str, at: datetime) -> "RawScan":
        """The scan that a decoded picture amounts to."""
        return cls(code.data, code.symbology, source, at, code.single_read)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its origin and time (aware UTC): a file, or one frame of a camera or video."""

    picture: Picture
    source: str
    at: datetime
