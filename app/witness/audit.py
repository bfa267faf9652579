"""The table `cosig` as stored: each line is one cosignature by the key that its row names.

Whether it verifies is for whoever knows the witness's key: this node keeps no keys of others, and a line that was
changed is refused by everybody who asks for that witness.
"""

from sqlalchemy import select

from app.shared.auditing import AuditContext
from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosigned import TIME_BYTES
from ledger.log.mldsa import SIGNATURE_BYTES
from ledger.log.note import Note
from ledger.store.sql import tables as t
from ledger.store.sql.cosignatures import witness_id

_ED25519_BYTES = 64
_LENGTHS = frozenset(TIME_BYTES + length for length in (_ED25519_BYTES, SIGNATURE_BYTES))


def check(context: AuditContext) -> None:
    """Name every row whose line is no cosignature, or another key's than it says."""
    text = Checkpoint(context.origin, 1, bytes(32)).text()
    rows = context.connection.execute(
        select(t.cosig.c.size, t.cosig.c.witness, t.cosig.c.line)
        .where(t.cosig.c.ledger == context.reader.ledger_id)
        .order_by(t.cosig.c.size, t.cosig.c.witness)
    )
    for size, witness, line in rows:
        context.counts["cosignatures"] += 1
        key = f"size {size}, {witness}"
        try:
            [signature] = Note.parse(text.encode() + b"\n" + bytes(line)).signatures
        except (VerificationError, ValueError) as error:
            context.add("I5", "cosig", key, "line", "one signature line", str(error))
            continue
        found = witness_id(signature.name, signature.key_id)
        if found != witness:
            context.add("I5", "cosig", key, "witness", found, witness)
        elif len(signature.sig) not in _LENGTHS:
            context.add("I5", "cosig", key, "line", "a cosignature", f"{len(signature.sig)} bytes")
