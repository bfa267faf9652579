"""Impossible travel (domain reference, section 8, D2): seen here, and so soon after so far away.

A place is written ``latitude,longitude`` in degrees with five decimals (about a metre), which is how an act carries it
and how it is stored::

    place_text(40.7128, -74.006)                               "40.71280,-74.00600"
    travel(Sighting(p, new_york), Sighting(q, chicago))        None, or a Journey that nothing on earth makes

Whoever captures an event knows where its read point lies; what was known then is kept beside the event, so that
projecting it again gives the same. A place that is not known is nowhere, and nothing is said about it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ledger.custody.event import time_of

LIMIT_KM_PER_HOUR = 900.0
"""As fast as freight flies (domain reference, section 8)."""
NEAR_KM = 100.0
"""Nearer than this nothing is said: two docks of one town, and a site that is entered with the town's centre."""
CLOCK_SLACK_SECONDS = 900
"""How far two clocks may be apart before a journey counts against the package."""

_EARTH_KM = 6371.0  # mean radius


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where an object was seen: `position` in custody's order, `place` as `place_text` writes it."""

    position: int
    place: str


@dataclass(frozen=True, slots=True)
class Journey:
    """What lies between two sightings: the distance, and the time there was for it."""

    km: float
    hours: float


def place_text(latitude: float, longitude: float) -> str:
    """The place at these degrees (WGS 84). Raises ValueError for what is not on earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError(f"no place on earth: {latitude}, {longitude}")
    # Adding zero turns -0.0 into 0.0: one place has one spelling.
    return f"{round(latitude, 5) + 0.0:.5f},{round(longitude, 5) + 0.0:.5f}"


def is_place(text: str | None) -> bool:
    """Whether `text` is a place as `place_text` writes it."""
    if text is None:
        return False
    try:
        latitude, longitude = (float(part) for part in text.split(","))
        return place_text(latitude, longitude) == text
    except ValueError:
        return False


def travel(
    previous: Sighting, following: Sighting, km_per_hour_limit: float = LIMIT_KM_PER_HOUR
) -> Journey | None:
    """The journey between two sightings where it cannot have been made; None where it can."""
    km = distance_km(previous.place, following.place)
    if km <= NEAR_KM:
        return None
    seconds = abs((time_of(following.position) - time_of(previous.position)).total_seconds())
    possible = km_per_hour_limit * (seconds + CLOCK_SLACK_SECONDS) / 3600
    return None if km <= possible else Journey(km, seconds / 3600)


def distance_km(one: str, other: str) -> float:
    """The great-circle distance between two places."""
    lat_1, lon_1 = (math.radians(float(part)) for part in one.split(","))
    lat_2, lon_2 = (math.radians(float(part)) for part in other.split(","))
    half = math.sin((lat_2 - lat_1) / 2) ** 2
    half += math.cos(lat_1) * math.cos(lat_2) * math.sin((lon_2 - lon_1) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
