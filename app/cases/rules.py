"""What all desks have in common: which desks there are, what a line of a thread is, and how a clock is told. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum


class Desk(StrEnum):
    """The desks: each a queue with owner, clock, thread and history."""

    EXCEPTIONS = "exceptions"
    RECEIVING = "receiving"
    INVESTIGATIONS = "investigations"
    RETURNS = "returns"
    RECALLS = "recalls"
    REGULATOR = "regulator"
    OVERRIDES = "overrides"

    @property
    def word(self) -> str:
        """How the audit trail calls a case of this desk: ``exception``, ``return``."""
        return self.value.removesuffix("s")


class NoteKind(StrEnum):
    """What a line of a thread is."""

    NOTE = "note"  # somebody of the party wrote it
    STATE = "state"  # the case changed
    SENT = "sent"  # a message to the partner
    CAME = "came"  # a message from the partner


def clock(now: datetime, due_at: datetime | None, closed_at: datetime | None, closed_by: str | None) -> str:
    """How a case's clock is told: '2 days 23 hours left', 'Overdue by 3 hours', 'Closed ... by ...'."""
    if closed_at is not None:
        return f"Closed {closed_at:%Y-%m-%d %H:%M} UTC by {closed_by}"
    if due_at is None:
        return "No deadline"
    left = due_at - now
    if left >= timedelta(0):
        return f"{span(left)} left"
    return f"Overdue by {span(-left)}"


def span(length: timedelta) -> str:
    """A span in whole hours as people say it: '2 days 23 hours'."""
    hours = int(length.total_seconds() // 3600)
    parts = [(hours // 24, "day"), (hours % 24, "hour")]
    said = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count]
    return " ".join(said) or "less than an hour"
