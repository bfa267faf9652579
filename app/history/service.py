"""The story of a package: every event about it, and the moves of whatever it was inside at the time.

A party reads the events that name it. Of a package that concerns it, the others are there too, without names or
places: 'earlier holder, proven'. What does not concern it is not found, as if there were nothing.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, text

from app.custody import loading
from app.custody import service as custody
from app.custody.items import item_name
from app.custody.loading import Loaded
from app.custody.service import FoundAbout
from app.erasable import notices
from app.partners import service as partners
from app.products import service as products
from app.products.service import Product
from ledger.custody.act import gln_of
from ledger.custody.state import Item
from ledger.store.sql.types import from_micros

MOST_EVENTS = 5_000
"""Events of one story; an evidence file takes twice as many."""

# The item, and around it every container with the time it was in there: [f, t) in custody's order. Anybody can report
# any package as often as he likes: where there are too many events, each party's first are told, as many of one as of
# the other, so that nobody's reports push out what others did.
_STORY = """
WITH RECURSIVE around (item_id, f, t) AS (
    SELECT CAST(:item_id AS BIGINT), CAST(-9223372036854775807 AS BIGINT), CAST(9223372036854775807 AS BIGINT)
    UNION
    SELECT c.parent, {later}(a.f, c.f), {earlier}(a.t, c.t)
    FROM around a JOIN contained c ON c.child = a.item_id
    WHERE c.f < a.t AND c.t > a.f
),
named AS (
    SELECT e.seq, e.by_id, e.pos,
           COALESCE(MAX(CASE WHEN a.item_id = :item_id THEN a.item_id END), MIN(a.item_id)) AS via
    FROM around a
    JOIN event_epc x ON x.item_id = a.item_id
    JOIN event e ON e.seq = x.seq AND e.pos >= a.f AND e.pos < a.t
    GROUP BY e.seq, e.by_id, e.pos
),
fair AS (
    SELECT seq, via, ROW_NUMBER() OVER (PARTITION BY by_id ORDER BY pos, seq) AS nth, COUNT(*) OVER () AS known
    FROM named
    ORDER BY nth, seq
    LIMIT :most
)
SELECT e.seq, e.idx, e.ev_no, e.event_id, e.declared_at, e.pos, e.event_time, e.record_time, e.type, e.action,
       e.biz_step, e.disposition, e.read_point, e.biz_location, e.by_id, e.sender_id, e.recipient_id, e.seller_id,
       e.buyer_id, e.effective, d.signer, d.channel, f.via, f.known
FROM fair f
JOIN event e ON e.seq = f.seq
JOIN document d ON d.doc_id = e.doc_id
ORDER BY e.pos, e.event_id, e.seq
"""

# By its maker first: whoever else says that he made it may say it as often as he likes.
_BEGINNINGS = text(
    """
SELECT DISTINCT e.seq, e.idx, e.by_id, e.sender_id, e.recipient_id, e.seller_id, e.buyer_id, e.pos,
       CASE WHEN e.by_id = i.maker_id THEN 0 ELSE 1 END AS by_other
FROM item i
JOIN event_epc x ON x.item_id = i.item_id
JOIN event e ON e.seq = x.seq
WHERE i.item_id = :item_id AND e.biz_step = 'commissioning' AND e.declared_at = 0 AND NOT EXISTS (
    SELECT 1 FROM event w WHERE w.by_id = e.by_id AND w.event_id = e.event_id AND w.declared_at <> 0
)
ORDER BY by_other, e.pos, e.seq
LIMIT 100
"""
).bindparams(bindparam("item_id", type_=BigInteger))


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the story. `via` is the container it happened to, None where it names the package itself.

    `hidden`: the reader may know that it happened and is proven, and not who was in it or where.
    """

    seq: int
    index: int
    event_id: str
    at: datetime
    recorded_at: datetime
    type: str
    action: str | None
    step: str | None
    disposition: str | None
    by: str | None
    by_name: str | None
    to_name: str | None
    place: str | None
    via: str | None
    signed: bool
    channel: str
    declares_error: bool
    declared_wrong: bool
    effective: bool
    hidden: bool
    findings: tuple[FoundAbout, ...]
    erased: tuple[str, ...] = ()  # a sentence for each redaction


@dataclass(frozen=True, slots=True)
class Story:
    """A package, what is true of it now, and how it came to be."""

    subject: str
    item_id: int
    item: Item
    outer: Item
    around: tuple[Item, ...]
    inside: tuple[str, ...]
    product: Product | None
    holder_name: str | None
    owner_name: str | None
    maker_name: str | None
    bound_for_name: str | None
    events: tuple[Told, ...]
    cut: int = 0  # how many events more there are than a story takes
    made_of: tuple[
        str, ...
    ] = ()  # by repackaging, canonical EPCs; to the repackager and the authorities alone
    became: tuple[str, ...] = ()


def story(connection: Connection, subject: str, *, reader: str | None) -> Story | None:
    """The story of the package or container with this canonical EPC, as the party `reader` (GLN) may read it.

    `reader` None reads everything (an inspector, the operator at the command line). None where there is nothing, or
    nothing for this reader.
    """
    loaded = loading.load(connection, [subject])
    item = loaded.world.items.get(subject)
    if item is None:
        return None
    outer = loaded.world.outer(item)
    rows = _rows(connection, loaded.ids[subject])
    glns = partners.glns(connection, {number for row in rows for number in _party_ids(row)})
    if reader is not None and not _concerns(item, outer, reader) and not _was_party(rows, glns, reader):
        return None
    return _tell(connection, loaded, subject, rows, glns, reader)


@dataclass(frozen=True, slots=True)
class Begun:
    """An event by which a package was commissioned: its number, and the index of its entry."""

    seq: int
    index: int


def begun(connection: Connection, subject: str, *, reader: str | None) -> list[Begun]:
    """How the package with this canonical EPC began, as `reader`, whom it concerns, may know it: by its maker
    first, the earliest first.

    What `story` says of it, without the rest of the story: each scan asks for it. What was declared wrong is left out.
    """
    loaded = loading.load(connection, [subject])
    item = loaded.world.items.get(subject)
    if item is None or (reader is not None and not _concerns(item, loaded.world.outer(item), reader)):
        return []
    rows = connection.execute(_BEGINNINGS, {"item_id": loaded.ids[subject]}).all()
    glns = partners.glns(connection, {number for row in rows for number in _party_ids(row)})
    told = [
        row
        for row in rows
        if reader is None
        or glns.get(row.by_id) == item.maker
        or reader in (glns.get(n or 0) for n in _party_ids(row))
    ]
    return [Begun(row.seq, row.idx) for row in told]


def _rows(connection: Connection, item_id: int) -> list[Row[Any]]:
    scalar = {"later": "max", "earlier": "min"}
    if connection.dialect.name == "postgresql":
        scalar = {"later": "greatest", "earlier": "least"}
    query = text(_STORY.format(**scalar)).bindparams(bindparam("item_id", type_=BigInteger))
    return list(connection.execute(query, {"item_id": item_id, "most": MOST_EVENTS}).all())


def _party_ids(row: Row[Any]) -> tuple[int | None, ...]:
    return (row.by_id, row.sender_id, row.recipient_id, row.seller_id, row.buyer_id)


def _concerns(item: Item, outer: Item, reader: str) -> bool:
    return reader in (item.maker, item.ended_by, outer.holder, outer.owner, outer.bound_for, outer.sender)


def _was_party(rows: list[Row[Any]], glns: dict[int, str], reader: str) -> bool:
    """Whether another party's event names `reader`. Its own opens nothing: anybody can report any serial."""
    return any(
        glns.get(row.by_id) != reader and reader in (glns.get(n or 0) for n in _party_ids(row))
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _About:
    """What all events of a package are told with: who reads, names, findings and redactions by event."""

    item_id: int
    item: Item
    reader: str | None
    shown: bool  # the reader has to do with the package, and not with some of its events alone
    glns: Mapping[int, str]
    names: Mapping[str, str]
    keys: Mapping[int, str]
    found: Mapping[int, Sequence[FoundAbout]]
    erased: Mapping[tuple[int, str], Sequence[notices.Notice]]
    wrong: Set[tuple[int, str]]

    def may_read(self, row: Row[Any]) -> bool:
        """Whether the reader is named by the event. Who holds a package may know who made it, too."""
        made = self.shown and row.biz_step == "commissioning" and self.glns.get(row.by_id) == self.item.maker
        return self.reader is None or made or self.reader in (self.glns.get(n or 0) for n in _party_ids(row))


def _tell(
    connection: Connection,
    loaded: Loaded,
    subject: str,
    rows: list[Row[Any]],
    glns: dict[int, str],
    reader: str | None,
) -> Story:
    item_id = loaded.ids[subject]
    item = loaded.world.item(subject)
    outer = loaded.world.outer(item)
    found: dict[int, list[FoundAbout]] = {}
    for each in custody.findings_of(connection, (row.seq for row in rows)):
        found.setdefault(each.seq, []).append(each)
    places = {gln for row in rows if (gln := gln_of(row.read_point or row.biz_location))}
    parties = {gln for gln in (item.maker, outer.holder, outer.owner, outer.bound_for) if gln}
    names = partners.names(connection, places | parties | set(glns.values()))
    shown = reader is None or _concerns(item, outer, reader)
    about = _About(
        item_id=item_id,
        item=item,
        reader=reader,
        shown=shown,
        glns=glns,
        names=names,
        keys=custody.keys_of(connection, {row.via for row in rows}),
        found=found,
        erased=notices.of(connection, [row.event_id for row in rows]),
        wrong={(row.by_id, row.event_id) for row in rows if row.declared_at},
    )
    gtin = item_name(subject).gtin
    return Story(
        subject=subject,
        item_id=item_id,
        item=item,
        outer=outer,
        around=loaded.world.around(item) if shown else (),
        inside=tuple(loaded.world.path(item)) if shown else (),
        product=products.by_gtins(connection, [gtin]).get(gtin) if gtin else None,
        holder_name=names.get(outer.holder or "") if shown else None,
        owner_name=names.get(outer.owner or "") if shown else None,
        maker_name=names.get(item.maker or ""),
        bound_for_name=names.get(outer.bound_for or "") if shown else None,
        events=tuple(_event(row, about) for row in rows),
        cut=max((row.known for row in rows), default=0) - len(rows),
        made_of=_repacked(custody.repacked_from(connection, item_id)) if reader in (None, item.maker) else (),
        became=_repacked(custody.repacked_into(connection, item_id))
        if reader in (None, item.ended_by)
        else (),
    )


def _repacked(others: Sequence[custody.Repacked]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.key for each in others))


def _event(row: Row[Any], about: _About) -> Told:
    """An event as the reader may read it: of one that is not his, that it was, when and what."""
    mine = about.may_read(row)
    names = about.names
    place = gln_of(row.read_point or row.biz_location)
    by, to = about.glns.get(row.by_id), about.glns.get(row.recipient_id or 0)
    told = Told(
        seq=row.seq,
        index=row.idx,
        event_id=row.event_id,
        at=from_micros(row.event_time),
        recorded_at=from_micros(row.record_time),
        type=row.type,
        action=row.action,
        step=row.biz_step,
        disposition=row.disposition,
        by=None,
        by_name=None,
        to_name=None,
        place=None,
        via=None,
        signed=row.signer is not None,
        channel=row.channel,
        declares_error=bool(row.declared_at),
        declared_wrong=not row.declared_at and (row.by_id, row.event_id) in about.wrong,
        effective=bool(row.effective),
        hidden=not mine,
        findings=(),
    )
    if not mine:
        return told
    return replace(
        told,
        by=by,
        by_name=names.get(by or ""),
        to_name=names.get(to or ""),
        place=names.get(place, place) if place else None,
        via=about.keys[row.via] if row.via != about.item_id else None,
        findings=tuple(f for f in about.found.get(row.seq, ()) if f.item_id in (None, about.item_id)),
        erased=tuple(each.text for each in about.erased.get((row.idx, row.event_id), ())),
    )
