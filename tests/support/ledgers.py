"""Drafts to append, stores to append them to, and a program that appends until somebody kills it.

``python -m tests.support.ledgers URL NAME COUNT`` appends one draft a transaction and, once each is committed, writes
``INDEX HEX-OF-STATEMENT`` to standard output: what it wrote there is acknowledged.
"""

import sys
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.log.entry import Kind, Signature
from ledger.log.note import NoteSigner
from ledger.store.port import Draft
from ledger.store.sql.engine import Database, open_engine
from ledger.store.sql.store import SqlLedger

ORIGIN = "packproof.example/ledger"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SOME_MS = 1_790_000_000_000


def draft(name: str | int, *, seeded: bool = True) -> Draft:
    """A draft whose bytes follow from its name alone. The store checks no signature, so these are only well-formed."""
    digest = sha256(str(name).encode()).digest()
    statement = b'{"id":"%s","v":1}' % str(name).encode()
    signature = Signature(1, digest, digest + digest)
    return Draft(Kind.RECEIVED, SOME_MS, statement, (signature,), digest if seeded else None)


def drafts(count: int, first: int = 0) -> list[Draft]:
    """The drafts `first` to `first + count - 1`."""
    return [draft(number) for number in range(first, first + count)]


def sql_ledger(database: Database) -> SqlLedger:
    """The ledger of a migrated database, created in it."""
    ledger = SqlLedger(database, ORIGIN)
    ledger.create()
    return ledger


def append_until_killed(url: str, name: str, count: int) -> None:
    """Append `count` drafts one by one, acknowledging each after its commit."""
    ledger = SqlLedger(open_engine(url, busy_timeout_ms=30_000), ORIGIN)
    print("ready", flush=True)
    for number in range(count):
        # The same drafts in every run: one that was stored but not acknowledged must give its first index again.
        item = draft(f"{name}-{number}")
        with ledger.writing() as writer:
            [entry] = writer.append([item])
        print(entry.index, item.statement.hex(), flush=True)


if __name__ == "__main__":
    append_until_killed(sys.argv[1], sys.argv[2], int(sys.argv[3]))
