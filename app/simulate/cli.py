"""``packproof simulate``: some weeks of a living supply chain, and how well its frauds were told from its errors."""

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import Invalid

if TYPE_CHECKING:
    from app.cli import Context

_START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    parser = commands.add_parser(
        "simulate",
        help="play weeks of trade with delays, errors and frauds; tell how well they were told apart",
        description="Play makers, wholesalers and pharmacies for some weeks against a node of their own, through its "
        "interfaces, and print what each scanned box truly was beside what the node said. The same seed plays the "
        "same. Exit status 1 where a goal is missed.",
        epilog="examples:\n  packproof simulate --seed 7\n"
        "  packproof simulate --seed 7 --days 60 --pharmacies 12 --rate copied=0.05 --rate late=0.3",
    )
    parser.add_argument("--seed", type=int, default=1, help="what chance follows from (default: 1)")
    parser.add_argument("--days", type=int, default=28, help="how long, 12 to 400 (default: 28)")
    parser.add_argument("--makers", type=int, default=2, help="1 to 50 (default: 2)")
    parser.add_argument("--wholesalers", type=int, default=2, help="1 to 50 (default: 2)")
    parser.add_argument("--pharmacies", type=int, default=6, help="1 to 50 (default: 6)")
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="how often something goes wrong: late, wrong, misread, returned, copied, invented, refilled",
    )
    parser.add_argument(
        "--dir", type=Path, metavar="FOLDER", help="keep the node's files here (default: nowhere)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> int:
    from app.simulate.service import simulate
    from app.simulate.world import Rates

    if not 12 <= arguments.days <= 400:
        raise Invalid("simulate.days", "Play 12 to 400 days", f"{arguments.days}")
    try:
        rates = Rates(**dict(_rate(text) for text in arguments.rate))
    except (TypeError, ValueError) as error:
        raise Invalid(
            "simulate.rate", "No such rate", str(error), "packproof simulate --help names them"
        ) from error

    def progress(day: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\rday {day} of {arguments.days}" + ("\n" if day == arguments.days else ""))
            sys.stderr.flush()

    with tempfile.TemporaryDirectory(prefix="packproof-simulate-") as scratch:
        folder = arguments.dir or Path(scratch)
        if arguments.dir is not None and arguments.dir.exists() and any(arguments.dir.iterdir()):
            raise Invalid("simulate.folder", f"{arguments.dir} holds something else", "", "name a new folder")
        companies = {name: getattr(arguments, name) for name in ("makers", "wholesalers", "pharmacies")}
        measure = simulate(
            folder, rates, arguments.seed, arguments.days, _START, progress=progress, **companies
        )
    context.show(
        {"seed": arguments.seed, "days": arguments.days, **measure.as_json()},
        f"{arguments.days} days, {measure.documents.total()} documents, {len(measure.scans)} scans (seed "
        f"{arguments.seed}). What the boxes were, and what was said:\n\n{measure.text()}",
    )
    return 0 if measure.holds else 1


def _rate(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    return name, float(share)
