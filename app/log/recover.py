"""``packproof ledger recover``: back from read-only, after everybody who remembers a head was asked.

    packproof ledger recover --checkpoint trust.json proof.txt --witness https://w.example --yes

It compares and says what it found; with ``--yes`` it writes the mark. Where a head that somebody holds is not on this
tree it refuses, and there is no option that makes it do so all the same: signing on would fork the ledger.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import AppError, Conflict
from app.log import heads
from app.witness.policies import read_policy
from ledger.errors import LedgerError
from ledger.log.checkpoint import Checkpoint
from ledger.log.encoding import to_base64
from ledger.store.recovery import Comparison, Given, Verdict, compare, restore_mark

if TYPE_CHECKING:
    from app.cli import Context
    from app.node.service import Node

_LOST = (
    "Put the newest database back and run this again. If those entries are lost for ever, this ledger has ended: keep "
    "it to read and to prove with, and begin a new one under a NEW origin, never under the same "
    "(docs/operating/node.md#read-only)"
)
_NEXT = {
    Verdict.FINE: "Nothing is to be done. A process that refused before must be restarted.",
    Verdict.MARK_TO_WRITE: "Every head that is known is on this tree. To write the mark, run it again with --yes.",
    Verdict.NOBODY_ASKED: "All this comes from this machine alone, which may have been restored as a whole. Give what "
    "others kept: --checkpoint FILE (a bench's trust.json, a proof, an evidence file), --witness URL. "
    "Only if nobody ever saw a head of this ledger: --alone --yes.",
    Verdict.OTHER_ORIGIN: "The settings of two nodes are mixed: set PACKPROOF_LEDGER_ORIGIN or the data "
    "folder right.",
    Verdict.ENTRIES_LOST: _LOST,
    Verdict.OTHER_HISTORY: "Stop, and find out who wrote. " + _LOST,
}


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "recover",
        help="lead the node back from read-only, once every head that others kept is on its tree",
        description="Compare the heads that exist with the ledger: the mark, the database's own, those in files that "
        "others kept, those of witnesses. Writes nothing without --yes.",
        epilog="examples:\n  packproof ledger recover\n"
        "  packproof ledger recover --checkpoint trust.json evidence.json --witness https://w.example\n"
        "  packproof ledger recover --checkpoint trust.json --yes",
    )
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="FILE",
        help="a checkpoint somebody kept: the note, a proof, an evidence file, a bench's trust.json",
    )
    parser.add_argument(
        "--witness", nargs="+", action="extend", default=[], metavar="URL", help="also ask this witness"
    )
    parser.add_argument(
        "--without-witnesses",
        action="store_true",
        help="go on although a configured witness does not answer",
    )
    parser.add_argument(
        "--alone", action="store_true", help="vouch that nobody else ever saw a head of this ledger"
    )
    parser.add_argument("--yes", action="store_true", help="write the mark")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> int:
    node = context.services.node
    given = [Given(str(path), heads.from_file(path)) for path in arguments.checkpoint]
    urls = [*arguments.witness, *_configured(context.settings.witnesses)]
    asked, silent = _ask(node.origin, urls)
    given += asked
    mark, key = node.data_dir / "mark", node.note_verifiers
    try:
        found = compare(node.ledger, mark, key, given)
        allowed = found.verdict is Verdict.MARK_TO_WRITE or (
            found.verdict is Verdict.NOBODY_ASKED and arguments.alone
        )
        write = arguments.yes and allowed and (not silent or arguments.without_witnesses)
        if write:
            found = restore_mark(node.ledger, mark, key, given, alone=arguments.alone)
            node.sealer.check_at_start()
    except LedgerError as error:
        raise Conflict(f"recover.{error.code}", "It cannot be compared", error.message) from error
    to_do = _NEXT[Verdict.MARK_TO_WRITE if allowed else found.verdict]
    context.show(_data(found, silent, write, to_do), "\n".join(_lines(found, silent, write, node, to_do)))
    return 0 if write or found.verdict is Verdict.FINE or (allowed and not arguments.yes) else 1


def _ask(origin: str, urls: Sequence[str]) -> tuple[list[Given], list[str]]:
    """What the witnesses gave, and what is to be said of those that gave nothing to rely on."""
    given, silent = [], []
    for url in dict.fromkeys(urls):
        sys.stderr.write(f"asking {url}\n")
        try:
            note = heads.from_witness(url, origin)
        except AppError as error:
            silent.append(f"{url}: {error.detail or error.title}")
            continue
        if note is not None:
            given.append(Given(f"the witness {url}", note))
    return given, silent


def _configured(path: Path | None) -> list[str]:
    """The addresses of the witnesses that the node's policy file names. Raises `AppError` ``witness.policy``."""
    witnesses = () if path is None else read_policy(path).witnesses
    return [witness.url for witness in witnesses if witness.url]


def _shown(head: Checkpoint | None) -> dict[str, Any] | None:
    return None if head is None else {"origin": head.origin, "size": head.size, "root": to_base64(head.root)}


def _data(found: Comparison, silent: list[str], written: bool, to_do: str) -> dict[str, Any]:
    return {
        "verdict": found.verdict.value,
        "written": written,
        "ledger": _shown(found.head),
        "mark": _shown(found.mark),
        "mark_problem": found.mark_problem,
        "new_mark": None if found.verdict.refused else _shown(found.new_mark),
        "heads": [
            {
                "source": item.source,
                **(_shown(item.checkpoint) or {}),
                "on_tree": item.on_tree,
                "wrong": item.wrong,
            }
            for item in found.known
        ],
        "silent": silent,
        "next": "" if written else to_do,
    }


def _lines(found: Comparison, silent: list[str], written: bool, node: "Node", to_do: str) -> list[str]:
    lines = [f"The ledger {found.head.origin} has {found.head.size} entries."]
    if found.mark is None:
        lines.append(
            f"The mark cannot be read: {found.mark_problem}" if found.mark_problem else "There is no mark."
        )
    for item in found.known:
        state = item.wrong or "is on the tree"
        lines.append(f"  {item.source}: {item.checkpoint.size} entries; {state}")
    lines += [f"  no answer from {text}" for text in silent]
    if written:
        lines.append(
            f"The mark {node.data_dir / 'mark'} stands at {found.new_mark.size}. Restart the node, then run "
            "packproof fsck."
        )
        return lines
    if silent and not found.verdict.refused:
        lines.append("A witness gave no answer: ask again later, or go on without it (--without-witnesses).")
    return [*lines, to_do]
