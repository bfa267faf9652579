"""Were those who traded authorized, then (D12)? Asked each time, and that it was asked at capture is kept.

Licences are the operator's word and come late: a renewal is often entered weeks after it was granted. So the finding is
computed when somebody reads it, from the licences as they are known then and as of the event's own time; nothing is
projected again because a licence came. What was known when the event was recorded stays beside it as evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from app.custody.counting import stands
from app.events.models import event
from app.partners import licences
from app.partners import service as partners
from app.shared.clock import Clock
from ledger.custody.vocabulary import Step

TRADE_STEPS = frozenset({Step.SHIPPING.value, Step.RECEIVING.value, Step.ACCEPTING.value})


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """A party of an event that was no authorized trading partner then, and why not."""

    seq: int
    gln: str
    message: str


# Made once: it is asked twice at every capture of a trade, and to make it takes longer than to run it.
_TRADES = (
    select(
        event.c.seq, event.c.event_time,
        event.c.by_id, event.c.sender_id, event.c.recipient_id, event.c.seller_id, event.c.buyer_id,
    )
    .where(
        event.c.seq.in_(bindparam("seqs", expanding=True)),
        event.c.biz_step.in_(sorted(TRADE_STEPS)),
        stands(),
    )
    .order_by(event.c.seq)
)  # fmt: skip

Asked = tuple[int, int, datetime]
"""(number of the event, number of the party, time of the event)."""


def _asked(connection: Connection, seqs: Sequence[int]) -> list[Asked]:
    """Who traded with whom in these events. What stays within one company is no trade."""
    found: list[Asked] = []
    for seq, at, *numbers in connection.execute(_TRADES, {"seqs": seqs}):
        parties = sorted({number for number in numbers if number is not None})
        if len(parties) > 1:
            found += [(seq, number, at) for number in parties]
    return found


def unauthorized(connection: Connection, seqs: Sequence[int]) -> list[Unauthorized]:
    """Who was not authorized when these events happened, by what is known now."""
    asked = _asked(connection, seqs)
    if not asked:
        return []
    known = licences.standings(connection, {(number, at) for _, number, at in asked})
    bad = [(seq, number, at) for seq, number, at in asked if not known[number, at].authorized]
    called = {each.party_id: each for each in partners.by_numbers(connection, {n for _, n, _ in bad})}
    return [
        Unauthorized(
            seq,
            called[number].gln,
            f"{called[number].name} ({called[number].gln}) was no authorized trading partner on {at:%Y-%m-%d}: "
            f"{known[number, at].why}",
        )
        for seq, number, at in bad
    ]


def keep(connection: Connection, clock: Clock, seqs: Sequence[int]) -> None:
    """Write down what is known now of those who traded in these events, which were just recorded."""
    asked = _asked(connection, seqs) if seqs else []
    if asked:
        known = licences.standings(connection, {(number, at) for _, number, at in asked})
        licences.keep_checks(connection, clock, known, asked)
