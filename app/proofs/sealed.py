"""How far the ledger stood sealed when a page was made, or why this node vouches for nothing now.

What people read says which checkpoint it stands on. Where the node may not sign its head (a database put back, a
rewritten head) the page must say so instead of showing rows as if they were proven::

    seal = sealed(services().node)
    seal.size, seal.refusal        # 42, None
"""

from dataclasses import dataclass

from app.errors import AppError
from app.node.service import Node


@dataclass(frozen=True, slots=True)
class Sealed:
    """`size`: entries under the signed checkpoint, None where there is none; then `refusal` says why."""

    size: int | None
    refusal: AppError | None = None


def sealed(node: Node) -> Sealed:
    """Seal the present head. Never raises for a node that may not sign: that is an answer."""
    try:
        note = node.checkpoint()
        return Sealed(node.opened(note).checkpoint.size)
    except AppError as error:
        return Sealed(None, error)
