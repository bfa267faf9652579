"""Signed statements as a ledger gets them: real signatures by few keys, made in every core at once.

Each is what a device's capture of one event leaves: a JCS statement of some 470 bytes with a chain of the device's
own, one Ed25519 signature over it, and a seed.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ledger.log.encoding import to_json
from ledger.log.entry import Kind, Signature
from ledger.signing.envelope import pae
from ledger.signing.keys import ED25519, LocalSigner, Verifier, generate, load_verifier, local_signer
from ledger.store.port import Draft

ORIGIN = "packproof.example/benchmark"
SOME_MS = 1_790_000_000_000
CHUNK = 10_000


class Authors:
    """A few devices' keys."""

    def __init__(self, keys: int = 4) -> None:
        self.signers = [generate() for _ in range(keys)]
        self.verifiers: list[Verifier] = [load_verifier(signer.spki) for signer in self.signers]

    def drafts(self, count: int) -> list[Draft]:
        """So many signed statements, ready to append."""
        return [_draft(self.signers[number % len(self.signers)], number) for number in range(count)]

    def many(self, count: int, workers: int = 2) -> Iterator[list[Draft]]:
        """As `drafts`, in chunks, signed by several processes."""
        keys = [signer.private_key for signer in self.signers]
        raw = [key.private_bytes_raw() for key in keys if hasattr(key, "private_bytes_raw")]
        sizes = [min(CHUNK, count - start) for start in range(0, count, CHUNK)]
        # Spawned: a fork would take open databases along.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(_chunk, [raw] * len(sizes), sizes)


def _chunk(raw: list[bytes], count: int) -> list[Draft]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signers = [local_signer(Ed25519PrivateKey.from_private_bytes(key)) for key in raw]
    return [_draft(signers[number % len(signers)], number) for number in range(count)]


def _draft(signer: LocalSigner, number: int) -> Draft:
    noise = os.urandom(128)
    statement = to_json(
        {
            "author": signer.thumbprint.hex(),
            "commit": {"alg": "salted-sha256-v1", "n": 1, "root": noise[:32].hex()},
            "id": noise[32:48].hex(),
            "ledger": ORIGIN,
            "prev": noise[48:80].hex(),
            "refs": [],
            "seq": number + 1,
            "stream": noise[80:96].hex(),
            "type": "captured",
            "v": 1,
        }
    )
    signature = Signature(ED25519, signer.thumbprint, signer.sign(pae(statement)))
    return Draft(Kind.CAPTURED, SOME_MS, statement, (signature,), noise[96:])
