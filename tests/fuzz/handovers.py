"""Good handovers from one key of a log to the next, as samples."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.handover import Handover, KeyEntryProof
from ledger.evidence.mldsa_handover import MldsaHandover
from ledger.log import mldsa
from ledger.log.checkpoint import Checkpoint, SignedCheckpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.entry import ZERO_LEAF, Entry, Kind
from ledger.log.note import Note, NoteSigner
from ledger.log.proof import LeafNodes, inclusion_proof, root_at
from ledger.signing.keyrecord import (
    Action,
    register_checkpoint_key,
    register_intake,
    register_next_checkpoint_key,
    sign_record,
)
from ledger.signing.keys import generate, load_verifier, local_signer
from tests.ledger.evidence.world import ORIGIN


def key_handover(*, suspended: bool = False, repeated: bool = False) -> Handover:
    """From one checkpoint key to the next, in a log of three entries.

    `suspended`: the first key was for a while, and came back by a new statement, or (`repeated`) by its first one.
    """
    intake = generate()
    present, following = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    old, new = local_signer(present), local_signer(following)
    first = register_checkpoint_key(ORIGIN, intake, old.spki, "seal")
    suspension = sign_record(replace(first.record, action=Action.SUSPEND), ORIGIN, [intake])
    again = first if repeated else register_checkpoint_key(ORIGIN, intake, old.spki, "seal")
    signed = (
        register_intake(ORIGIN, intake, "node"),
        first,
        *((suspension, again) if suspended else ()),
        register_next_checkpoint_key(ORIGIN, intake, old, new, "next seal"),
    )
    verifiers = [load_verifier(key.spki) for key in (intake, old, new)]
    entries: list[Entry] = []
    for index, each in enumerate(signed):
        before = entries[-1].leaf if entries else ZERO_LEAF
        by = each.envelope.entry_signatures(verifiers)
        entries.append(Entry(Kind.KEY, index, index, before, each.envelope.statement, by))
    nodes = LeafNodes([entry.leaf for entry in entries])
    proofs = [
        KeyEntryProof(
            entry.encode(),
            tuple(inclusion_proof(nodes, entry.index, len(entries))),
            each.document,
            each.seed,
        )
        for entry, each in zip(entries, signed, strict=True)
    ]
    sealers = [NoteSigner(ORIGIN, key) for key in (present, following)]
    note = Checkpoint(ORIGIN, len(entries), root_at(nodes, len(entries))).sign(sealers[0])
    both = note.signed_also([sealers[1].signature(note.text)])
    return Handover(sealers[0].verifier, sealers[1].verifier, both.encode(), tuple(proofs))


def mldsa_handover() -> MldsaHandover:
    """From one ML-DSA-44 key to the next, in a head that both cosigned."""
    keys = mldsa.generate(), mldsa.generate()
    signers = [CosignatureSigner(ORIGIN, key) for key in keys]
    head = Checkpoint(ORIGIN, 3, bytes(32))
    note = Note(head.text(), tuple(signer.sign(head, 1_772_000_000) for signer in signers))
    present, following = ((s.verifier, key.sign) for s, key in zip(signers, keys, strict=True))
    return MldsaHandover.make(present, following, SignedCheckpoint(head, note))
