"""Every column of the ledger's tables: how it is changed and what is found then, or why it does no harm."""

from dataclasses import dataclass

from tests.support.ledgers import ORIGIN


@dataclass(frozen=True)
class Located:
    """A change of a column: how it is made, and the first finding (invariant, table, key, column) it must give."""

    change: str
    finding: tuple[str, str, str, str]
    flip: str = ""
    """A query for the value whose one bit is changed; the result is the parameter of `change`."""


@dataclass(frozen=True)
class Harmless:
    """A column whose change this audit does not find, and why that does no harm."""

    why: str


def flip(table: str, column: str, where: str, finding: tuple[str, str, str, str]) -> Located:
    update = f"UPDATE {table} SET {column} = ? WHERE {where}"
    return Located(update, finding, f"SELECT {column} FROM {table} WHERE {where}")


COSIG = (
    "nothing of the node relies on it yet: whoever takes a cosignature verifies it with the witness's own key"
)
WRAP = "nothing of the node reads it yet"

COLUMNS: dict[str, Located | Harmless] = {
    "ledger_origin.id": Located("UPDATE ledger_origin SET id = 2", ("I3", "head", ORIGIN, "ledger")),
    "ledger_origin.origin": Located(
        "UPDATE ledger_origin SET origin = 'evil.example'", ("I2", "ledger_origin", ORIGIN, "origin")
    ),
    "head.ledger": Located("UPDATE head SET ledger = 2", ("I3", "head", ORIGIN, "ledger")),
    "head.size": Located("UPDATE head SET size = 601", ("I2", "head", ORIGIN, "size")),
    "head.root": flip("head", "root", "ledger = 1", ("I3", "head", ORIGIN, "root")),
    "head.last_leaf": flip("head", "last_leaf", "ledger = 1", ("I3", "head", ORIGIN, "last_leaf")),
    "head.peaks": flip("head", "peaks", "ledger = 1", ("I3", "head", ORIGIN, "peaks")),
    "entry.ledger": Located("UPDATE entry SET ledger = 2 WHERE idx = 300", ("I2", "entry", "300", "idx")),
    "entry.idx": Located("UPDATE entry SET idx = 9999 WHERE idx = 300", ("I2", "entry", "300", "idx")),
    "entry.leaf": flip("entry", "leaf", "idx = 300", ("I3", "entry", "300", "leaf")),
    "entry.body": flip("entry", "body", "idx = 300", ("I3", "entry", "300", "body")),
    "entry.recv_ms": Located(
        "UPDATE entry SET recv_ms = recv_ms - 1 WHERE idx = 300", ("I3", "entry", "300", "recv_ms")
    ),
    "statement_index.hash16": flip(
        "statement_index", "hash16", "idx = 300", ("I7", "statement_index", "300", "hash16")
    ),
    "statement_index.ledger": Located(
        "UPDATE statement_index SET ledger = 2 WHERE idx = 300", ("I7", "statement_index", "300", "hash16")
    ),
    "statement_index.idx": Located(
        "UPDATE statement_index SET idx = 9999 WHERE idx = 300", ("I7", "statement_index", "300", "hash16")
    ),
    "tile.ledger": Located("UPDATE tile SET ledger = 2 WHERE n = 1", ("I6", "tile", "0/1", "data")),
    "tile.level": Located("UPDATE tile SET level = 1 WHERE n = 1", ("I6", "tile", "0/1", "data")),
    "tile.n": Located("UPDATE tile SET n = 7 WHERE n = 1", ("I6", "tile", "0/1", "data")),
    "tile.data": flip("tile", "data", "n = 1", ("I6", "tile", "0/1", "data")),
    "checkpoint.ledger": Harmless(
        "a checkpoint that is gone from here was published: the mark and all who fetched it still have its root"
    ),
    "checkpoint.size": Located(
        "UPDATE checkpoint SET size = 513 WHERE size = 512", ("I5", "checkpoint", "size 513", "size")
    ),
    "checkpoint.note": flip("checkpoint", "note", "size = 512", ("I5", "checkpoint", "size 512", "note")),
    "cosig.ledger": Harmless(COSIG),
    "cosig.size": Harmless(COSIG),
    "cosig.witness": Harmless(COSIG),
    "cosig.line": Harmless(COSIG),
    "seed.ledger": Harmless(
        "an entry without a seed can show no fields; nothing can be proven that was not so"
    ),
    "seed.idx": Located("UPDATE seed SET idx = 9999 WHERE idx = 300", ("seed", "seed", "9999", "seed")),
    "seed.seed": Harmless(
        "another seed gives another commitment than the one that was signed: evidence made with it is refused. The "
        "node's audit of documents, which has document and statement, finds it"
    ),
    "wrap.ledger": Harmless(WRAP),
    "wrap.idx": Harmless(WRAP),
    "wrap.key": Harmless(WRAP),
}

LEDGER_TABLES = (
    "ledger_origin",
    "head",
    "entry",
    "statement_index",
    "tile",
    "checkpoint",
    "cosig",
    "seed",
    "wrap",
)


def value(ledger, query):
    """What stands in the one place that the query asks for."""
    with ledger.database.reading() as connection:
        return connection.exec_driver_sql(query).scalar_one()
