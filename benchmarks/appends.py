"""The bars of appending: one at a time, in groups, and without signatures.

What is compared with what:

one      ours: verify the draft's signature, append it in a transaction of its own. Beside: verify the same signature
         with the bare key, insert one row of the same bytes by the driver, commit. Both on an open connection.
group    ours: two threads verify and hand on, one thread appends what has come, up to 1,000, a transaction each; an
         entry counts when its transaction is durable. Beside: two threads that verify the same signatures.
batches  ours: 10,000 drafts an append, signatures unlooked at. Beside: the very rows it left, inserted bare.

The harness holds drafts and rows by the hundred thousand, which no node does. Python's garbage collector would look
through them in the middle of a round, ours or the yardstick's: before each round they are put out of its sight.
"""

import gc
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from benchmarks.bars import Bar
from benchmarks.report import seconds
from benchmarks.rows import Watched, insert, twin
from benchmarks.signed import ORIGIN, Authors
from ledger.signing.envelope import pae, verify_signatures
from ledger.store.port import Draft
from ledger.store.sql.engine import Database
from ledger.store.sql.store import SqlLedger

MOST_AT_ONCE = 1_000
WAITING_AT_MOST = 4_000
BATCH = 10_000


class Appends:
    """A ledger on one database, and beside it a database that takes bare rows."""

    def __init__(self, name: str, ledger: SqlLedger, beside: Database, authors: Authors) -> None:
        self.name = name
        self._ledger = ledger
        self._authors = authors
        self._watched = Watched(ledger.database)
        self._beside = twin(beside, self._watched.new_rows())
        with self._beside.writing() as connection:
            blob = "BLOB" if beside.is_sqlite else "BYTEA"
            connection.exec_driver_sql(f"CREATE TABLE bare (idx BIGINT PRIMARY KEY, body {blob} NOT NULL)")
        self._bare = 0

    def one(self, rounds: int, count: int) -> Bar:
        """A durable append of one verified entry."""
        ours, beside = [], []
        with _driver(self._beside) as driver:
            for _ in range(rounds + 1):
                drafts = self._authors.drafts(count)
                _out_of_sight()
                ours.append(seconds(partial(self._append_each, drafts)))
                prepared = self._prepared(drafts)
                _out_of_sight()
                beside.append(seconds(partial(self._commit_each, driver, drafts, prepared)))
        return self._bar(
            "one durable append, signature verified", "verify + bare commit", count, ours, beside, 0.6
        )

    def group(self, rounds: int, count: int) -> Bar:
        """Group commit of verified entries."""
        ours, beside = [], []
        for _ in range(rounds + 1):
            drafts = self._authors.drafts(count)
            _out_of_sight()
            ours.append(seconds(partial(self._append_grouped, drafts)))
            prepared = self._prepared(drafts)
            _out_of_sight()
            beside.append(seconds(partial(_in_two_threads, _verify_bare, prepared)))
        return self._bar("group commit, verified", "two-thread verify loop", count, ours, beside, 0.7)

    def batches(self, rounds: int, count: int = BATCH) -> Bar:
        """Appends without signatures in large batches."""
        ours, beside = [], []
        self._watched.new_rows()
        for _ in range(rounds + 1):
            drafts = self._authors.drafts(count)
            _out_of_sight()
            ours.append(seconds(partial(self._append, drafts)))
            rows = [(table, values) for table, values in self._watched.new_rows() if table.name != "head"]
            _out_of_sight()
            beside.append(seconds(partial(insert, self._beside, rows)))
        question = f"appends with signatures off, batches of {count:,}"
        return self._bar(question, "bare inserts of the same rows", count, ours, beside, 0.5)

    def _bar(
        self, bar: str, beside: str, count: int, ours: Sequence[float], bare: Sequence[float], least: float
    ) -> Bar:
        # The first round warms up.
        mine, theirs = (count / median(spent[1:]) for spent in (ours, bare))
        return Bar(bar, self.name, mine, "entries/s", beside, theirs, least=least)

    def _append(self, drafts: Sequence[Draft]) -> None:
        with self._ledger.writing() as writer:
            writer.append(drafts)

    def _append_each(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            self._verify(draft)
            with self._ledger.writing() as writer:
                writer.append((draft,))

    def _verify(self, draft: Draft) -> None:
        author = draft.signatures[0].key
        verify_signatures(draft.statement, author, draft.signatures, self._authors.verifiers)

    def _append_grouped(self, drafts: Sequence[Draft]) -> None:
        queue: deque[Draft] = deque()
        durable = 0

        def request(part: Sequence[Draft]) -> None:
            for draft in part:
                self._verify(draft)
                queue.append(draft)
                while len(queue) > WAITING_AT_MOST:
                    time.sleep(0.001)

        threads = [threading.Thread(target=request, args=(drafts[n::2],)) for n in range(2)]
        for thread in threads:
            thread.start()
        while durable < len(drafts):
            batch = [queue.popleft() for _ in range(min(len(queue), MOST_AT_ONCE))]
            if not batch:
                time.sleep(0.0002)
                continue
            self._append(batch)
            durable += len(batch)
        for thread in threads:
            thread.join()

    def _prepared(self, drafts: Sequence[Draft]) -> list[tuple[Any, bytes, bytes]]:
        """(key, signature, signed bytes) of each draft, so that a loop over them does nothing but verify."""
        keys = {verifier.thumbprint: verifier._key for verifier in self._authors.verifiers}  # type: ignore[attr-defined]
        return [
            (keys[draft.signatures[0].key], draft.signatures[0].sig, pae(draft.statement)) for draft in drafts
        ]

    def _commit_each(
        self, driver: Any, drafts: Sequence[Draft], prepared: Sequence[tuple[Any, bytes, bytes]]
    ) -> None:
        sqlite = self._beside.is_sqlite
        marks = "?, ?" if sqlite else "%s, %s"
        cursor = driver.cursor()
        for draft, (key, signature, data) in zip(drafts, prepared, strict=True):
            key.verify(signature, data)
            if sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(f"INSERT INTO bare (idx, body) VALUES ({marks})", (self._bare, draft.statement))
            driver.commit()
            self._bare += 1
        cursor.close()


@contextmanager
def _driver(database: Database) -> Iterator[Any]:
    """The driver's own connection, outside any transaction, opened as the ledger's is."""
    with database.writing() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.rollback()
        yield driver


def _out_of_sight() -> None:
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _verify_bare(prepared: Sequence[tuple[Any, bytes, bytes]]) -> None:
    for key, signature, data in prepared:
        key.verify(signature, data)


def _in_two_threads(act: Any, items: Sequence[Any]) -> None:
    threads = [threading.Thread(target=act, args=(items[n::2],)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def new_ledger(database: Database) -> SqlLedger:
    """An empty ledger in a migrated database."""
    ledger = SqlLedger(database, ORIGIN)
    ledger.create()
    return ledger
