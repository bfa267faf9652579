"""D18: more of a lot is about than was made of it, or more comes back than was sold. Counted when its maker looks, and
by ``packproof sweep``.

A serial counts once, however often it was asked about, and also where it does not match: a label that claims the lot is
about, whoever printed it::

    volumes(connection, "0399999000017", since)  ->  [Volume("00399999001014", "A1042", made=80, about=131, back=12)]
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from sqlalchemy import Connection, case, func, select

from app.custody.loading import find_ids
from app.custody.lots import made_of_lots
from app.custody.whereabouts import Population, shipped_to
from app.partners import service as partners
from app.shared.clock import Clock
from app.vrs.models import vrs_request
from app.vrs.rules import Sign, volume
from app.vrs.signals import Noticed, note

RETURN = "dscsaSaleableReturn"
WINDOW = timedelta(days=30)
MOST_COUNTED = 50  # lots of which is counted how many were sold, those of which most came back
MOST_LOTS = 500  # of a maker's, those asked about most


@dataclass(frozen=True, slots=True)
class Volume:
    """A lot in numbers: packages commissioned, serials asked about as of this lot, and of those as returns; packages
    that its maker has shipped to others, where any came back."""

    gtin: str
    lot: str
    made: int
    about: int
    back: int
    sold: int | None = None

    @property
    def sign(self) -> Sign | None:
        """What rule D18 says of it."""
        return volume(self.made, self.about, self.back, self.sold)


def volumes(connection: Connection, maker: str, since: datetime) -> list[Volume]:
    """The lots of which more was asked about since then than was made, of the maker with this GLN."""
    serial = vrs_request.c.serial
    about, back = (
        func.count(serial.distinct()),
        func.count(case((vrs_request.c.context == RETURN, serial)).distinct()),
    )
    query = (
        select(vrs_request.c.gtin, vrs_request.c.lot, about.label("about"), back.label("back"))
        .where(
            vrs_request.c.responder == maker, vrs_request.c.direction == "in", vrs_request.c.at >= since,
            vrs_request.c.lot != "",
        )
        .group_by(vrs_request.c.gtin, vrs_request.c.lot)
        .order_by(about.desc(), vrs_request.c.gtin, vrs_request.c.lot)
        .limit(MOST_LOTS)
    )  # fmt: skip
    rows = connection.execute(query).all()
    made = made_of_lots(connection, [(row.gtin, row.lot) for row in rows])
    returned = sorted((row for row in rows if row.back), key=lambda row: -row.back)[:MOST_COUNTED]
    sold = _sold(connection, maker, [(row.gtin, row.lot) for row in returned])
    found = (
        Volume(row.gtin, row.lot, made.get(lot, 0), row.about, row.back, sold.get(lot))
        for row in rows
        for lot in [(row.gtin, row.lot)]
    )
    # A lot that was never made here is no volume: each of its serials is told as never given.
    return [each for each in found if each.made and each.sign is not None]


def _sold(connection: Connection, maker: str, lots: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many packages of each of these lots their maker has shipped to others, whatever they were in."""
    party = partners.by_gln(connection, maker)
    keys = {(gtin, lot): f"https://id.gs1.org/01/{gtin}/10/{quote(lot, safe='')}" for gtin, lot in lots}
    numbers = find_ids(connection, keys.values())
    if party is None:
        return {}
    return {
        lot: sum(shipped_to(connection, Population(lots=(numbers[key],)), party.party_id).values())
        for lot, key in keys.items()
        if key in numbers
    }


def note_all(connection: Connection, clock: Clock, window: timedelta = WINDOW) -> int:
    """Keep as a sign each lot, of whichever maker, of which more is about now than was made; how many there are. So
    that it is noticed though nobody looks."""
    now = clock.now()
    query = select(vrs_request.c.responder).where(
        vrs_request.c.direction == "in", vrs_request.c.at >= now - window, vrs_request.c.responder != ""
    )
    noticed = [
        Noticed(sign, f"https://id.gs1.org/01/{each.gtin}/10/{quote(each.lot, safe='')}", maker, "", now)
        for maker in connection.execute(query.distinct()).scalars().all()
        for each in volumes(connection, maker, now - window)
        if (sign := each.sign) is not None
    ]
    note(connection, noticed)
    return len(noticed)
