"""How much of a document is read: everything from outside has a bound, and each bound has a name.

A caller that accepts larger files passes its own `Limits`; what exceeds one is refused with ``too_large``,
``too_deep`` or ``too_many``, never cut off.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one document; bytes, levels, counts and characters as the names say."""

    body_bytes: int = 64 * 1024 * 1024
    depth: int = 64
    """Levels of objects or elements within one extension, ILMD, sensor or header value."""
    events: int = 50_000
    epcs_per_event: int = 100_000
    """Elements of all lists of one event together."""
    text_chars: int = 10_000
    """Characters of one text value."""
    number_chars: int = 40
    members: int = 20_000
    """Members of one extension, ILMD, sensor or header value, at all levels together; a member with its value counts
    twice.
    """
    master_data: int = 50_000
    """Vocabulary elements of one document."""
    problems: int = 20
    """Problems reported before the reader gives up."""


DEFAULT_LIMITS = Limits()
