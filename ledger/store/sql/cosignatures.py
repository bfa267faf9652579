"""Witnesses' cosignatures of this ledger's checkpoints, in the table `cosig`.

A row is one signature line of one key over one checkpoint that is kept. `witness` is the key's name and its id in hex,
as a verifier key begins (``witness.example/w1+8d66cf3f``): one witness may have two keys. The first line that came
for a checkpoint stays: a later one would only say a later time.
"""

from collections.abc import Iterator

from sqlalchemy import insert, select

from ledger.log.note import NoteSignature, NoteVerifier
from ledger.store.port import StoredCheckpoint
from ledger.store.sql import tables as t
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.writer import SqlWriter

MOST_LOOKED_AT = 1000


def witness_id(name: str, key_id: bytes) -> str:
    """What stands in the column `witness`: ``name+hex key id``."""
    return f"{name}+{key_id.hex()}"


def add_cosignature(writer: SqlWriter, size: int, line: NoteSignature) -> bool:
    """Keep a verified cosignature of the checkpoint of `size`; whether it is new."""
    writer.lock()
    row = {"ledger": writer.ledger_id, "size": size, "witness": witness_id(line.name, line.key_id)}
    known = select(t.cosig.c.size).where(*(t.cosig.c[name] == value for name, value in row.items()))
    if writer.connection.execute(known).first() is not None:
        return False
    writer.connection.execute(insert(t.cosig), {**row, "line": line.line().encode()})
    return True


def largest_cosigned(reader: SqlReader, key: NoteVerifier) -> int:
    """The size of the largest checkpoint that `key` cosigned; 0 where there is none."""
    found = reader.connection.execute(
        select(t.cosig.c.size)
        .where(t.cosig.c.ledger == reader.ledger_id, t.cosig.c.witness == witness_id(key.name, key.key_id))
        .order_by(t.cosig.c.size.desc())
        .limit(1)
    ).scalar()
    return 0 if found is None else int(found)


def cosigned_note(reader: SqlReader, stored: StoredCheckpoint) -> bytes:
    """A checkpoint as it was signed, with the cosignatures that are kept for it below."""
    rows = reader.connection.execute(
        select(t.cosig.c.line)
        .where(t.cosig.c.ledger == reader.ledger_id, t.cosig.c.size == stored.size)
        .order_by(t.cosig.c.witness)
    ).scalars()
    return stored.note + b"".join(bytes(line) for line in rows)


def cosigned_notes(reader: SqlReader, least: int = 0) -> Iterator[bytes]:
    """The notes of cosigned checkpoints of at least `least` entries, the largest first."""
    sizes = reader.connection.execute(
        select(t.cosig.c.size)
        .where(t.cosig.c.ledger == reader.ledger_id, t.cosig.c.size >= least)
        .distinct()
        .order_by(t.cosig.c.size.desc())
        .limit(MOST_LOOKED_AT)
    ).scalars()
    for size in sizes.all():
        stored = reader.checkpoint_at_or_below(size)
        if stored is not None and stored.size == size:
            yield cosigned_note(reader, stored)
