"""Who and what the story is about. All numbers are made up, and valid: check digits are computed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from ledger.epcis.document import LocationMaster, ProductMaster
from ledger.gs1.check_digit import check_digit
from ledger.gs1.epc import Lgtin, Sgln, Sgtin
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

LOTS = ("A1042", "B2077", "C3301")
OLD_LOT = "Z0917"  # two packages made long ago, out of date by now
PER_LOT = 80
PER_CASE = 10


def gln(twelve: str) -> str:
    """A GLN from its first twelve digits."""
    return twelve + check_digit(twelve)


@dataclass(frozen=True, slots=True)
class Company:
    """One party of the story. `gcp` is its GS1 company prefix."""

    key: str
    name: str
    kind: str
    gcp: str
    street: str
    city: str
    state: str
    postal_code: str
    licence: str

    @property
    def gln(self) -> str:
        return gln(self.gcp.ljust(12, "0"))

    @property
    def address(self) -> str:
        return f"{self.street}, {self.city}, {self.state} {self.postal_code}"

    @property
    def place(self) -> str:
        """Its place as events name it."""
        return Sgln(Gln(self.gln)).canonical

    def master(self) -> LocationMaster:
        """Its entry in a document's master data."""
        return LocationMaster(
            id=self.place,
            name=self.name,
            street1=self.street,
            city=self.city,
            state=self.state,
            postal_code=self.postal_code,
            country="US",
        )


MAKER = Company(
    "maker",
    "Alder Pharma",
    "maker",
    "0399999",
    "1 Plant Road",
    "Trenton",
    "NJ",
    "08601",
    "FDA:FEI-3001234567",
)
WHOLESALER = Company(
    "wholesaler",
    "Harbor Drug Supply",
    "wholesaler",
    "0860000",
    "20 Dock Street",
    "Louisville",
    "KY",
    "40202",
    "KY Board of Pharmacy:W-20418",
)
PHARMACY = Company(
    "pharmacy",
    "Corner Pharmacy",
    "dispenser",
    "0850001",
    "7 Main Street",
    "Lexington",
    "KY",
    "40507",
    "KY Board of Pharmacy:P-07731",
)
HILLTOP = Company(
    "hilltop",
    "Hilltop Pharmacy",
    "dispenser",
    "0850002",
    "88 Ridge Avenue",
    "Frankfort",
    "KY",
    "40601",
    "KY Board of Pharmacy:P-09125",
)
COMPANIES = (MAKER, WHOLESALER, PHARMACY, HILLTOP)


@dataclass(frozen=True)
class World:
    """The story's things and times, all counted back from `now`."""

    now: datetime

    @classmethod
    def at(cls, now: datetime) -> "World":
        return cls(now.astimezone(UTC).replace(microsecond=0))

    def ago(self, **span: float) -> datetime:
        """A moment before now."""
        return self.now - timedelta(**span)

    @cached_property
    def gtin(self) -> Gtin:
        """The package: NDC 99999-001-01."""
        return Gtin.parse("0039999900101" + check_digit("0039999900101"))

    @cached_property
    def case_gtin(self) -> Gtin:
        """The case of ten: the same with indicator 5."""
        return self.gtin.with_indicator(5)

    @cached_property
    def stranger_gtin(self) -> Gtin:
        """A product whose maker is not on this node."""
        return Gtin.parse("0037777700305" + check_digit("0037777700305"))

    def product(self) -> tuple[ProductMaster, ...]:
        """Master data of package and case."""
        return tuple(
            ProductMaster(
                gtin=each.digits,
                ndc="99999-001-01",
                ndc_type="US_FDA_NDC",
                name="Examplinib",
                manufacturer=MAKER.name,
                dosage_form="TABLET",
                strength="50 mg",
                net_content="30 tablets",
            )
            for each in (self.gtin, self.case_gtin)
        )

    def expiry(self, lot: str) -> date:
        """When a lot expires; the old one ran out two days ago."""
        days = {LOTS[0]: 700, LOTS[1]: 520, LOTS[2]: 610, OLD_LOT: -2}[lot]
        return (self.now + timedelta(days=days)).date()

    def package(self, lot: str, number: int) -> Sgtin:
        """Package `number` (0..79) of a lot."""
        return Sgtin(self.gtin, f"{lot[0]}{7919 * (number + 11) % 100_000:05d}X{number:02d}")

    def packages(self, lot: str) -> list[Sgtin]:
        return [self.package(lot, number) for number in range(PER_LOT)]

    def case(self, lot: str, number: int) -> Sgtin:
        """Case `number` (0..7) of a lot."""
        return Sgtin(self.case_gtin, f"{lot[0]}CASE{number + 1:02d}")

    def cases(self, lot: str) -> list[Sgtin]:
        return [self.case(lot, number) for number in range(PER_LOT // PER_CASE)]

    def in_case(self, lot: str, number: int) -> list[Sgtin]:
        """What is packed into case `number` of a lot."""
        return self.packages(lot)[number * PER_CASE : (number + 1) * PER_CASE]

    @cached_property
    def pallet(self) -> Sscc:
        """The maker's pallet of 24 cases."""
        return _sscc(MAKER.gcp, 1, 1)

    @cached_property
    def small_pallet(self) -> Sscc:
        """The wholesaler's second delivery to the pharmacy."""
        return _sscc(WHOLESALER.gcp, 1, 7)

    def lot_class(self, lot: str) -> Lgtin:
        return Lgtin(self.gtin, lot)

    def gcp_length(self, canonical: str) -> int | None:
        """The length of the company prefix in an identifier of this world: all have seven digits."""
        return 7


def _sscc(gcp: str, extension: int, reference: int) -> Sscc:
    data = f"{extension}{gcp}{reference:0{16 - len(gcp)}d}"
    return Sscc.parse(data + check_digit(data))
