"""Where something is: its address as transaction information names it, and its position on earth. Pure.

    Address("1 Plant Road", "Trenton", "NJ", "08601", "US").line   ->  "1 Plant Road, Trenton, NJ 08601, US"
    Position.parse("40.7128,-74.0060")                             ->  Position(40712800, -74006000)

A position is kept in millionths of a degree (11 cm), so that two databases keep the same number.
"""

import re
from dataclasses import dataclass, fields

PLACE = ("address", "city", "state", "postal_code", "country")
"""The columns of an address, in the order of `Address`."""
UDEG = 1_000_000
_DEGREES = re.compile(
    r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,9})?)\s*,\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,9})?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Address:
    """`address` is the street, or all of it where nobody has taken it apart; `country` ISO 3166-1 alpha-2."""

    address: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""

    @property
    def line(self) -> str:
        """All of it in one line; empty where nothing is known."""
        region = " ".join(part for part in (self.state, self.postal_code) if part)
        return ", ".join(part for part in (self.address, self.city, region, self.country) if part)

    def columns(self) -> dict[str, str]:
        """Its values by column."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Position:
    """A place on earth in millionths of a degree, WGS 84: north and east count up."""

    latitude_udeg: int
    longitude_udeg: int

    def __post_init__(self) -> None:
        if abs(self.latitude_udeg) > 90 * UDEG or abs(self.longitude_udeg) > 180 * UDEG:
            raise ValueError("a latitude is -90 to 90 degrees, a longitude -180 to 180")

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read ``LATITUDE,LONGITUDE`` in decimal degrees. Raises ValueError."""
        match = _DEGREES.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is no position: write latitude and longitude, 40.7128,-74.0060")
        return cls(*(round(float(part) * UDEG) for part in match.groups()))

    @property
    def degrees(self) -> tuple[float, float]:
        """Latitude and longitude in degrees."""
        return self.latitude_udeg / UDEG, self.longitude_udeg / UDEG

    def columns(self) -> dict[str, int]:
        return {"latitude_udeg": self.latitude_udeg, "longitude_udeg": self.longitude_udeg}
