"""A process that judges blocks: ``python -m ledger.store.quick``, started and fed by `pool`, never by hand.

Pickled tuples come in on standard input and go out on standard output, one answer a task, in order. The first is how to
reach the database (it may hold a password, so it is on no command line). Nobody else writes to these two pipes.
"""

import contextlib
import gc
import pickle
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from ledger.store.quick.block import TILE, Proven, index_sum, prove_block
from ledger.store.quick.rows import RowSource
from ledger.store.signatures import Verify, verifying

_MAPPED = 1 << 40  # SQLite takes as much as it was built for, 2 GB, and reads the rest


@dataclass(frozen=True, slots=True)
class Setup:
    """How a worker reaches the rows: the driver's module, what it connects to, the snapshot to see, and the
    keys (SubjectPublicKeyInfo, DER) that signatures are checked with, None where they are not."""

    driver: str
    target: str
    snapshot: str | None
    ledger: int
    keys: Collection[bytes] | None


class BlockTask(NamedTuple):
    """Judge the entries from `start` to below `end`, and their seeds; answered by `Proven` or None."""

    start: int
    end: int
    sizes: Sequence[int]


class IndexTask(NamedTuple):
    """Sum up the statement rows from one hash to below another; answered by (rows, sum) or None."""

    start: bytes
    end: bytes


Task = BlockTask | IndexTask
Answer = Proven | tuple[int, int] | None


def answer(source: RowSource, task: Task, verify: Verify | None) -> Answer:
    """Do one task. What cannot even be read is not sound."""
    try:
        if isinstance(task, IndexTask):
            rows = source.statements(task.start, task.end)
            total = index_sum(rows)
            return None if total is None else (len(rows), total)
        entries = source.entries(task.start, task.end)
        tiles = source.tiles(task.start // TILE, task.end // TILE)
        if len(entries) != task.end - task.start or source.has_short_seeds(task.start, task.end):
            return None
        return prove_block(entries, task.start, tiles, task.sizes, verify)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return None
    except Exception as error:
        if type(error).__name__ in ("error", "DataError", "OperationalError", "InterfaceError"):
            return None
        raise


def connect(setup: Setup) -> Any:
    """A connection of the driver's own, in a transaction that sees one snapshot and writes nothing."""
    if setup.driver == "psycopg":
        import psycopg  # a worker loads the driver it needs

        connection = psycopg.connect(setup.target, options="-c default_transaction_read_only=on")
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        if setup.snapshot is not None:
            literal = psycopg.sql.Literal(setup.snapshot)
            connection.execute(psycopg.sql.SQL("SET TRANSACTION SNAPSHOT {}").format(literal))
        return connection
    module = __import__(setup.driver, fromlist=["connect"])
    connection = module.connect(setup.target, isolation_level=None)
    # Read from the file as it lies in memory. Were it cut meanwhile, this process would end, and none but this one.
    for pragma in ("busy_timeout=5000", "query_only=ON", "trusted_schema=OFF", f"mmap_size={_MAPPED}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    return connection


def serve(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Answer until standard input ends."""
    # Rows refer to nothing, so there is nothing to collect, and looking for it takes a third of the time.
    gc.disable()
    setup: Setup = pickle.load(stdin)  # noqa: S301 - from the process that started this one
    source = RowSource(connect(setup), setup.ledger, is_sqlite=setup.driver != "psycopg")
    verify = None if setup.keys is None else verifying(setup.keys)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            task: Task = pickle.load(stdin)  # noqa: S301
            pickle.dump(answer(source, task, verify), stdout, protocol=5)
            stdout.flush()
