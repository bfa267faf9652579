"""What other features ask of custody: where an item is, what was found about an event, what an item is called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, select

from app.custody import asked, authorized, carried
from app.custody.items import ItemName
from app.custody.models import finding, item, lineage
from app.devices.models import party_key
from app.events.models import document, event
from app.partners import service as partners
from app.shared.chunks import chunks
from ledger.custody.findings import SEVERITY, FindingCode, Severity
from ledger.custody.lineage import Side
from ledger.custody.order import DECLARED_BY_OTHER
from ledger.signing.keyrecord import Action as KeyAction

MOST_REPACKED = 10_000

# Made once: they are asked at every capture, and to make one takes longer than to run it.
_SEQS = bindparam("seqs", expanding=True)
_said, _same = event.alias("said"), event.alias("same")
_own, _other = lineage.alias("own"), lineage.alias("other")

_OF_OTHERS = (
    select(event.c.seq)
    .where(
        event.c.declared_at != 0,
        exists().where(
            _same.c.event_id == event.c.event_id, _same.c.declared_at == 0, _same.c.by_id != event.c.by_id
        ),
        ~exists().where(
            _said.c.event_id == event.c.event_id, _said.c.declared_at == 0, _said.c.by_id == event.c.by_id
        ),
        event.c.seq.in_(_SEQS),
    )
    .order_by(event.c.seq)
)
_WRITTEN = select(finding).where(finding.c.seq.in_(_SEQS)).order_by(finding.c.finding_id)
_SUSPECT = (
    select(event.c.seq, party_key.c.label, party_key.c.suspect_since)
    .join(document, document.c.doc_id == event.c.doc_id)
    .join(party_key, party_key.c.thumbprint == document.c.signer)
    .where(
        event.c.seq.in_(_SEQS),
        party_key.c.action == KeyAction.REVOKE.value,
        party_key.c.suspect_since <= event.c.idx,
    )
    .order_by(event.c.seq)
)
_NAMES = select(item.c.item_id, item.c.ns, item.c.serial).where(
    item.c.item_id.in_(bindparam("numbers", expanding=True))
)
_REPACKED = (
    select(_other.c.item_id, _other.c.seq, _other.c.reference)
    .select_from(_own)
    .join(_other, (_other.c.reference == _own.c.reference) & (_other.c.side != _own.c.side))
    .join(_said, _said.c.seq == _own.c.seq)
    .join(_same, (_same.c.seq == _other.c.seq) & (_same.c.by_id == _said.c.by_id))
    .order_by(_other.c.item_id, _other.c.seq)
    .limit(MOST_REPACKED)
)


@dataclass(frozen=True, slots=True)
class FoundAbout:
    """A finding as it is stored: about which event, item and container, by their numbers."""

    seq: int
    code: FindingCode
    severity: Severity
    message: str
    item_id: int | None
    container_id: int | None


def findings_of(connection: Connection, seqs: Iterable[int]) -> list[FoundAbout]:
    """The findings about the events with these numbers, in the order in which they were made."""
    found: list[FoundAbout] = []
    for chunk in chunks(sorted(set(seqs))):
        found += [
            FoundAbout(
                row.seq,
                FindingCode(row.code),
                Severity(row.severity),
                row.message,
                row.item_id,
                row.container_id,
            )
            for row in connection.execute(_WRITTEN, {"seqs": chunk})
        ]
        found += _suspect(connection, chunk)
        found += _of_others(connection, chunk)
        found += _unauthorized(connection, chunk)
        for seq, each, about in (
            *asked.told_late(connection, chunk),
            *_of_shipments(connection, chunk),
        ):
            found.append(FoundAbout(seq, each.code, each.severity, each.message, about, None))
    return found


def _of_shipments(connection: Connection, seqs: Sequence[int]) -> list[asked.Found]:
    """What is found of those of these events that send something away, by what it carried."""
    sent = asked.sent(connection, seqs)
    if not sent:
        return []
    return [
        *asked.of_recalled_lots(connection, sent),
        *carried.of_stopped_contents(connection, sent),
        *carried.outside_market(connection, sent),
    ]


def with_findings(connection: Connection, after: int, most: int) -> list[int]:
    """The numbers of the next events above `after` about which a finding is written, ascending, `most` at most."""
    query = select(finding.c.seq).where(finding.c.seq > after).distinct().order_by(finding.c.seq)
    return list(connection.execute(query.limit(most)).scalars())


def _suspect(connection: Connection, seqs: Sequence[int]) -> list[FoundAbout]:
    """What was signed by a key in doubt: it follows from the revocation, and is never written beside the event."""
    code = FindingCode.KEY_SUSPECT
    return [
        FoundAbout(
            row.seq,
            code,
            SEVERITY[code],
            f"signed by {row.label}, which was revoked and is in doubt since entry {row.suspect_since}",
            None,
            None,
        )
        for row in connection.execute(_SUSPECT, {"seqs": seqs})
    ]


@dataclass(frozen=True, slots=True)
class KeyInDoubt:
    """A revoked key of a party, since which entry it is in doubt, and how many events it signed since."""

    thumbprint: bytes
    party_gln: str
    label: str
    since: int
    events: int


def keys_in_doubt(connection: Connection) -> list[KeyInDoubt]:
    """The keys that were revoked after they had signed events which are in doubt now."""
    columns = (party_key.c.thumbprint, party_key.c.party_id, party_key.c.label, party_key.c.suspect_since)
    query = (
        select(*columns, func.count().label("events"))
        .join(document, document.c.signer == party_key.c.thumbprint)
        .join(event, event.c.doc_id == document.c.doc_id)
        .where(
            party_key.c.action == KeyAction.REVOKE.value,
            party_key.c.suspect_since.is_not(None),
            event.c.idx >= party_key.c.suspect_since,
        )
        .group_by(*columns)
        .order_by(party_key.c.thumbprint)
    )
    rows = connection.execute(query).all()
    glns = partners.glns(connection, {row.party_id for row in rows})
    return [
        KeyInDoubt(bytes(row.thumbprint), glns[row.party_id], row.label, row.suspect_since, row.events)
        for row in rows
        if row.party_id is not None
    ]


def _unauthorized(connection: Connection, seqs: Sequence[int]) -> list[FoundAbout]:
    """Who was no authorized trading partner then: it follows from the licences as they are known now."""
    code = FindingCode.UNAUTHORIZED_PARTY
    return [
        FoundAbout(each.seq, code, SEVERITY[code], each.message, None, None)
        for each in authorized.unauthorized(connection, seqs)
    ]


def _of_others(connection: Connection, seqs: Sequence[int]) -> list[FoundAbout]:
    """Error declarations of what only another party has said. Whether there is such an event may change with every
    document, so it is asked and never written."""
    code = DECLARED_BY_OTHER.code
    found = connection.execute(_OF_OTHERS, {"seqs": seqs}).scalars()
    return [FoundAbout(seq, code, SEVERITY[code], DECLARED_BY_OTHER.message, None, None) for seq in found]


def keys_of(connection: Connection, item_ids: Iterable[int | None]) -> dict[int, str]:
    """The canonical EPCs of the items with these numbers."""
    found: dict[int, str] = {}
    for chunk in chunks(sorted({number for number in item_ids if number is not None})):
        rows = connection.execute(_NAMES, {"numbers": chunk})
        found |= {row.item_id: ItemName(row.ns, row.serial).key for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class Repacked:
    """A package that went into another one, or came of one: its canonical EPC, by the word of whom, in which event."""

    item_id: int
    key: str
    seq: int
    reference: str


def repacked_from(connection: Connection, item_id: int) -> list[Repacked]:
    """The packages that this one was made of by repackaging, as far as their holder said so."""
    return _other_side(connection, item_id, Side.NEW)


def repacked_into(connection: Connection, item_id: int) -> list[Repacked]:
    """The packages that were made of this one by repackaging."""
    return _other_side(connection, item_id, Side.OLD)


def _other_side(connection: Connection, item_id: int, own_side: Side) -> list[Repacked]:
    """What is on the other side of the repackings that an item is on `own_side` of, each by one party's word."""
    query = _REPACKED.where(_own.c.item_id == item_id, _own.c.side == int(own_side))
    rows = connection.execute(query).all()
    keys = keys_of(connection, (row.item_id for row in rows))
    return [Repacked(row.item_id, keys[row.item_id], row.seq, row.reference) for row in rows]


def senders_of(connection: Connection, item_ids: Iterable[int]) -> dict[int, int | None]:
    """Who the items with these numbers came from last, by the number of the party."""
    found: dict[int, int | None] = {}
    for chunk in chunks(sorted(set(item_ids))):
        query = select(item.c.item_id, item.c.sender_id).where(item.c.item_id.in_(chunk))
        found |= dict(connection.execute(query).all())
    return found


def of_lot(connection: Connection, lot_id: int) -> list[int]:
    """The numbers of all packages of a lot, by the number of the lot's item."""
    return list(connection.execute(select(item.c.item_id).where(item.c.lot_id == lot_id)).scalars())
