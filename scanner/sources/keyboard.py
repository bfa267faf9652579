"""A keyboard wedge on a stream: a handheld scanner that types, one line a scan.

Wedges differ. The line may end in CR, LF or both; the AIM identifier may be in front; the separator may be the real GS
(0x1D) or spelled out, because many wedges cannot type a control character. Spellings that cannot occur in a value
are turned into GS here; those that could (``<GS>``) or that a person should hear of (``{GS}``) are left to
`ledger.gs1.element_string`, which notes them. Nothing else is touched: a lost separator is not guessed at, letters
are not re-cased.

    ]d2010039999900101421A1B2^]1728053110L7 CR LF  ->  RawScan(b"0100399999...21A1B2" GS "17...", "]d2", ...)

Lines are bounded, and a thread of its own empties the stream: a terminal holds 4 KiB, and what a burst types beyond
that while a verdict is being fetched would be lost.
"""

import logging
import queue
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TextIO

from scanner.errors import SourceError
from scanner.sources.port import Clock, RawScan

# The longest GS1 symbol holds 3,116 characters (Data Matrix 144 x 144); nothing longer is a scan.
MAX_LINE_BYTES = 4096
MAX_WAITING_SCANS = 10_000
GS = b"\x1d"

_SPELLED_GS = re.compile(rb"\\u001[dD]|\[GS\]|\xe2\x90\x9d|\^\]")
_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")
_LINE_END = re.compile(rb"[\r\n]+")
_CHUNK_BYTES = 65_536

_log = logging.getLogger(__name__)


def read_line(line: bytes) -> tuple[bytes, str | None]:
    """The transmitted bytes of one typed line and the AIM identifier in front of it, if any."""
    line = line.strip(b" \t\x00")
    symbology: str | None = None
    if _AIM.match(line):
        symbology, line = line[:3].decode("ascii"), line[3:]
    return _SPELLED_GS.sub(GS, line), symbology


class KeyboardSource:
    """Iterates over the scans typed into `stream` until it ends.

    `on_refused` hears of lines that no scanner sends (SourceError ``line-too-long``); they are dropped, and logged
    by default. Reading begins with the iteration, in a daemon thread, so that a burst is never lost to a slow reader.
    """

    def __init__(
        self,
        stream: BinaryIO | TextIO,
        clock: Clock,
        *,
        name: str = "keyboard",
        on_refused: Callable[[SourceError], None] | None = None,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._name = name
        self._on_refused = on_refused or (lambda error: _log.warning("%s", error))
        self._waiting: queue.Queue[RawScan | BaseException | None] = queue.Queue(MAX_WAITING_SCANS)

    def __iter__(self) -> Iterator[RawScan]:
        threading.Thread(target=self._fill, name=f"{self._name}-reader", daemon=True).start()
        while (item := self._waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def _fill(self) -> None:
        try:
            for line in self._lines():
                # Dated when it was typed, not when its turn comes.
                data, symbology = read_line(line)
                if data:
                    self._waiting.put(RawScan(data, symbology, self._name, self._clock()))
        except Exception as error:
            self._waiting.put(error)
        else:
            self._waiting.put(None)

    def _lines(self) -> Iterator[bytes]:
        held = b""
        overlong = False
        for chunk in self._chunks():
            *complete, held = _LINE_END.split(held + chunk)
            for line in complete:
                if overlong or len(line) > MAX_LINE_BYTES:
                    self._refuse()
                else:
                    yield line
                overlong = False
            if len(held) > MAX_LINE_BYTES:
                held, overlong = b"", True
        if overlong or len(held) > MAX_LINE_BYTES:
            self._refuse()
        elif held:
            yield held

    def _chunks(self) -> Iterator[bytes]:
        """What the stream has, as soon as it has it; bytes under a text stream are taken undecoded."""
        stream: Any = getattr(self._stream, "buffer", self._stream)
        read = getattr(stream, "read1", stream.read)
        while chunk := read(_CHUNK_BYTES):
            yield chunk.encode("utf-8", "surrogateescape") if isinstance(chunk, str) else bytes(chunk)

    def _refuse(self) -> None:
        self._on_refused(
            SourceError(
                "line-too-long",
                f"{self._name} sent a line of more than {MAX_LINE_BYTES} bytes without an end; "
                "it was dropped: let the scanner send CR or LF after each code",
            )
        )
