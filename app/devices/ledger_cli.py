"""``packproof ledger chains``: every device's own chain, how far it goes, what is missing or stands twice; and
what refers to nothing."""

import argparse
from typing import TYPE_CHECKING, Any

from app.devices import chains
from ledger.signing.refs import RefCode
from ledger.store.sql.reader import SqlReader

if TYPE_CHECKING:
    from app.cli import Context


def register(actions: Any) -> None:
    """Add the action."""
    parser = actions.add_parser(
        "chains",
        help="devices' own chains: gaps and repeats, and references to nothing",
        description="Every device numbers what it signs. What is missing was dropped on the way, or never sent: ask "
        "the party. What it refers to must stand here. Exit status 1 where something does not fit.",
        epilog="example:\n  packproof ledger chains --json",
    )
    parser.set_defaults(run=_chains)


def _chains(_arguments: argparse.Namespace, context: "Context") -> int:
    node = context.services
    with node.database.snapshot() as connection:
        reader = SqlReader(connection, node.node.origin)
        audit = chains.audited(connection, reader)
        late = {(each.stream, each.seq): each.index for each in chains.explained(connection)}
        lost = list(chains.references(reader))
        names = chains.owners(connection, {each.author for each in audit.streams()})
    found = [
        {
            "code": each.code.value,
            "stream": each.stream.hex(),
            "key": each.author.hex(),
            "first": each.first,
            "last": each.last,
            "index": each.index,
            "message": each.message,
            "parked": [
                late[each.stream, seq] for seq in _some(each.first, each.last) if (each.stream, seq) in late
            ],
        }
        for each in audit.findings()
    ]
    found += [
        {
            "code": RefCode.UNKNOWN.value,
            "stream": link.stream.hex(),
            "key": link.author.hex(),
            "first": link.seq,
            "last": link.seq,
            "index": link.index,
            "message": f"number {link.seq}, entry {link.index}: {chains.unknown_text(leaf)}",
            "parked": [],
        }
        for link, leaf in lost
    ]
    streams = [
        {
            "stream": each.stream.hex(),
            "key": each.author.hex(),
            "label": names.get(each.author, ("", ""))[0],
            "party": names.get(each.author, ("", ""))[1],
            "complete": each.complete,
            "highest": each.highest,
            "given_up": each.voids,
        }
        for each in audit.streams()
    ]
    lines = [
        f"{row['stream'][:16]}  {row['party']}  {row['label']}: complete to {row['complete']}"
        + (f" of {row['highest']}" if row["highest"] != row["complete"] else "")
        + (f", {row['given_up']} given up" if row["given_up"] else "")
        for row in streams
    ]
    for row in found:
        parked = f" (parked at entry {', '.join(map(str, row['parked']))})" if row["parked"] else ""
        lines.append(f"{row['code']}: {row['stream'][:16]}: {row['message']}{parked}")
    context.show(
        {"streams": streams, "findings": found}, "\n".join(lines) or "No device has signed anything yet."
    )
    return 1 if found else 0


def _some(first: int, last: int) -> range:
    """The numbers of a gap, as far as anybody would park them."""
    return range(first, min(last, first + 10_000) + 1)
