"""Serial Shipping Container Code: which pallet, tote or parcel.

18 digits: extension digit, company prefix, serial reference, check digit. An SSCC may be used again after a year, so
a shipment is known by its SSCC *and* its shipping event, never by the SSCC alone::

    103999990000000014
    https://id.gs1.org/00/103999990000000014          canonical
    urn:epc:id:sscc:0399999.1000000001                EPC URN for a company prefix of 7 digits
"""

from dataclasses import dataclass

from ledger.gs1.check_digit import require_key
from ledger.gs1.company_prefix import require_gcp_length


@dataclass(frozen=True, slots=True, order=True)
class Sscc:
    """An SSCC with a valid check digit (GS1 General Specifications, section 3.3.1).

    Raises:
        Gs1Error: ``empty``, ``charset``, ``length`` or ``check_digit``.
    """

    digits: str

    def __post_init__(self) -> None:
        require_key(self.digits, 18, "SSCC")

    @classmethod
    def parse(cls, text: str) -> "Sscc":
        """Read 18 digits; the same as the constructor, named as everywhere else."""
        return cls(text)

    @property
    def canonical(self) -> str:
        """The key under which this container is stored: an uncompressed GS1 Digital Link."""
        return f"https://id.gs1.org/00/{self.digits}"

    def urn(self, gcp_length: int) -> str:
        """The EPC URN for a company prefix of `gcp_length` digits (Tag Data Standard, section 6.3.2).

        Raises:
            Gs1Error: ``company_prefix``.
        """
        require_gcp_length(gcp_length)
        digits, end = self.digits, 1 + gcp_length
        return f"urn:epc:id:sscc:{digits[1:end]}.{digits[0]}{digits[end:17]}"

    def __str__(self) -> str:
        return self.digits
