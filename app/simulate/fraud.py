"""Frauds: labels copied, serials invented, empty boxes filled again. The false boxes go to other pharmacies.

The crook sells to people who believe in what they bought: half of them report its receipt before they scan it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.simulate import documents as docs
from app.simulate.measure import Truth
from app.simulate.world import Company, Pack

if TYPE_CHECKING:
    from app.simulate.play import Play

_RESCANS = 2


def tempted(play: Play, buyer: Company, packs: Sequence[Pack]) -> None:
    """A shipment passes through a crook's hands: some labels are copied, some serials made up."""
    world = play.world
    for pack in packs:
        if world.happens(world.rates.copied):
            pack.copied = True
            for _ in range(world.chance.randint(1, 3)):
                _sell(play, buyer, pack, Truth.COPY, 24, 480)
        if world.happens(world.rates.invented):
            made_up = replace(pack, serial=world.serial(), troubles=set())
            _sell(play, buyer, made_up, Truth.INVENTED, 24, 240)


def thrown_away(play: Play, by: Company, pack: Pack) -> None:
    """A pack was dispensed; its box may be found, filled and sold again."""
    if play.world.happens(play.world.rates.refilled):
        pack.copied = True
        _sell(play, by, pack, Truth.REFILLED, 30, 240)


def _sell(play: Play, not_to: Company, label: Pack, truth: Truth, least_h: float, most_h: float) -> None:
    world = play.world
    others = [each for each in world.pharmacies if each is not not_to]
    if not others:
        return
    victim = world.chance.choice(others)
    play.false_labels.add(label.key)
    play.after(world.hours(least_h, most_h), lambda: _arrives(play, victim, label, truth))


def _arrives(play: Play, victim: Company, label: Pack, truth: Truth) -> None:
    box = play.new_box()
    if play.world.happens(0.5):
        seller = play.world.chance.choice(play.world.wholesalers)
        event = docs.moved(
            "receiving",
            victim,
            seller,
            victim,
            [label.key],
            play.now,
            play.world.uuid(),
            f"F{play.world.number()}",
        )
        play.send(victim, [event], seller, (), prompt=True)
    for day in range(_RESCANS + 1):
        play.after(
            play.world.hours(1, 2) + day * play.world.hours(24, 25),
            lambda: play.scan(victim, label, box, truth) and None,
        )
