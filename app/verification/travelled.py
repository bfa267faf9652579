"""D2 between the record and a scan: scanned where the pack cannot have got to since it was seen last.

The scan's place is its party's. Where a party has several, none of them may be within reach; where somebody has not
entered the position of one of them, nothing is said: the scan may have been there. What counts before it is the last
event at a known place, of the pack or a container around it, and the last scan by another party that has one place.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from app.custody import loading
from app.partners import service as partners
from app.partners.places import Position
from app.verification.models import scan_check
from app.vrs.rules import HEAT_WINDOW, Sign, SignalKind
from ledger.custody.event import position_at
from ledger.custody.findings import Severity
from ledger.custody.state import last_seen
from ledger.custody.travel import Sighting, is_place, place_text, travel


def impossible(connection: Connection, subject: str, asker: str, at: datetime) -> Sign | None:
    """What rule D2 says of a scan of the package `subject` by the party `asker` at `at` (aware)."""
    own = partners.places_of(connection, asker)
    if not own:
        return None
    here = [Sighting(position_at(at), _text(place)) for place in own]
    for before in (*_seen(connection, subject), *_scanned(connection, subject, asker, at)):
        journeys = [travel(before, sighting) for sighting in here]
        made = [journey for journey in journeys if journey is not None]
        if len(made) == len(here):
            nearest = min(made, key=lambda journey: journey.km)
            said = f"scanned {nearest.km:.0f} km away {nearest.hours:.1f} hours after it was seen before"
            return Sign(SignalKind.IMPOSSIBLE_SCAN, Severity.HOLD, said)
    return None


def _text(place: Position) -> str:
    return place_text(*place.degrees)


def _seen(connection: Connection, subject: str) -> Iterator[Sighting]:
    """The last event at a known place, of the package or of what it is in."""
    world = loading.load(connection, [subject]).world
    item = world.items.get(subject)
    if item is not None:
        last = last_seen(item, world.around(item))
        if last.seen_place is not None and is_place(last.seen_place):
            yield Sighting(last.seen_at, last.seen_place)


def _scanned(connection: Connection, subject: str, asker: str, at: datetime) -> Iterator[Sighting]:
    """The last scan of it by another party, where that party has one place."""
    columns = (scan_check.c.party_gln, scan_check.c.at)
    query = select(*columns).where(
        scan_check.c.subject == subject,
        scan_check.c.at > at - HEAT_WINDOW,
        scan_check.c.at <= at,
        scan_check.c.party_gln != asker,
    )
    row = connection.execute(query.order_by(scan_check.c.at.desc()).limit(1)).first()
    places = partners.places_of(connection, row.party_gln) if row is not None else []
    if row is not None and len(places) == 1:
        yield Sighting(position_at(row.at), _text(places[0]))
