"""What the commands have in common: their options, and how they come by a bench and its node."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scanner.bench import Bench, default_home
from scanner.client import NodeClient
from scanner.lookup.online import OnlineProvider, subject_of
from scanner.sources import RawScan, utc_now
from scanner.sources.files import look
from scanner.sources.keyboard import read_line

PASSPHRASE_VARIABLE = "PACKPROOF_SCAN_PASSPHRASE_FILE"  # noqa: S105 - a variable's name
EXIT_STATUS = """\
exit status: 0 all is well, 1 something scanned is not (its verdict says what), 2 it could not be done,
3 the node cannot be reached, 4 the node shows another past than before and is refused
"""


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add ``--home``."""
    parser.add_argument(
        "--home",
        type=Path,
        default=None,
        metavar="DIR",
        help="the bench's folder (default: PACKPROOF_SCAN_HOME, else ~/.packproof)",
    )


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """Add ``--passphrase-file``, for a command that signs."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        default=None,
        metavar="FILE",
        help="what opens the bench's key, if it is locked, on the first line of a file that you alone may read "
        f"(default: {PASSPHRASE_VARIABLE}, else you are asked)",
    )


def passphrase_file_of(arguments: argparse.Namespace) -> Path | None:
    """The file that the option or the variable names; None where neither does."""
    given: Path | None = arguments.passphrase_file
    named = os.environ.get(PASSPHRASE_VARIABLE)
    return Path(named) if given is None and named else given


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def home_of(arguments: argparse.Namespace) -> Path:
    """The bench's folder."""
    return arguments.home if arguments.home is not None else default_home()


def provider_of(bench: Bench) -> OnlineProvider:
    """Whoever answers this bench's scans."""
    return OnlineProvider(bench, NodeClient(bench.enrolment.node, bench.token()), utc_now)


def typed(text: str) -> RawScan:
    """A scan that somebody typed, or a wedge sent."""
    data, symbology = read_line(text.encode("utf-8", "surrogateescape"))
    return RawScan(data, symbology, "typed", utc_now())


def pictured(path: Path) -> tuple[RawScan, ...]:
    """The scans in one picture file, each package or container once; an empty scan where nothing could be read.

    Raises `ImageError`. Beside a code that names a package or a container, those that name none (a retail code, a
    web address) are left out; where there is no such code, the first one stands for the label.
    """
    [looked] = look([path], utc_now)
    if looked.error is not None:
        raise looked.error
    named = {subject: scan for scan in reversed(looked.scans) if (subject := subject_of(scan)) is not None}
    if named:
        return tuple(scan for scan in looked.scans if scan in named.values())
    # Codes that carry element strings come first.
    return looked.scans[:1] or (RawScan(b"", None, str(path), utc_now()),)


def scans_of(images: Sequence[Path], texts: Sequence[str]) -> list[RawScan]:
    """The scans of pictures and typed texts, in that order. Raises `ImageError` at the first that cannot be opened."""
    return [scan for path in images for scan in pictured(path)] + [typed(text) for text in texts]


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
