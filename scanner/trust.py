"""The last head this bench saw, and the refusal to believe a node that shows another past.

What is remembered, where, and how a conflict is kept, is the same for every client (`ledger.witness.memory`); here are
the bench's own errors and what a person at a bench can do.
"""

from ledger.witness import memory
from ledger.witness.memory import Refusal, Remembered
from scanner.errors import BenchError, TrustError

__all__ = ["RESET_ADVICE", "Memory", "Refusal", "Remembered"]

RESET_ADVICE = (
    "Do not rely on this node. Keep that file: packproof-verify reads it. Tell your quality unit and the node's "
    "operator; only when they have explained it: packproof-scan trust --reset"
)


class Memory(memory.Memory):
    """What one bench remembers of one node. One process at a time: under the bench's lock (`scanner.bench`)."""

    advice = RESET_ADVICE

    def untrusted(self, code: str, message: str) -> TrustError:
        """Refused at the bench: exit status 4."""
        return TrustError(code, message)

    def damaged(self, message: str) -> BenchError:
        """The bench's folder is not usable."""
        return BenchError("bench-damaged", message)
