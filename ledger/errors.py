"""The kernel's error tree.

Whoever calls the kernel catches `LedgerError` and can branch on `code`: a short lower-case word with hyphens
that stays the same when the message is reworded. The message says what happened, where, and what to do next.
"""


class LedgerError(Exception):
    """Anything the kernel refuses or cannot do.

    `code` is stable and meant for programs, the message for people.
    """

    code: str = "ledger"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class VerificationError(LedgerError):
    """Malformed or not verifying: bytes from outside that must not be believed.

    There is one class for both on purpose. A caller that tells 'malformed' from 'forged' tends to treat one of
    them as harmless.
    """

    code = "verification"
