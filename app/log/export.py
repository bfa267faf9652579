"""``packproof ledger export``: the whole log as static files that any web server can serve (C2SP tlog-tiles).

    DIR/checkpoint
    DIR/tile/0/000 ...                   hashes
    DIR/tile/entries/000 ...             entries, with --entries

Each file appears whole or not at all, the checkpoint last, so that DIR is a log at every moment. Run again it adds what
is new: what an earlier checkpoint covers is left alone, once that checkpoint was found to be on this tree. Breaking
off loses nothing but the file under way.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import Conflict
from app.log.handout import warn
from app.shared.audit import disclose
from ledger.errors import VerificationError
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.note import NoteVerifier
from ledger.log.proof import root_at
from ledger.log.tiles import TILE_WIDTH, BundleId, TileId, tiles_of
from ledger.signing.durable import write_whole
from ledger.store.port import LedgerReader
from ledger.store.published import bundle_bytes, tile_bytes

if TYPE_CHECKING:
    from app.cli import Context


def register(actions: Any) -> None:
    """Add the action to `packproof ledger`."""
    parser = actions.add_parser(
        "export",
        help="the whole log as static tiles, for a web server or another hand's verifier",
        epilog="examples:\n  packproof ledger export --tiles /srv/log\n"
        "  packproof ledger export --tiles audit --entries",
    )
    parser.add_argument(
        "--tiles", required=True, type=Path, metavar="DIR", help="made if missing, else added to"
    )
    parser.add_argument(
        "--entries", action="store_true", help="also the entries, which show authors and times; recorded"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    node, folder = services.node, arguments.tiles
    head = services.cosigned.provable()
    note, size = head.note, head.size
    if arguments.entries:
        subject = f"entries 0 to {size - 1}"
        disclose(services.database, services.clock, context.actor, "ledger.entries", subject=subject)
    with node.ledger.reading() as reader:
        written = export(
            reader,
            folder,
            note,
            node.note_verifiers,
            arguments.entries,
            _meter if sys.stderr.isatty() else None,
        )
    warn(head)
    context.show(
        {"folder": str(folder), "size": size, "files_written": written, "read_only": head.warning},
        f"{folder}: the log of {size} entries; {written} files written",
    )


def export(
    reader: LedgerReader,
    folder: Path,
    note: bytes,
    log: NoteVerifier | Sequence[NoteVerifier],
    entries: bool,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the log up to the checkpoint `note` into `folder`; how many files were written.

    Raises `Conflict` where `folder` holds another log, another history or a later head, and `OSError`.
    """
    logs = [log] if isinstance(log, NoteVerifier) else log
    size = SignedCheckpoint.open(note, logs).checkpoint.size
    before = _size_before(reader, folder / "checkpoint", logs, size)
    names: list[TileId | BundleId] = [*tiles_of(size)]
    if entries:
        names += _bundles_of(size)
    written = 0
    for done, name in enumerate(names, 1):
        written += _write(reader, folder, name, size, before)
        if progress is not None:
            progress(done, len(names))
    folder.mkdir(parents=True, exist_ok=True)
    return written + _put(folder / "checkpoint", note)


def _write(reader: LedgerReader, folder: Path, name: TileId | BundleId, size: int, before: int) -> bool:
    """Write one file unless it is there already; whether it was written."""
    path = folder / name.path()
    # What the checkpoint in the folder covers was written whole before that checkpoint was.
    covered = (name.index + 1) * TILE_WIDTH ** (1 + getattr(name, "level", 0)) <= before
    if name.full and covered and path.is_file():
        return False
    data = tile_bytes(reader, name, size) if isinstance(name, TileId) else bundle_bytes(reader, name, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _put(path, data)
    if name.full:
        # C2SP: the partial tiles may go once the full one is there.
        shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)
    return fresh


def _put(path: Path, data: bytes) -> bool:
    """Write a file whole, for a web server to read; whether it was not there as it is."""
    there = path.is_file() and path.read_bytes() == data
    if not there:
        write_whole(path, data)
    path.chmod(0o644)  # of one that was there too: an export may have been broken off just before this
    return not there


def _bundles_of(size: int) -> Iterator[BundleId]:
    for index in range(-(-size // TILE_WIDTH)):
        yield BundleId(index, min(TILE_WIDTH, size - index * TILE_WIDTH))


def _size_before(reader: LedgerReader, path: Path, logs: Sequence[NoteVerifier], size: int) -> int:
    """How many entries the folder's checkpoint covers: 0 for a new folder. Raises `Conflict`."""
    if not path.exists():
        return 0
    try:
        before = SignedCheckpoint.open(path.read_bytes(), logs).checkpoint
    except VerificationError as error:
        raise _other(path, f"its checkpoint is not this log's: {error.message}") from error
    if before.size > size or root_at(reader, before.size) != before.root:
        raise _other(path, f"its checkpoint of {before.size} entries is not on this tree")
    return before.size


def _other(path: Path, why: str) -> Conflict:
    return Conflict(
        "export.other",
        "This folder holds another log",
        f"{path.parent}: {why}",
        "Keep it: if this node signed it, it proves another history. Export into an empty folder.",
    )


def _meter(done: int, total: int) -> None:
    if done % 64 == 0 or done == total:
        sys.stderr.write(f"\rfiles: {done} of {total}\033[K" + ("\n" if done == total else ""))
