"""`packproof-scan doctor`: what is installed, what is lacking, and the one line that brings it."""

import argparse
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from scanner.commands import Subparsers
from scanner.sources.camera import APT_LINE

_EXAMPLES = """\
examples:
  packproof-scan doctor

exit status: 0 pictures can be read (optional parts may lack), 1 they cannot
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One library: what it is for, its version, and why it does not load (None: it does)."""

    name: str
    purpose: str
    required: bool
    version: str | None
    trouble: str | None


_PARTS = (
    ("zxing-cpp", "zxingcpp", "reads the codes", True),
    ("pillow", "PIL.Image", "opens picture files", True),
    ("opencv-python", "cv2", "cameras and video files", False),
    ("pyzbar", "pyzbar.pyzbar", "second opinion on EAN and UPC codes", False),
)


def examine() -> Iterator[Part]:
    """Each part in turn, tried by loading it: a package without its system library is as good as none."""
    for distribution, module, purpose, required in _PARTS:
        trouble = None
        try:
            importlib.import_module(module)
        except Exception as error:
            trouble = (str(error).splitlines() or [type(error).__name__])[0]
        try:
            version: str | None = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            version = None
        yield Part(distribution, purpose, required, version, trouble)


def report(parts: list[Part]) -> str:
    """The report as text, ending on the commands to run where something lacks."""
    lines = []
    for part in parts:
        state = "ok     " if part.trouble is None else ("MISSING" if part.required else "lacking")
        lines.append(f"{state}  {part.name:<14} {part.version or '-':<10} {part.purpose}")
        if part.trouble is not None:
            lines.append(f"         {part.trouble}")
    packages = [part.name for part in parts if part.trouble is not None and part.version is None]
    if packages:
        lines += ["", f"pip install {' '.join(packages)}"]
    if any(part.trouble is not None and not part.required for part in parts):
        lines += ["", "what the optional parts need on Debian and Ubuntu:", f"  {APT_LINE}"]
    return "\n".join(lines) + "\n"


def register(subparsers: Subparsers) -> None:
    """Add ``doctor``."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what is installed and what is lacking",
        description="Say which libraries load, what each is for, and how to get those that do not.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    parts = list(examine())
    sys.stdout.write(report(parts))
    return 1 if any(part.required and part.trouble is not None for part in parts) else 0
