"""Devices' own chains as the node keeps them: a row a number, and what does not fit, said at once and listed later.

A gap, a repeat or a reference to what does not stand is a finding, never a refusal: the act is recorded, its receipt
says what does not fit, and ``packproof ledger chains`` lists it until what is missing has come or was given up by a
signed void-seq. The rules are those of `ledger.signing.chain` and `refs`, which anybody runs over the entries alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app.devices import parked_document
from app.devices import service as devices
from app.devices.models import chain_link, parked, party_key
from ledger.log.entry import Entry
from ledger.signing.chain import ChainAudit, ChainCode, Link, link_of
from ledger.signing.refs import RefCode, dangling
from ledger.signing.statement import Statement
from ledger.store.sql.reader import SqlReader

_PAGE_ROWS = 1000


def note(
    connection: Connection, reader: SqlReader, entry: Entry, party_id: int, digest: bytes
) -> tuple[dict[str, Any], ...]:
    """Keep the link that a party's new entry is, under the ledger's lock; what does not fit, as findings of a receipt.

    An entry without a chain is none. A reference to a parked act of the same party takes it over if it is over the
    same document, whose SHA-256 is `digest`.
    """
    link = link_of(entry)
    if link is None:
        return ()
    found = misfits(connection, reader, entry)
    adopts = adopted_by(connection, reader, Statement.parse(entry.statement).refs, party_id, digest)
    keep(connection, link, adopts=adopts)
    return found


def misfits(connection: Connection, reader: SqlReader, entry: Entry) -> tuple[dict[str, Any], ...]:
    """What does not fit in an entry as a link of its chain, beside the rows and entries below it: as findings.

    The same whenever it is asked: what came behind the entry changes nothing of it.
    """
    link = link_of(entry)
    if link is None:
        return ()
    found: list[tuple[ChainCode | RefCode, str]] = [*fitting(connection, link)]
    found += [(RefCode.UNKNOWN, unknown_text(leaf)) for leaf in dangling(entry, reader.find_leaf)]
    return tuple({"code": code.value, "severity": "exception", "message": text} for code, text in found)


def keep(connection: Connection, link: Link, *, void: bytes | None = None, adopts: int | None = None) -> None:
    """Write the row of a link."""
    connection.execute(
        insert(chain_link).values(
            idx=link.index,
            stream=link.stream,
            seq=link.seq,
            thumbprint=link.author,
            statement=link.statement,
            prev=link.prev,
            void=void,
            adopts=adopts,
        )
    )


def adopted_by(
    connection: Connection, reader: SqlReader, refs: tuple[bytes, ...], party_id: int, digest: bytes
) -> int | None:
    """The first parked act of the party that `refs` (leaves) point at, with a document of this SHA-256.

    Of a parked act whose document was erased since, the party and the reference have to do.
    """
    for ref in refs:
        index = reader.find_leaf(ref)
        query = select(parked).where(parked.c.idx == index, parked.c.party_id == party_id)
        row = None if index is None else connection.execute(query).one_or_none()
        if row is not None and (not row.seed or parked_document.digest(row) == digest):
            return index
    return None


def fitting(connection: Connection, link: Link) -> list[tuple[ChainCode, str]]:
    """What does not fit when `link` comes beside the rows that stand below it."""
    below = (chain_link.c.stream == link.stream) & (chain_link.c.idx < link.index)
    query = select(chain_link).where(below, chain_link.c.seq.in_((link.seq - 1, link.seq)))
    rows = connection.execute(query.order_by(chain_link.c.idx)).all()
    if any(row.seq == link.seq for row in rows):
        return [(ChainCode.REPEAT, f"number {link.seq} of its device stands already, with another statement")]
    before = [row for row in rows if row.seq < link.seq]
    if link.seq > 1 and not before:
        return [
            (ChainCode.GAP, f"number {link.seq - 1} of its device, which comes before it, is not here yet")
        ]
    if before and before[0].void is None and bytes(before[0].statement) != link.prev:
        return [(ChainCode.BROKEN, f"it does not follow on number {link.seq - 1} that stands here")]
    return []


def unknown_text(leaf: bytes) -> str:
    """What is said of a reference to this leaf, which stands nowhere before the entry that refers to it."""
    return f"it refers to the leaf {leaf.hex()[:16]}..., which does not stand in this ledger"


def references(reader: SqlReader) -> Iterator[tuple[Link, bytes]]:
    """Every reference of a link to a leaf that does not stand in this ledger, in the order of the log."""
    for _, body in reader.entries(0, reader.head().size):
        entry = Entry.decode(body)
        missing = dangling(entry, reader.find_leaf)
        link = link_of(entry) if missing else None
        if link is not None:
            yield from ((link, leaf) for leaf in missing)


def links(connection: Connection) -> Iterator[tuple[Link, Row[Any]]]:
    """Every link with its row, in the order of the log, a page at a time."""
    last = -1
    query = select(chain_link).order_by(chain_link.c.idx).limit(_PAGE_ROWS)
    while page := connection.execute(query.where(chain_link.c.idx > last)).all():
        for row in page:
            yield _link(row), row
        last = page[-1].idx


def _link(row: Row[Any]) -> Link:
    return Link(
        row.idx,
        bytes(row.stream),
        row.seq,
        bytes(row.thumbprint),
        bytes(row.statement),
        bytes(row.prev),
        row.void is not None,
    )


@dataclass(frozen=True, slots=True)
class Explained:
    """A number that is missing because its act is parked: the audit entry that says so."""

    stream: bytes
    seq: int
    index: int


def audited(connection: Connection, reader: SqlReader) -> ChainAudit:
    """All chains of this node, judged as a stranger judges them."""
    audit = ChainAudit()
    for index in connection.execute(select(party_key.c.idx).order_by(party_key.c.idx)).scalars().all():
        audit.add(Entry.decode(reader.entry(index)))
    for link, _ in links(connection):
        audit.link(link)
    return audit


def owners(connection: Connection, thumbprints: set[bytes]) -> dict[bytes, tuple[str, str]]:
    """(label, GLN) of the keys with these thumbprints."""
    found = devices.keys(connection, thumbprints)
    return {thumbprint: (key.label, key.party_gln or "") for thumbprint, key in found.items()}


def explained(connection: Connection) -> list[Explained]:
    """The numbers whose acts are parked here."""
    query = select(parked.c.stream, parked.c.seq, parked.c.idx).order_by(parked.c.idx)
    return [Explained(bytes(row.stream), row.seq, row.idx) for row in connection.execute(query)]
