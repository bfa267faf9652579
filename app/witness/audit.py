"""The table `cosig` as stored: each line is one cosignature by the key that its row names.

Whether it verifies is seen where the node's own policy (PACKPROOF_WITNESSES) has the witness's key. Of another witness
a changed line is refused by everybody who asks for that witness.
"""

from sqlalchemy import select

from app.shared.auditing import AuditContext
from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosigned import TIME_BYTES
from ledger.log.mldsa import SIGNATURE_BYTES
from ledger.log.note import Note, NoteSignature
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
        elif not _verifies(context, size, signature):
            context.add("I5", "cosig", key, "line", "a cosignature of this head", "one that does not verify")


def _verifies(context: AuditContext, size: int, signature: NoteSignature) -> bool:
    """False where `signature` is by a key of the policy and not over the head of `size`: others cannot be judged."""
    keys = [witness.key for witness in context.witnesses.witnesses if witness.key.wrote(signature)]
    stored = context.reader.checkpoint_at_or_below(size) if keys else None
    if stored is None or stored.size != size:
        return True  # there is none: the ledger's own audit has named it
    try:
        text = Note.parse(stored.note).text
        for key in keys:
            key.check(text, signature)
    except VerificationError:
        return False
    return True
