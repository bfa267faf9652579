"""Honest mistakes in papers: each is a share of shipping documents, and each is put right days later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.simulate import documents as docs
from app.simulate.world import Company, Pack
from ledger.custody.event import Event

if TYPE_CHECKING:
    from app.simulate.play import Play


def trouble(packs: Sequence[Pack], what: str) -> None:
    """Something in the packs' papers is wrong from now on."""
    for pack in packs:
        pack.troubles.add(what)


def put_right(packs: Sequence[Pack], what: str) -> None:
    """It is right again."""
    for pack in packs:
        pack.troubles.discard(what)


def ship(
    play: Play,
    seller: Company,
    buyer: Company,
    others: Sequence[Company],
    before: list[Event],
    keys: Sequence[str],
    packs: Sequence[Pack],
    at: datetime,
) -> None:
    """Send `before` and the shipment of `keys`, mostly as they should be, sometimes not."""
    world = play.world
    reference = f"A{world.number()}"
    right = docs.moved("shipping", seller, seller, buyer, keys, at, world.uuid(), reference)
    if not world.happens(world.rates.wrong):
        play.send(seller, [*before, right], buyer, packs, affirmed=True)
        return
    mistake = world.chance.choice((_wrong_recipient, _no_statement, _sent_twice, _wrong_clock))
    play.measure.documents[mistake.__name__.strip("_").replace("_", " ")] += 1
    mistake(play, seller, buyer, others, before, right, packs)


def _mend_later(
    play: Play, seller: Company, buyer: Company, wrong: Event, right: Event, packs: Sequence[Pack], what: str
) -> None:
    trouble(packs, what)

    def mend() -> None:
        declared = docs.declared_wrong(wrong, play.now, "incorrect_data", (right.id,))
        document = docs.document([declared, right], play.now, seller, buyer, affirmed=True)
        play.node.capture(seller, document)
        put_right(packs, what)

    # After the wrong one, which may itself be up to four days late.
    play.after(play.world.hours(100, 140), mend)


def _wrong_recipient(
    play: Play,
    seller: Company,
    buyer: Company,
    others: Sequence[Company],
    before: list[Event],
    right: Event,
    packs: Sequence[Pack],
) -> None:
    """Somebody else stands in the destination."""
    other = play.world.chance.choice([each for each in others if each is not buyer] or [seller])
    wrong = replace(
        docs.moved("shipping", seller, seller, other, right.epcs, right.event_time, play.world.uuid(), "A0"),
        transactions=right.transactions,
    )
    play.send(seller, [*before, wrong], other, packs, affirmed=True)
    _mend_later(play, seller, buyer, wrong, right, packs, "wrong recipient")


def _no_statement(
    play: Play,
    seller: Company,
    buyer: Company,
    _others: Sequence[Company],
    before: list[Event],
    right: Event,
    packs: Sequence[Pack],
) -> None:
    """The document came without a transaction statement."""
    wrong = replace(right, event_id=play.world.uuid())
    play.send(seller, [*before, wrong], buyer, packs, affirmed=None)
    _mend_later(play, seller, buyer, wrong, right, packs, "no statement")


def _sent_twice(
    play: Play,
    seller: Company,
    buyer: Company,
    _others: Sequence[Company],
    before: list[Event],
    right: Event,
    packs: Sequence[Pack],
) -> None:
    """The same goes out twice, the second time with new event ids: a retry of a system that does not keep them."""
    again = [replace(event, event_id=play.world.uuid()) for event in (*before, right)]
    play.send(seller, [*before, right], buyer, packs, affirmed=True)
    play.after(timedelta(hours=5), lambda: play.send(seller, again, buyer, (), affirmed=True))


def _wrong_clock(
    play: Play,
    seller: Company,
    buyer: Company,
    _others: Sequence[Company],
    before: list[Event],
    right: Event,
    packs: Sequence[Pack],
) -> None:
    """The shipment is dated five hours late: a clock without its time zone."""
    wrong = replace(right, event_id=play.world.uuid(), event_time=right.event_time + timedelta(hours=5))
    play.send(seller, [*before, wrong], buyer, packs, affirmed=True)
    _mend_later(play, seller, buyer, wrong, right, packs, "wrong clock")
