"""Every bar of the ledger's design in one run, its yardstick beside it: ``make bench``.

A bare figure tells of the machine; a ratio of two that took turns on it tells of the program. Rounds alternate between
ours and the yardstick, and medians are compared; nothing is measured without fsync, and nothing verified is left
unverified. What each bar compares with what stands in `benchmarks.appends` and `benchmarks.million`::

    python -m benchmarks.ledger                              everything, both databases, some minutes
    python -m benchmarks.ledger --write                      the same, kept in docs/benchmarks/ledger.md
    python -m benchmarks.ledger --quick --database sqlite    20,000 entries instead of 10^6, under a minute
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median

from app.migrate import upgrade
from benchmarks.appends import Appends, new_ledger
from benchmarks.bars import Bar, told
from benchmarks.machine import ROOT, Stolen, machine
from benchmarks.million import audits, build, proofs
from benchmarks.report import seconds
from benchmarks.signed import Authors
from ledger.signing.commitment import Leaf, ListField, commit
from ledger.store.sql.engine import Database, open_engine
from tests.support.postgres import running_postgres

ELSEWHERE = """\
Counted elsewhere, because they are no matter of speed:
- mutations accepted: `tests/ledger/evidence` (each byte of proof, entry and bundle), and
  `tests/app/proofs/test_tampering.py` (each column); all of it with `make soak`
- public vectors: `tests/ledger/log`, `tests/ledger/signing` (those under ../shared/data/ledger, each whole)
- kill -9 under 8 writers: `make soak` adds its kills up over all runs (docs/testing/kills.json); 20 in `make test`"""

EPCS = 10_000
PAGE = ROOT / "docs" / "benchmarks" / "ledger.md"
LAST_RUN = "## Last run\n"
AFTER_RUN = "\nCounted elsewhere"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much a run does."""

    entries: int
    rounds: int
    ones: int
    grouped: int
    proofs: int
    audits: int


WHOLE = Amounts(entries=1_000_000, rounds=7, ones=300, grouped=8_000, proofs=20_000, audits=1)
QUICK = Amounts(entries=20_000, rounds=3, ones=150, grouped=2_000, proofs=5_000, audits=1)


def commitment(rounds: int = 15) -> Bar:
    """The commitment over one event of 10,000 EPCs, a capture's seed to its root, in milliseconds."""
    epcs = tuple(b"urn:epc:id:sgtin:0399999.012345.%08d" % number for number in range(EPCS))
    record = [
        Leaf("action", b"ADD"),
        Leaf("bizStep", b"commissioning"),
        ListField("epcList", epcs),
        Leaf("eventTime", b"2026-11-20T08:00:00Z"),
        Leaf("type", b"ObjectEvent"),
    ]
    record.sort(key=lambda field: field.path)
    # What cannot be done without: a leaf an EPC, and one inner node less.
    leaves = [bytes(len(b"\x00" + bytes(16) + b"e0/epcList/1234\x00" + epc)) for epc in epcs]
    preimages = leaves + [bytes(65)] * (EPCS - 1)
    spent, bare = [], []
    for _ in range(rounds):
        spent.append(seconds(lambda: commit(bytes(32), [], [record], bytes(range(32)))))
        bare.append(seconds(lambda: [sha256(preimage).digest() for preimage in preimages]))
    beside = f"{median(bare) * 1000:.1f} ms for its {len(preimages):,} hashes and nothing else"
    return Bar(f"commitment of {EPCS:,} EPCs", "none", median(spent) * 1000, "ms", beside, most=15)


@contextmanager
def _databases(which: str, folder: Path) -> Iterator[list[tuple[str, list[Database]]]]:
    """Two migrated databases of each kind asked for: the ledger's, and the one beside it."""
    with ExitStack() as stack:
        found: list[tuple[str, list[Database]]] = []
        if which != "postgresql":
            found.append(
                ("SQLite", [open_engine(f"sqlite:///{folder / name}.db") for name in ("ours", "beside")])
            )
        if which != "sqlite":
            server = stack.enter_context(running_postgres())
            found.append(("PostgreSQL", [open_engine(server.create()) for _ in range(2)]))
        for _, databases in found:
            for database in databases:
                stack.callback(database.dispose)
        yield found


def measure(which: str, amounts: Amounts) -> tuple[list[Bar], dict[str, str]]:
    """All bars, and the machine they were measured on."""
    before = Stolen.now()
    authors = Authors()
    # In the project's folder: where /tmp lies in memory a commit would cost nothing.
    (ROOT / "var").mkdir(exist_ok=True)
    # Before there are databases that write back in the background what they were given.
    bars = [commitment()]
    _said(bars[-1])
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name,
        _databases(which, Path(name)) as kinds,
    ):
        found = machine([database for _, databases in kinds for database in databases])
        ledgers = []
        for kind, (ours, beside) in kinds:
            upgrade(ours)
            ledger = new_ledger(ours)
            bench = Appends(kind, ledger, beside, authors)
            for bar in (
                bench.one(amounts.rounds, amounts.ones),
                bench.group(amounts.rounds, amounts.grouped),
                bench.batches(amounts.rounds),
            ):
                _said(bar)
                bars.append(bar)
            ledgers.append((kind, ledger))
        build([ledger for _, ledger in ledgers], authors, amounts.entries)
        for kind, ledger in ledgers:
            for bar in (
                *proofs(kind, ledger, amounts.proofs),
                *audits(kind, ledger, authors, amounts.audits),
            ):
                _said(bar)
                bars.append(bar)
    bars.append(bars.pop(0))
    found["taken by other machines on its host"] = before.since()
    return bars, found


def _said(bar: Bar) -> None:
    sys.stderr.write(bar.as_row() + "\n")


def with_run(page: str, remark: str, table: str) -> str:
    """The page with another last run: what stands between its heading and what is counted elsewhere."""
    before, heading, rest = page.partition(LAST_RUN)
    _, after, elsewhere = rest.rpartition(AFTER_RUN)
    if not heading or not after:
        raise SystemExit(f"{PAGE.name} has no {LAST_RUN.strip()!r} with {AFTER_RUN.strip()!r} below it")
    return f"{before}{heading}{remark}\n\n{table}\n{after}{elsewhere}"


def _remark(amounts: Amounts, which: str) -> str:
    kind = "The whole of it" if amounts is WHOLE else "A quick one (`--quick`)"
    of = "both databases" if which == "both" else which
    return f"{kind}, {of}. Other programs that ran meanwhile are in it: see the load when it began."


def main() -> None:
    """Measure, and print a table or JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ledger",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="20,000 entries instead of 10^6, fewer rounds")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a Markdown table")
    parser.add_argument(
        "--write", action="store_true", help=f"also put the table into docs/benchmarks/{PAGE.name}"
    )
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql", "both"), default="both", help="default: both"
    )
    arguments = parser.parse_args()
    amounts = QUICK if arguments.quick else WHOLE
    bars, found = measure(arguments.database, amounts)
    if arguments.write:
        remark = _remark(amounts, arguments.database)
        PAGE.write_text(with_run(PAGE.read_text(), remark, told(bars, found, as_json=False)))
    print(told(bars, found, arguments.json))
    if not arguments.json:
        print(f"\n{ELSEWHERE}")


if __name__ == "__main__":
    main()
