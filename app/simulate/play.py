"""The trade of some weeks: makers make and ship, wholesalers open and sell on, pharmacies receive and dispense.

Each step moves goods first and papers when they come: a document goes to the node minutes after the deed, or days, or
with an error that somebody puts right later. Every pack that a pharmacy gets is scanned before it is received and again
before it is dispensed; what is not OK is set aside and scanned again the next days.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.simulate import documents as docs
from app.simulate import errors, fraud
from app.simulate.agenda import Agenda, Deed
from app.simulate.measure import Measure, Scan, Truth
from app.simulate.node import SimulatedNode
from app.simulate.world import Case, Company, Pack, World
from ledger.custody.event import Event
from ledger.custody.verdict import Word
from ledger.custody.vocabulary import Action

_PATIENCE = 6  # days that a pack is set aside before it is given up
_MOMENT = timedelta(milliseconds=10)  # between two steps of one hand


class Play:
    """One simulation, running."""

    def __init__(self, world: World, node: SimulatedNode, measure: Measure) -> None:
        self.world = world
        self.node = node
        self.measure = measure
        self.agenda = Agenda()
        self.boxes = 0
        self.false_labels: set[str] = set()  # canonical EPCs that a false box bears

    @property
    def now(self) -> datetime:
        return self.node.clock.now()

    def run(self, days: int, progress: Callable[[int], None], every_day: Deed) -> None:
        """Play so many days. Makers make lots until ten days before the end, so that most of it is sold."""
        start = self.now
        for maker in self.world.makers:
            at = start + self.world.hours(1, 20)
            while at < start + timedelta(days=max(1, days - 10)):
                self.agenda.at(at, lambda maker=maker: self._make(maker))  # type: ignore[misc]
                at += self.world.hours(40, 100)
        for day in range(1, days + 1):
            for when, deed in self.agenda.until(start + timedelta(days=day)):
                self.node.move_to(when)
                deed()
            self.node.move_to(start + timedelta(days=day))
            every_day()
            progress(day)

    def after(self, span: timedelta, deed: Deed) -> None:
        """Do it when `span` has passed."""
        self.agenda.at(self.now + span, deed)

    def send(
        self,
        by: Company,
        events: Sequence[Event],
        to: Company,
        packs: Sequence[Pack],
        *,
        affirmed: bool | None = None,
        prompt: bool = False,
    ) -> None:
        """Papers go out: soon, or late. Until they are there the packs' papers are in trouble."""
        late = not prompt and self.world.happens(self.world.rates.late)
        delay = self.world.hours(24, 96) if late else self.world.hours(0.05, 2)
        trouble = f"late {self.world.number()}"
        for pack in packs:
            pack.troubles.add(trouble)

        def go() -> None:
            self.node.capture(by, docs.document(events, self.now, by, to, affirmed=affirmed))
            self.measure.documents["late" if late else "prompt"] += 1
            for pack in packs:
                pack.troubles.discard(trouble)

        self.after(timedelta(0) if prompt else delay, go)

    # ---- makers -------------------------------------------------------------------------------------------------

    def _make(self, maker: Company) -> None:
        cases = self.world.lot(maker, self.now, self.world.chance.randint(2, 4))
        packs = [pack for case in cases for pack in case.packs]
        event = docs.commissioned(maker, packs, self.now, self.world.uuid())
        if self.world.happens(self.world.rates.wrong / 4):
            self._mistyped_lot(maker, packs, event)
        else:
            self.send(maker, [event], maker, packs)
        buyer = self.world.chance.choice(self.world.wholesalers)
        self.after(self.world.hours(20, 40), lambda: self._ship_pallet(maker, buyer, cases))

    def _mistyped_lot(self, maker: Company, packs: Sequence[Pack], right: Event) -> None:
        """The lot was typed wrong into the line; noticed and put right days later."""
        wrong = docs.commissioned(
            maker, packs, self.now, self.world.uuid(), lot=packs[0].lot.replace("L", "I")
        )
        self.send(maker, [wrong], maker, packs)
        self.measure.mistakes["wrong lot"] += 1
        errors.mend_later(self, maker, maker, wrong, right, packs)

    def _ship_pallet(self, maker: Company, buyer: Company, cases: Sequence[Case]) -> None:
        pallet, at = self.world.sscc(maker), self.now
        packs = [pack for case in cases for pack in case.packs]
        events = [
            docs.packed(
                maker, case.key, [pack.key for pack in case.packs], at + number * _MOMENT, self.world.uuid()
            )
            for number, case in enumerate(cases)
        ]
        load = at + len(cases) * _MOMENT
        events.append(docs.packed(maker, pallet, [case.key for case in cases], load, self.world.uuid()))
        errors.ship(
            self, maker, buyer, self.world.wholesalers, events, [pallet], packs, at + timedelta(minutes=5)
        )
        self.after(self.world.hours(24, 48), lambda: self._receive_pallet(buyer, maker, pallet, cases))

    # ---- wholesalers --------------------------------------------------------------------------------------------

    def _receive_pallet(self, buyer: Company, maker: Company, pallet: str, cases: Sequence[Case]) -> None:
        packs = [pack for case in cases for pack in case.packs]
        for pack in packs:
            pack.at = buyer
        event = docs.moved(
            "receiving", buyer, maker, buyer, [pallet], self.now, self.world.uuid(), f"D{self.world.number()}"
        )
        self.send(buyer, [event], maker, packs)
        for case in cases:
            pharmacy = self.world.chance.choice(self.world.pharmacies)
            self.after(
                self.world.hours(12, 120),
                lambda case=case, pharmacy=pharmacy: self._sell_case(buyer, pharmacy, pallet, case),  # type: ignore[misc]
            )

    def _sell_case(self, by: Company, to: Company, pallet: str, case: Case) -> None:
        keys = [pack.key for pack in case.packs]
        events = [
            docs.packed(by, pallet, [case.key], self.now, self.world.uuid(), Action.DELETE),
            docs.packed(by, case.key, keys, self.now + _MOMENT, self.world.uuid(), Action.DELETE),
        ]
        self.sell(by, to, case.packs, events)

    def sell(self, by: Company, to: Company, packs: Sequence[Pack], events: Sequence[Event] = ()) -> None:
        """Loose packs go to a pharmacy; some of their labels are copied on the way."""
        keys = [pack.key for pack in packs]
        errors.ship(self, by, to, self.world.pharmacies, events, keys, packs, self.now + timedelta(minutes=5))
        fraud.tempted(self, to, packs)
        self.after(self.world.hours(12, 36), lambda: self._receive_packs(to, by, packs))

    # ---- pharmacies ---------------------------------------------------------------------------------------------

    def _receive_packs(self, by: Company, seller: Company, packs: Sequence[Pack]) -> None:
        for pack in packs:
            pack.at = by
        self._take_in(by, seller, [(pack, self.new_box()) for pack in packs], _PATIENCE)

    def _take_in(
        self, by: Company, seller: Company, boxes: Sequence[tuple[Pack, int]], patience: int
    ) -> None:
        """Scan, receive what is OK, set the rest aside until tomorrow."""
        good, rest = [], []
        for pack, box in boxes:
            (good if self.scan(by, pack, box) == Word.OK else rest).append((pack, box))
        if good:
            packs = [pack for pack, _ in good]
            event = docs.moved(
                "receiving", by, seller, by, [pack.key for pack in packs], self.now, self.world.uuid(),
                f"D{self.world.number()}",
            )  # fmt: skip
            self.send(by, [event], seller, packs, prompt=True)
            for pack, box in good:
                self._use(by, seller, pack, box)
        if rest and patience:
            self.after(timedelta(hours=24), lambda: self._take_in(by, seller, rest, patience - 1))

    def _use(self, by: Company, seller: Company, pack: Pack, box: int) -> None:
        if self.world.happens(self.world.rates.returned) and seller.kind == "wholesaler":
            self.after(self.world.hours(24, 72), lambda: self._return(by, seller, pack))
        else:
            self.after(self.world.hours(4, 200), lambda: self._dispense(by, pack, box, _PATIENCE))

    def _dispense(self, by: Company, pack: Pack, box: int, patience: int) -> None:
        if self.scan(by, pack, box) == Word.OK:
            self.send(by, [docs.dispensed(by, pack, self.now, self.world.uuid())], by, [pack], prompt=True)
            pack.dispensed_at = self.now
            fraud.thrown_away(self, by, pack)
        elif patience:
            self.after(timedelta(hours=24), lambda: self._dispense(by, pack, box, patience - 1))

    def _return(self, by: Company, to: Company, pack: Pack) -> None:
        reference = f"R{self.world.number()}"
        sent = docs.moved(
            "shipping", by, by, to, [pack.key], self.now, self.world.uuid(), reference, returned=True
        )
        self.send(by, [sent], to, [pack], affirmed=True)

        def back() -> None:
            pack.at = to
            here = docs.moved(
                "receiving", to, by, to, [pack.key], self.now, self.world.uuid(), reference, returned=True
            )
            self.send(to, [here], by, [pack])
            other = self.world.chance.choice(
                [each for each in self.world.pharmacies if each is not by] or [by]
            )
            self.after(self.world.hours(48, 96), lambda: self.sell(to, other, [pack]))

        self.after(self.world.hours(24, 48), back)

    # ---- scans --------------------------------------------------------------------------------------------------

    def new_box(self) -> int:
        """A number for a physical box: two boxes may have one label."""
        self.boxes += 1
        return self.boxes

    def scan(self, by: Company, pack: Pack, box: int, truth: Truth | None = None) -> str:
        """Scan a box; a scan that the scanner's set-up has spoiled is followed by a good one. The last word."""
        if self.world.happens(self.world.rates.misread):
            data, symbology = self._misread(pack)
            self._told(by, data, symbology, box, truth or Truth.MISREAD)
        if truth is None:
            truth = Truth.COPIED if pack.copied else Truth.PAPERWORK if pack.troubles else Truth.GENUINE
        return self._told(by, pack.scanned, "]d2", box, truth)

    def _told(self, by: Company, data: bytes, symbology: str, box: int, truth: Truth) -> str:
        answer = self.node.check(by, data, symbology)
        self.measure.add(Scan(truth, answer["word"], answer["reason"], self.now, box))
        return str(answer["word"])

    def _misread(self, pack: Pack) -> tuple[bytes, str]:
        """A separator lost; capitals for small letters and the other way; a symbol read as if it were no GS1 symbol."""
        kind = self.world.chance.randrange(3)
        if kind == 0:
            return pack.scanned.replace(b"\x1d", b""), "]d2"
        if kind == 1:
            return pack.scanned.swapcase(), "]d2"
        return pack.scanned, "]d1"
