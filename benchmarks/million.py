"""The bars that need a long ledger: proofs and the audit at 10^6 entries, built once and as fast as it goes.

proof    random indexes, each proof through a reader opened for it alone, from a cache that begins empty: the first
         proof out of a tile reads and hashes it, so p99 is what a cold proof costs.
audit    ours: the whole of fsck, every table and row of the ledger, in as many processes as it takes by itself. Beside:
         a loop in one thread over the same bytes in memory that does nothing but the hashes the audit cannot do
         without: each entry's leaf, one inner node an entry, and each statement's key.
signed   ours: the same audit with every signature. Beside: a loop in one thread that does nothing but verify them.
"""

import random
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from time import perf_counter
from typing import Any

from benchmarks.bars import Bar
from benchmarks.report import seconds
from benchmarks.signed import ORIGIN, Authors
from ledger.log.entry import Entry
from ledger.log.proof import inclusion_proof, verify_inclusion
from ledger.signing.envelope import pae
from ledger.store.fsck import fsck
from ledger.store.sql.store import SqlLedger

PROOFS = 20_000
LOOP_SAMPLE = 50_000
VERIFY_SAMPLE = 5_000


def build(ledgers: Sequence[SqlLedger], authors: Authors, count: int) -> None:
    """Append the same `count` signed drafts to each ledger."""
    begun, done = perf_counter(), 0
    for drafts in authors.many(count):
        for ledger in ledgers:
            with ledger.writing() as writer:
                writer.append(drafts)
        done += len(drafts)
        sys.stderr.write(f"\rbuilding: {done:,} of {count:,} entries, {perf_counter() - begun:.0f} s ")
    sys.stderr.write("\n")


def proofs(name: str, ledger: SqlLedger, count: int = PROOFS) -> list[Bar]:
    """p50 and p99 of an inclusion proof, in milliseconds."""
    with ledger.reading() as reader:
        head = reader.head()
    fresh = SqlLedger(ledger.database, ORIGIN)  # whatever was remembered while building is not counted in
    chance = random.Random(7)
    spent: list[float] = []
    for n in range(count):
        index = chance.randrange(head.size)
        begun = perf_counter()
        with fresh.reading() as reader:
            proof = inclusion_proof(reader, index, head.size)
        spent.append((perf_counter() - begun) * 1000)
        if n % 100 == 0:
            with fresh.reading() as reader:
                verify_inclusion(reader.leaf(index), index, head.size, proof, head.root)
    spent.sort()
    question = f"inclusion proof at {head.size:,} entries"
    return [
        Bar(f"{question}, p50", name, spent[count // 2], "ms", most=0.2),
        Bar(f"{question}, p99", name, spent[count * 99 // 100], "ms", most=2),
    ]


def audits(name: str, ledger: SqlLedger, authors: Authors, rounds: int) -> list[Bar]:
    """The audit without and with signatures, beside loops over samples before and after each."""
    with ledger.reading() as reader:
        size = reader.head().size
        bodies = [body for _, body in reader.entries(0, min(size, LOOP_SAMPLE))]
    keys = {verifier.thumbprint: verifier for verifier in authors.verifiers}
    spkis = [verifier.spki for verifier in authors.verifiers]
    signed = _prepared(bodies[:VERIFY_SAMPLE], keys)

    bars = []
    for question, beside, loop, sample, checked, least in (
        ("full audit", "hash loop in memory", lambda: _hash_loop(bodies), len(bodies), None,
         0.55 if ledger.database.is_sqlite else 0.45),
        ("full audit with signatures", "verify loop", lambda: _verify_loop(signed), len(signed), spkis, 0.8),
    ):  # fmt: skip
        ours, bare = [], [_rate(sample, loop)]
        for _ in range(rounds):
            ours.append(_rate(size, partial(_audit, ledger, size, checked)))
            bare.append(_rate(sample, loop))
        asked = f"{question} of {size:,} entries"
        bars.append(Bar(asked, name, _middle(ours), "entries/s", beside, _middle(bare), least=least))
    return bars


def _audit(ledger: SqlLedger, size: int, keys: Collection[bytes] | None) -> None:
    def progress(done: int, total: int) -> None:
        if done % 65_536 == 0 or done == total:
            sys.stderr.write(f"\rauditing: {done:,} of {total:,} ")

    with ledger.database.snapshot() as connection:
        report = fsck(connection, ORIGIN, keys=keys, progress=progress)
    sys.stderr.write("\n")
    if not report.ok or report.counts["entries"] != size:
        raise SystemExit(f"the audit of a sound ledger says {report.findings[:1]}")


def _hash_loop(bodies: Sequence[bytes]) -> None:
    statements = [Entry.decode(body).statement for body in islice(bodies, 1)]
    length = len(statements[0])
    left = bytes(32)
    for body in bodies:
        leaf = sha256(b"\x00" + body).digest()
        sha256(b"\x01" + left + leaf).digest()
        sha256(body[:length]).digest()
        left = leaf


def _verify_loop(signed: Sequence[tuple[Any, bytes, bytes]]) -> None:
    for key, signature, data in signed:
        key.verify(signature, data)


def _prepared(bodies: Sequence[bytes], keys: Any) -> list[tuple[Any, bytes, bytes]]:
    def each() -> Iterator[tuple[Any, bytes, bytes]]:
        for entry in map(Entry.decode, bodies):
            [signature] = entry.signatures
            yield keys[signature.key]._key, signature.sig, pae(entry.statement)

    return list(each())


def _rate(amount: int, act: Callable[[], None]) -> float:
    return amount / seconds(act)


def _middle(rates: Sequence[float]) -> float:
    return sorted(rates)[len(rates) // 2]
