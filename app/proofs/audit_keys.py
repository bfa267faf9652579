"""Keys are what their entries registered: every column of `party_key` follows from the record that was committed to."""

from hashlib import sha256

from app.devices import service as devices
from app.shared.auditing import AuditContext
from ledger.log.entry import Kind
from ledger.signing.commitment import commit
from ledger.signing.keyrecord import Action, KeyRecord
from ledger.signing.statement import Statement


def check(context: AuditContext) -> None:
    """Compare every key with the entry that registered it."""
    for key in devices.all_keys(context.connection):
        context.counts["keys"] += 1
        record = KeyRecord(Action.REGISTER, key.spki, key.role, key.party_gln, key.label)
        name = f"{key.thumbprint.hex()[:16]} ({key.label})"
        if key.revoked_idx is not None:
            # No entry of this version revokes a key.
            context.add("I9", "party_key", name, "revoked_idx", "none", str(key.revoked_idx))
        if record.thumbprint != key.thumbprint:
            context.add("I9", "party_key", name, "spki", key.thumbprint.hex(), record.thumbprint.hex())
            continue
        entry = context.entry(key.registered_idx)
        seed = context.reader.seed(key.registered_idx)
        root = seed and commit(sha256(record.document()).digest(), [], [record.fields()], seed)
        if (
            entry is None
            or entry.kind is not Kind.KEY
            or Statement.parse(entry.statement).commit.root != root
        ):
            columns = "registered_idx, role, party, label"
            context.add("I9", "party_key", name, columns, "what its entry says", "other")
