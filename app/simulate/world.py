"""Who trades in a simulation, and what is physically true of each pack: what no node knows.

    world = World.make(Rates(), seed=7)
    world.pharmacies[0].gln, world.lot(maker, rng) -> a lot's packs in their cases

All numbers are made up and valid: check digits are computed. Everything follows from the seed.
"""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from ledger.gs1.check_digit import check_digit
from ledger.gs1.epc import Sgln, Sgtin
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

PER_CASE: Final = 8
# Without the letters and digits that people and keyboards confuse: what differs only in those is a typing error.
_ALPHABET: Final = "ABCDEFGHKLMNPRTUVWX2345679"
_SERIAL_LENGTH: Final = 9


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things go wrong: each a share of 1, of what it says."""

    late: float = 0.15  # documents that come one to four days after the goods
    wrong: float = 0.12  # shipping documents with an error that is put right days later
    misread: float = 0.02  # scans spoiled by the scanner's set-up
    returned: float = 0.03  # packs that a pharmacy sends back
    copied: float = 0.012  # genuine packs whose label is copied onto another box
    invented: float = 0.004  # boxes with a made-up serial, a genuine pack
    refilled: float = 0.006  # dispensed packs whose box is filled again and sold elsewhere

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, from 0 to 1")


@dataclass(frozen=True, slots=True)
class Company:
    """One company. `gcp` is its GS1 company prefix."""

    gcp: str
    name: str
    kind: str
    gtins: tuple[str, ...] = ()

    @property
    def gln(self) -> str:
        twelve = self.gcp.ljust(12, "0")
        return twelve + check_digit(twelve)

    @property
    def place(self) -> str:
        """Its place as events name it."""
        return Sgln(Gln(self.gln)).canonical


@dataclass(eq=False, slots=True)
class Pack:
    """One box, genuine or not. `at` is where it physically is; `troubles` is what went wrong in its papers."""

    gtin: str
    serial: str
    lot: str
    expiry: date
    maker: Company
    at: Company | None = None
    dispensed_at: datetime | None = None
    troubles: set[str] = field(default_factory=set)
    copied: bool = False

    @property
    def key(self) -> str:
        """Its canonical EPC."""
        return Sgtin(Gtin.parse(self.gtin), self.serial).canonical

    @property
    def scanned(self) -> bytes:
        """What a scanner reads of its label."""
        return f"01{self.gtin}21{self.serial}\x1d17{self.expiry:%y%m%d}10{self.lot}".encode()


@dataclass(eq=False, slots=True)
class Case:
    """A case and the packs physically in it."""

    key: str
    packs: list[Pack]


@dataclass(frozen=True, slots=True)
class World:
    """The companies of one simulation, and its chance."""

    rates: Rates
    chance: random.Random
    makers: tuple[Company, ...]
    wholesalers: tuple[Company, ...]
    pharmacies: tuple[Company, ...]
    _numbers: list[int] = field(default_factory=lambda: [0])

    @classmethod
    def make(
        cls, rates: Rates, seed: int, *, makers: int = 2, wholesalers: int = 2, pharmacies: int = 6
    ) -> "World":
        """A world of so many companies (1 to 50 of each)."""
        for count in (makers, wholesalers, pharmacies):
            if not 1 <= count <= 50:
                raise ValueError("1 to 50 companies of each kind")

        def company(kind: str, number: int, gtins: int = 0) -> Company:
            gcp = f"03{ {'maker': 1, 'wholesaler': 2, 'dispenser': 3}[kind] }{number:04d}"
            items = (f"0{gcp}{item:05d}"[:13] for item in range(101, 101 + gtins))
            return Company(
                gcp, f"{kind.title()} {number}", kind, tuple(each + check_digit(each) for each in items)
            )

        return cls(
            rates,
            # Not for secrets: a simulation must be the same each time.
            random.Random(seed),  # noqa: S311
            tuple(company("maker", number, 2) for number in range(makers)),
            tuple(company("wholesaler", number) for number in range(wholesalers)),
            tuple(company("dispenser", number) for number in range(pharmacies)),
        )

    @property
    def companies(self) -> tuple[Company, ...]:
        return (*self.makers, *self.wholesalers, *self.pharmacies)

    def happens(self, share: float) -> bool:
        """Whether something that happens to `share` of all happens now."""
        return self.chance.random() < share

    def hours(self, least: float, most: float) -> timedelta:
        """A span between two numbers of hours."""
        return timedelta(seconds=round(3600 * self.chance.uniform(least, most)))

    def serial(self) -> str:
        """A serial that no pack has; makers choose them at random, as they should."""
        return "".join(self.chance.choices(_ALPHABET, k=_SERIAL_LENGTH))

    def number(self) -> int:
        """The next number: for references and logistic units."""
        self._numbers[0] += 1
        return self._numbers[0]

    def sscc(self, company: Company) -> str:
        """A logistic unit of `company` that was never there, as its canonical EPC."""
        data = f"1{company.gcp}{self.number():0{16 - len(company.gcp)}d}"
        return Sscc.parse(data + check_digit(data)).canonical

    def uuid(self) -> str:
        """An event id that follows from the seed."""
        digits = f"{self.chance.getrandbits(128):032x}"
        return "urn:uuid:" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def lot(self, maker: Company, now: datetime, cases: int) -> list[Case]:
        """A new lot of `maker`, packed."""
        gtin, lot = self.chance.choice(maker.gtins), f"L{self.number():05d}"
        expiry = (now + timedelta(days=self.chance.randint(200, 900))).date()

        def packs() -> list[Pack]:
            return [Pack(gtin, self.serial(), lot, expiry, maker, at=maker) for _ in range(PER_CASE)]

        return [Case(self.sscc(maker), packs()) for _ in range(cases)]
