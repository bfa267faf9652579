"""D18: more of a lot is about than was made of it. Counted when somebody looks.

A serial counts once, however often it was asked about, and also where it does not match: a label that claims the lot is
about, whoever printed it::

    volumes(connection, "0399999000017", since)  ->  [Volume("00399999001014", "A1042", made=80, about=131, back=12)]
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from app.custody.lots import made_of_lots
from app.vrs.models import vrs_request
from app.vrs.rules import Sign, volume

RETURN = "dscsaSaleableReturn"
MOST_LOTS = 500  # of a maker's, those asked about most


@dataclass(frozen=True, slots=True)
class Volume:
    """A lot in numbers: packages commissioned, serials asked about as of this lot, and of those as returns."""

    gtin: str
    lot: str
    made: int
    about: int
    back: int

    @property
    def sign(self) -> Sign | None:
        """What rule D18 says of it."""
        return volume(self.made, self.about, self.back)


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
    found = (Volume(row.gtin, row.lot, made.get((row.gtin, row.lot), 0), row.about, row.back) for row in rows)
    # A lot that was never made here is no volume: each of its serials is told as never given.
    return [each for each in found if each.made and each.sign is not None]
