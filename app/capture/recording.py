"""What one capture writes, inside the committer's transaction and under the ledger's lock: entry, events, projection.

The same content again writes nothing and gives the first receipt. A first signature over what was recorded unsigned
adds an entry that endorses it. Anything that contradicts what stands raises, and the savepoint takes it all back.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from app.capture import adopting
from app.capture.known import (
    NOT_YET,
    Known,
    declared_at,
    known_events,
    same_document,
    waiting_events,
)
from app.capture.prepared import (
    EventReceipt,
    InProgress,
    OtherContent,
    PreparedCapture,
    PreparedEvent,
    Receipt,
)
from app.custody import authorized, projector, writing
from app.custody import service as custody
from app.custody.loading import Named
from app.devices import chains
from app.devices import service as devices
from app.erasable.vault import keep as keep_erasable
from app.erasable.vault import same_but_erased
from app.errors import Invalid
from app.events.acts import StoredAct
from app.events.models import document, endorsement, event, event_epc
from app.events.roles import roles_of
from app.exceptions import service as exceptions
from app.partners import service as partners
from app.products import service as products
from app.recalls import captured as recalls
from app.shared.clock import Clock
from app.shared.rows import insert_rows
from ledger.custody.act import gln_of
from ledger.custody.findings import INNOCENT, Finding
from ledger.custody.stored import pack_fields
from ledger.log.entry import Entry
from ledger.store.port import Draft
from ledger.store.sql.types import to_micros
from ledger.store.sql.writer import SqlWriter

# Made once: to make one takes longer than to run it.
_NEW_DOCUMENT = insert(document)
_LAST_EVENT = select(func.max(event.c.seq))


def record(connection: Connection, writer: SqlWriter, clock: Clock, capture: PreparedCapture) -> Receipt:
    """Write `capture` and bring custody up to date. Raises `OtherContent`, `Refused` for a key that may not sign."""
    now = clock.now()
    _refuse_doubles(capture)
    parties = _party_ids(connection, clock, capture)
    by_id = parties[capture.by]
    keys = [(e.act.event.id, declared_at(e.act.event)) for e in capture.events]
    known = [
        each or waiting
        for each, waiting in zip(
            known_events(connection, by_id, keys), waiting_events(connection, by_id, keys), strict=True
        )
    ]
    clashing = [
        e.act.event.id
        for e, k in zip(capture.events, known, strict=True)
        if k and k.digest != e.digest and not same_but_erased(connection, k.index, e.act.event, k.digest)
    ]
    if clashing:
        raise OtherContent(clashing)
    endorsed = [k for k in known if k and capture.signer and not k.signed]
    if any(k.seq == NOT_YET for k in endorsed):
        raise InProgress()
    adopted = adopting.adopted(connection, writer, capture, known, now)
    if all(known) and not endorsed and adopted is None and known:
        # A client that lost the answer sends the same statement again, and gets the answer to that one.
        stands = None
        if capture.signer:
            stands = writer.find_statement(capture.statement)
            if stands is None:
                stands = same_document(connection, by_id, capture.raw_sha256, capture.signer)
        return _first_receipt(writer, capture, [k for k in known if k], stands)
    if not capture.events:
        again = same_document(connection, by_id, capture.raw_sha256, capture.signer)
        if again is not None:
            return _first_receipt(writer, capture, [], again)
    entry, doc_id, chained = append_document(connection, writer, now, capture, by_id)
    if capture.signer is not None:
        endorse(connection, known, entry.index)
    if adopted is not None and adopted not in endorsed:
        write_endorsements(connection, [(adopted.seq, 0)], entry.index)
    fresh = [
        (number, e) for number, (e, k) in enumerate(zip(capture.events, known, strict=True)) if k is None
    ]
    named = insert_events(connection, fresh, doc_id, entry.index, parties, now)
    products.learn(connection, clock, capture.document.products, by_id)
    findings = project_events(connection, clock, fresh, named)
    if adopted is not None:
        findings = _project(connection, clock, *adopting.let_in(connection, adopted))
    numbers = {number: seq for (number, _), seq in zip(fresh, named.seqs, strict=True)}
    receipts = tuple(
        EventReceipt(e.act.event.id, k.seq if k else numbers[n], k.index if k else entry.index, k is not None)
        for n, (e, k) in enumerate(zip(capture.events, known, strict=True))
    )
    return Receipt(
        index=entry.index,
        leaf=entry.leaf,
        by=capture.by,
        signed=capture.signer is not None,
        known=False,
        events=receipts,
        findings=(*chained, *findings),
        notes=_notes(capture),
    )


def append_document(
    connection: Connection, writer: SqlWriter, now: datetime, capture: PreparedCapture, by_id: int
) -> tuple[Entry, int, tuple[dict[str, Any], ...]]:
    """Append the entry and write its document's row: the entry, the row's number, what does not fit in the chain.

    The keys are asked again here, under the lock: they may have ended since the signatures were verified.
    """
    devices.require_valid(connection, capture.signatures, writer.head().size)
    [entry] = writer.append(
        [
            Draft(
                capture.kind,
                to_micros(now) // 1000,
                capture.statement,
                capture.signatures,
                capture.seed,
            )
        ]
    )
    chained = chains.note(connection, writer, entry, by_id, capture.raw_sha256)
    keep_erasable(connection, writer.ledger_id, entry.index, capture.erasable)
    return entry, insert_document(connection, capture, by_id, entry.index, now), chained


def _refuse_doubles(capture: PreparedCapture) -> None:
    """An event stands once in a document. Raises `OtherContent`, `Invalid`."""
    digests: dict[tuple[str, int], bytes] = {}
    for each in capture.events:
        key = (each.act.event.id, declared_at(each.act.event))
        first = digests.setdefault(key, each.digest)
        if first != each.digest:
            raise OtherContent([each.act.event.id])
    if len(digests) < len(capture.events):
        raise Invalid(
            "capture.double",
            "An event stands twice in this document",
            f"{len(capture.events)} events, {len(digests)} different ones",
            "Nothing was stored. Send each event once.",
        )


def _party_ids(connection: Connection, clock: Clock, capture: PreparedCapture) -> dict[str, int]:
    """The numbers of all parties that the acts name; new ones become unverified partners."""
    called = {gln_of(place.id): place.name or "" for place in capture.document.locations}
    wanted = {capture.by}
    for prepared in capture.events:
        act = prepared.act
        wanted |= {gln for gln in (act.sender, act.recipient, act.seller, act.buyer) if gln is not None}
    return partners.ids(connection, clock, {gln: called.get(gln, "") for gln in sorted(wanted)})


def insert_document(
    connection: Connection, capture: PreparedCapture, by_id: int, index: int, now: Any
) -> int:
    affirmed = capture.document.statement.affirmed if capture.document.statement else None
    result = connection.execute(
        _NEW_DOCUMENT,
        {
            "idx": index,
            "sha256": capture.raw_sha256,
            "by_id": by_id,
            "signer": capture.signer,
            "channel": capture.channel,
            "form": capture.document.form.value,
            "intake": json.dumps(capture.intake, sort_keys=True),
            "statement_affirmed": affirmed,
            "received_at": now,
            "raw": zlib.compress(capture.raw, 6),
            "notes": json.dumps(list(_notes(capture))),
        },
    )
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def endorse(connection: Connection, known: Sequence[Known | None], index: int, first: int = 0) -> None:
    """Write that the signed entry at `index` vouches for those of its records, from number `first` on, that stood
    unsigned."""
    unsigned = [(k.seq, n) for n, k in enumerate(known, first) if k and not k.signed]
    write_endorsements(connection, unsigned, index)


def write_endorsements(connection: Connection, records: Sequence[tuple[int, int]], index: int) -> None:
    """Write of these events, each with its number in the document, that the entry at `index` is over them too."""
    if records:
        rows = [{"seq": seq, "idx": index, "ev_no": number} for seq, number in records]
        connection.execute(insert(endorsement), rows)


def insert_events(
    connection: Connection,
    fresh: list[tuple[int, PreparedEvent]],
    doc_id: int,
    index: int,
    parties: Mapping[str, int],
    now: Any,
) -> Named:
    """Write the new events and which items they name. Numbers are given here, dense, under the ledger's lock."""
    if not fresh:
        return Named()
    first = (connection.execute(_LAST_EVENT).scalar() or 0) + 1
    rows: list[dict[str, Any]] = []
    for seq, (number, prepared) in enumerate(fresh, first):
        act, each = prepared.act, prepared.act.event
        rows.append(
            {
                "seq": seq,
                "doc_id": doc_id,
                "ev_no": number,
                "idx": index,
                "by_id": parties[act.by],
                "event_id": each.id,
                "declared_at": declared_at(each),
                "digest": prepared.digest,
                "pos": each.position,
                "event_time": to_micros(each.event_time),
                "record_time": to_micros(now),
                "type": each.type.value,
                "action": each.action.value if each.action else None,
                "biz_step": each.biz_step,
                "disposition": each.disposition,
                "read_point": each.read_point,
                "biz_location": each.biz_location,
                "sender_id": parties.get(act.sender or ""),
                "recipient_id": parties.get(act.recipient or ""),
                "seller_id": parties.get(act.seller or ""),
                "buyer_id": parties.get(act.buyer or ""),
                "statement": act.statement,
                "place": act.place,
                "foreign_sscc": " ".join(sorted(act.foreign)) or None,
                "effective": prepared.effective,
                "body": prepared.body or pack_fields(prepared.fields),
            }
        )
    insert_rows(connection, event, tuple(rows[0]), [tuple(row.values()) for row in rows])
    seqs = [row["seq"] for row in rows]
    roles = [(seq, roles_of(p.act.event)) for seq, (_, p) in zip(seqs, fresh, strict=True)]
    ids, begun = writing.ensure(connection, [key for _, each in roles for key, _ in each])
    names = [(ids[key], seq, role) for seq, each in roles for key, role in each]
    insert_rows(connection, event_epc, ("item_id", "seq", "role"), names)
    return Named(seqs, ids, begun)


def project_events(
    connection: Connection,
    clock: Clock,
    fresh: list[tuple[int, PreparedEvent]],
    names: Named,
    *,
    whatever_it_takes: bool = False,
) -> tuple[dict[str, Any], ...]:
    """Apply the rules to the new events, open and close exceptions; what was found about them, as data.

    `whatever_it_takes`: their entry stands, and nothing that they touch is too much to be projected again.
    """
    before: list[tuple[int, Finding]] = []
    acting: list[StoredAct] = []
    for seq, (_, prepared) in zip(names.seqs, fresh, strict=True):
        before += [(seq, found) for found in prepared.findings]
        if prepared.effective:
            acting.append(StoredAct(seq, prepared.act))
    writing.note(connection, {}, before, lasting=True)
    return _project(connection, clock, acting, names, bounded=not whatever_it_takes)


def _project(
    connection: Connection, clock: Clock, acting: list[StoredAct], names: Named, *, bounded: bool = True
) -> tuple[dict[str, Any], ...]:
    # Before it is known which of them only tell again: what was known of the parties is kept of all.
    trading = [each.seq for each in acting if each.act.event.biz_step in authorized.TRADE_STEPS]
    authorized.keep(connection, clock, trading)
    projection = projector.project(connection, clock, acting, names, bounded=bounded)
    # Asked once, for the desk and for the receipt: it takes a dozen queries, under the ledger's lock.
    findings = custody.findings_of(connection, projection.seqs.union(names.seqs))
    exceptions.follow(connection, clock, projection, findings)
    recalls.follow(connection, clock, projection, acting)
    new = set(names.seqs)
    return tuple(
        {
            "code": found.code.value,
            "severity": found.severity.value,
            "message": found.message,
            "innocent": INNOCENT[found.code],
        }
        for found in findings
        if found.seq in new
    )


def _first_receipt(
    writer: SqlWriter, capture: PreparedCapture, known: list[Known], index: int | None
) -> Receipt:
    """The receipt that this content got first. Where its entry is not known, it is the last of its events': a document
    that repeated some brought the others itself."""
    index = max(each.index for each in known) if index is None else index
    events = tuple(
        EventReceipt(e.act.event.id, k.seq, k.index, True) for e, k in zip(capture.events, known, strict=True)
    )
    return Receipt(
        index=index,
        leaf=writer.leaf(index),
        by=capture.by,
        signed=all(each.signed for each in known) if known else capture.signer is not None,
        known=True,
        events=events,
        findings=(),
        notes=_notes(capture),
    )


def _notes(capture: PreparedCapture) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"code": n.code.value, "message": n.message, "where": n.where, "count": n.count}
        for n in capture.document.notes
    )
