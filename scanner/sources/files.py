"""Picture files as a source: what `packproof-scan check FILE...` and the demo's dock read.

Each file is one still frame. A file that cannot be read does not end the run: its error is yielded in its place, so
that ten good pictures are not lost to one bad one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scanner.decode import Decoded, decode_picture, load_picture
from scanner.decode.rescue import DEFAULT_BUDGET_S
from scanner.errors import ImageError
from scanner.sources.port import Clock, RawScan


@dataclass(frozen=True, slots=True)
class Looked:
    """What one picture file gave: its codes (none: nothing could be read) or the error that kept it shut."""

    path: Path
    codes: tuple[Decoded, ...]
    scans: tuple[RawScan, ...]
    error: ImageError | None = None


def look(paths: Iterable[Path], clock: Clock, *, rescue_s: float = DEFAULT_BUDGET_S) -> Iterator[Looked]:
    """Decode each file in turn, one at a time in memory; never raises for a file."""
    for path in paths:
        at = clock()
        try:
            codes = tuple(decode_picture(load_picture(path), rescue_s=rescue_s))
        except ImageError as error:
            yield Looked(path, (), (), error)
            continue
        yield Looked(path, codes, tuple(RawScan.of_code(code, str(path), at) for code in codes))
