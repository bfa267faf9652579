"""Whether entries are signed by keys at hand: for an audit of all of them, and for one that is to be named.

Keys are given as SubjectPublicKeyInfo (DER) and known by their own thumbprints; one that cannot be read is none. What
is asked is whether each signature verifies and the author's comes first. Whether a key was valid at that index is the
keyring's question (`ledger.signing.keyring`).
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from ledger.errors import VerificationError
from ledger.log.entry import Entry

if TYPE_CHECKING:
    from ledger.signing.keys import Verifier

SignatureCheck = Callable[[Entry], str | None]
"""Given each entry, ascending: nothing if its signatures count, else what is wrong with them."""

Verify = Callable[[bytes, Sequence[bytes]], bool]
"""(statement, the bytes of each signature as the entry has them): do all verify, the author's first?"""

_KEY, _SIG = slice(1, 33), slice(35, None)


def signature_check(keys: Collection[bytes]) -> SignatureCheck:
    """Says what is wrong with an entry's signatures."""
    # Few audits need it, and a worker that does not should start fast: hence not at the top.
    from ledger.signing.envelope import verify_signatures
    from ledger.signing.statement import Statement

    verifiers = list(_verifiers(keys).values())

    def check(entry: Entry) -> str | None:
        try:
            author = Statement.parse(entry.statement).author
            verify_signatures(entry.statement, author, entry.signatures, verifiers)
        except VerificationError as error:
            return error.message
        return None

    return check


def verifying(keys: Collection[bytes]) -> Verify:
    """Says whether signatures verify, without taking statement or entry apart; false also for what is unusual."""
    from ledger.signing.envelope import pae

    verifiers = _verifiers(keys)

    def verify(statement: bytes, signatures: Sequence[bytes]) -> bool:
        # JCS puts the author first in every statement (docs/formats/statement.md).
        if not statement.startswith(b'{"author":"%b"' % signatures[0][_KEY].hex().encode()):
            return False
        data = pae(statement)
        try:
            for each in signatures:
                verifier = verifiers[each[_KEY]]
                if verifier.alg != each[0]:
                    return False
                verifier.verify(each[_SIG], data)
        except (KeyError, VerificationError):
            return False
        return True

    return verify


def _verifiers(keys: Collection[bytes]) -> "dict[bytes, Verifier]":
    from ledger.signing.keys import load_verifier

    found = {}
    for spki in keys:
        try:
            verifier = load_verifier(spki)
        except VerificationError:
            continue
        found[verifier.thumbprint] = verifier
    return found
