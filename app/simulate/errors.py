"""Honest mistakes in papers: each is a share of shipping documents, and each is put right days later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.simulate import documents as docs
from app.simulate.world import Company, Pack
from ledger.custody.event import Event

if TYPE_CHECKING:
    from app.simulate.play import Play


@dataclass(frozen=True, slots=True)
class Shipment:
    """Packs on their way, and the papers as they should be: `before` the shipping event comes what was packed or
    unpacked for it. `others`: to whom it could have gone instead."""

    play: Play
    seller: Company
    buyer: Company
    others: Sequence[Company]
    before: Sequence[Event]
    right: Event
    packs: Sequence[Pack]

    def send(self, shipping: Event, *, to: Company | None = None, affirmed: bool | None = True) -> None:
        """Send the papers with `shipping` for their last event."""
        self.play.send(self.seller, [*self.before, shipping], to or self.buyer, self.packs, affirmed=affirmed)


def ship(
    play: Play,
    seller: Company,
    buyer: Company,
    others: Sequence[Company],
    before: Sequence[Event],
    keys: Sequence[str],
    packs: Sequence[Pack],
    at: datetime,
) -> None:
    """Send `before` and the shipment of `keys`, mostly as they should be, sometimes not."""
    world = play.world
    reference = f"A{world.number()}"
    right = docs.moved("shipping", seller, seller, buyer, keys, at, world.uuid(), reference)
    shipment = Shipment(play, seller, buyer, others, before, right, packs)
    if world.happens(world.rates.wrong):
        what, mistake = world.chance.choice(_MISTAKES)
        play.measure.mistakes[what] += 1
        mistake(shipment)
    else:
        shipment.send(right)


def mend_later(
    play: Play, by: Company, to: Company, wrong: Event, right: Event, packs: Sequence[Pack]
) -> None:
    """Days later the wrong event is declared wrong, and the right one told in its place."""
    what = f"wrong {wrong.id}"
    for pack in packs:
        pack.troubles.add(what)

    def mend() -> None:
        declared = docs.declared_wrong(wrong, play.now, "incorrect_data", (right.id,))
        play.send(by, [declared, right], to, (), affirmed=True, prompt=True)
        for pack in packs:
            pack.troubles.discard(what)

    # After the wrong one, which may itself be up to four days late.
    play.after(play.world.hours(100, 140), mend)


def _wrong_recipient(shipment: Shipment) -> None:
    """Somebody else stands in the destination."""
    play, seller, right = shipment.play, shipment.seller, shipment.right
    other = play.world.chance.choice(
        [each for each in shipment.others if each is not shipment.buyer] or [seller]
    )
    wrong = replace(
        docs.moved("shipping", seller, seller, other, right.epcs, right.event_time, play.world.uuid(), ""),
        transactions=right.transactions,
    )
    shipment.send(wrong, to=other)
    mend_later(play, seller, shipment.buyer, wrong, right, shipment.packs)


def _no_statement(shipment: Shipment) -> None:
    """The document came without a transaction statement."""
    wrong = replace(shipment.right, event_id=shipment.play.world.uuid())
    shipment.send(wrong, affirmed=None)
    mend_later(shipment.play, shipment.seller, shipment.buyer, wrong, shipment.right, shipment.packs)


def _sent_twice(shipment: Shipment) -> None:
    """The same goes out twice, the second time with new event ids: a retry of a system that does not keep them."""
    play = shipment.play
    again = [replace(event, event_id=play.world.uuid()) for event in (*shipment.before, shipment.right)]
    shipment.send(shipment.right)
    play.after(
        timedelta(hours=5), lambda: play.send(shipment.seller, again, shipment.buyer, (), affirmed=True)
    )


def _wrong_clock(shipment: Shipment) -> None:
    """The shipment is dated five hours late: a clock without its time zone."""
    later = shipment.right.event_time + timedelta(hours=5)
    wrong = replace(shipment.right, event_id=shipment.play.world.uuid(), event_time=later)
    shipment.send(wrong)
    mend_later(shipment.play, shipment.seller, shipment.buyer, wrong, shipment.right, shipment.packs)


_MISTAKES: Sequence[tuple[str, Callable[[Shipment], None]]] = (
    ("wrong recipient", _wrong_recipient),
    ("no statement", _no_statement),
    ("sent twice", _sent_twice),
    ("wrong clock", _wrong_clock),
)
