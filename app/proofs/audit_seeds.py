"""Every seed is a seed, or what a redaction left of one: with another nothing of its entry can be computed anew.

Whether it is the one that was committed with, the audits of documents, keys, redactions and all other records tell.
"""

from collections.abc import Iterator

from sqlalchemy import func, select

from app.shared.auditing import AuditContext
from ledger.errors import LedgerError
from ledger.signing.remains import SEED_BYTES, check_form
from ledger.store.sql import tables

_PAGE = 100


def check(context: AuditContext) -> None:
    """The rows of `seed` that are longer than a seed; shorter ones the ledger's own audit names."""
    for index, kept in _longer(context):
        try:
            check_form(kept)
        except LedgerError as error:
            must = "a seed, or what a redaction left of one"
            context.add("I9", "seed", str(index), "seed", must, error.message, "all evidence of its entry")


def _longer(context: AuditContext) -> Iterator[tuple[int, bytes]]:
    seed = tables.seed.c
    page = select(seed.idx, seed.seed).where(
        seed.ledger == context.reader.ledger_id, func.length(seed.seed) > SEED_BYTES
    )
    page = page.order_by(seed.idx).limit(_PAGE)
    rows = context.connection.execute(page).all()
    while rows:
        for row in rows:
            yield row.idx, bytes(row.seed)
        rows = context.connection.execute(page.where(seed.idx > rows[-1].idx)).all()
