"""Nothing is gone: every entry has what it committed to, and every event has the effect that it must have.

A row that is not there contradicts nothing. An operator could take out the document of a dispensing, or say that the
event has no effect, rebuild custody, and all that is left would agree with itself. So each entry must have its
document or key, each record of a document its event, each later signature its endorsement; and an event without effect
must be one that capture keeps from having any, with the finding that says so.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, or_, select

from app.cases.models import desk_case
from app.custody.models import finding
from app.devices.models import party_key
from app.erasable.vault import same_but_erased
from app.events import pending
from app.events.acts import Ends
from app.events.adoption import adopting, is_adoption
from app.events.models import document, endorsement, event
from app.exceptions.models import exception_case
from app.exceptions.rules import COMPUTED, FINDING_KINDS
from app.exceptions.service import BY_ITSELF, NO_ITEM, party_of
from ledger.custody.event import Event
from ledger.custody.findings import SEVERITY, FindingCode
from ledger.custody.order import TOLD_AGAIN
from ledger.log.entry import Kind
from ledger.store.sql import tables
from ledger.store.sql.reader import SqlReader
from ledger.store.sql.types import to_micros

_MOST_TOLERANCE = timedelta(days=1)  # the largest that PACKPROOF_CLOCK_TOLERANCE_SECONDS may be

PROJECTED = frozenset({Kind.CAPTURED, Kind.RECEIVED, Kind.KEY})
"""Kinds of entries that have a document or a key. What stands for another kind, its own feature's audit knows."""
_KIND_AT = 4
_PAGE = 1_000


class Missing(NamedTuple):
    """A row that must be there, or a column that must be otherwise."""

    table: str
    key: str
    column: str
    expected: str
    found: str


def entries(connection: Connection) -> Iterator[Missing]:
    """Entries without the document or the key that they committed to, and rows that stand on no entry."""
    entry = tables.entry
    joined = entry.outerjoin(document, document.c.idx == entry.c.idx).outerjoin(
        party_key, party_key.c.idx == entry.c.idx
    )
    # The fifth byte of an entry is its kind (docs/formats/entry.md).
    beginning = func.substr(entry.c.body, 1, _KIND_AT + 1).label("beginning")
    bare = select(entry.c.idx, beginning).select_from(joined)
    bare = bare.where(document.c.idx.is_(None), party_key.c.role.is_(None)).order_by(entry.c.idx)
    for index, begins in connection.execute(bare):
        if bytes(begins)[_KIND_AT] in PROJECTED:
            yield Missing(
                "document", f"entry {index}", "idx", "the document or key that it committed to", "none"
            )
    for table in (event, endorsement):
        strays = select(table.c.seq, table.c.idx).where(table.c.idx.not_in(select(document.c.idx)))
        for row in connection.execute(strays):
            yield Missing(
                table.name, str(row.seq), "idx", "an entry with a document", f"entry {row.idx} has none"
            )
    strays = select(event.c.seq, event.c.doc_id).where(event.c.doc_id.not_in(select(document.c.doc_id)))
    for row in connection.execute(strays):
        yield Missing("event", str(row.seq), "doc_id", "a document", f"there is no document {row.doc_id}")


def records(
    connection: Connection,
    doc: Row[Any],
    rows: Sequence[Row[Any]],
    committed: Sequence[Event],
    refers: Collection[int] = (),
) -> Iterator[Missing]:
    """Records of a document that have no event, here or earlier; and endorsements that it gives or does not give.
    `refers`: the entries that it adopts an event of, if that was told before its time (`app.events.adoption`).

    Of a document that is still being applied this holds up to its mark, and beyond it there is nothing yet.
    """
    waiting = pending.of(connection).get(doc.doc_id)
    committed = committed[: waiting.mark] if waiting is not None else committed
    own = {row.ev_no for row in rows}
    expected: set[tuple[int, int]] = set()
    for number, each in enumerate(committed):
        if number in own:
            continue
        known = _earlier(connection, doc, each)
        if known is None:
            key = f"{doc.doc_id} (entry {doc.idx}), record {number}"
            yield Missing("event", key, "ev_no", f"the event {each.id}", "no such row")
        elif (doc.signer is not None and not known.signed) or (known.ahead and known.index in refers):
            expected.add((known.seq, number))
    for number in sorted(own - set(range(len(committed)))):
        yield Missing("event", f"{doc.doc_id} (entry {doc.idx}), record {number}", "ev_no", "none", "a row")
    query = select(endorsement.c.seq, endorsement.c.ev_no).where(endorsement.c.idx == doc.idx)
    found = {(row.seq, row.ev_no) for row in connection.execute(query)}
    for seq, number in sorted(expected ^ found):
        must, was = ("no row", "a row") if (seq, number) in found else ("a row", "no row")
        yield Missing("endorsement", f"event {seq} by entry {doc.idx}", "seq, idx, ev_no", must, was)


class _Known(NamedTuple):
    """`ahead`: it was told before its time, which had come when this document came."""

    seq: int
    index: int
    signed: bool
    ahead: bool


def _earlier(connection: Connection, doc: Row[Any], each: Event) -> _Known | None:
    """The event that stood when this document repeated it, and whether it was signed by then."""
    times = (event.c.declared_at, event.c.record_time, event.c.event_time)
    row = connection.execute(
        select(event.c.seq, event.c.idx, event.c.digest, document.c.signer, *times)
        .join(document, document.c.doc_id == event.c.doc_id)
        .where(
            event.c.by_id == doc.by_id,
            event.c.event_id == each.id,
            event.c.declared_at == (to_micros(each.declaration.time) if each.declaration else 0),
            event.c.idx < doc.idx,
        )
    ).one_or_none()
    if row is None:
        return None
    digest = bytes(row.digest)
    # Who repeats an event after a redaction brings more than what is left of it.
    if digest != each.digest and not same_but_erased(connection, row.idx, each, digest):
        return None
    first = connection.execute(
        select(func.min(endorsement.c.idx))
        .join(document, document.c.idx == endorsement.c.idx)
        .where(endorsement.c.seq == row.seq, document.c.signer.is_not(None))
    ).scalar()
    signed = row.signer is not None or (first is not None and first < doc.idx)
    return _Known(row.seq, row.idx, signed, is_adoption(row, doc.received_at))


def effects(
    connection: Connection, reader: SqlReader, doc_id: int, rows: Sequence[Row[Any]]
) -> Iterator[Missing]:
    """Whether each event of a document has the effect that it must have, and the lasting findings that go with it."""
    joined = finding.join(event, event.c.seq == finding.c.seq)
    query = select(finding.c.seq, finding.c.code, finding.c.severity, finding.c.lasting).select_from(joined)
    keeps_out = or_(finding.c.lasting, finding.c.code == TOLD_AGAIN.code.value)
    noted: dict[int, list[tuple[str, str]]] = defaultdict(list)
    again = set()
    for seq, code, severity, lasting in connection.execute(query.where(event.c.doc_id == doc_id, keeps_out)):
        if lasting:
            noted[seq].append((code, severity))
        else:
            again.add(seq)  # whether this is so, the replay of all events says (app.custody.rebuild)
    ahead = [row.seq for row in rows if row.event_time > row.record_time]
    adopted = adopting(connection, reader, ahead)
    for row in rows:
        yield from _effect(row, noted.get(row.seq, []), again=row.seq in again, adopted=row.seq in adopted)


def _effect(
    row: Row[Any], stored: Sequence[tuple[str, str]], *, again: bool, adopted: bool
) -> Iterator[Missing]:
    key = str(row.seq)
    codes = {code for code, _ in stored}
    if bool(row.effective) != (not codes and not again):
        found = ", ".join(sorted(codes | ({TOLD_AGAIN.code.value} if again else set()))) or "no finding"
        yield Missing("event", key, "effective", f"as {found} has it", str(bool(row.effective)))
    ahead = row.event_time - row.record_time
    open_ = timedelta(0) < ahead <= _MOST_TOLERANCE or row.declared_at
    future = False if adopted else None if open_ else ahead > timedelta(0)
    must = {FindingCode.NOT_MAKER: None, FindingCode.FUTURE_EVENT: future}
    for code, holds in must.items():
        if holds is not None and holds != (code.value in codes):
            yield Missing(
                "finding", f"event {key}", "code", f"{code.value}: {holds}", ", ".join(codes) or "none"
            )
    for code_stored, severity in stored:
        known = {code.value: SEVERITY[code].value for code in must}.get(code_stored)
        if known != severity:
            yield Missing("finding", f"event {key}", "severity", str(known), f"{code_stored}: {severity}")


def cases(connection: Connection) -> Iterator[Missing]:
    """Each finding of a kind that makes work has its case, standing while the finding does; one that closed by itself
    has no finding that stands."""
    for seqs in _events_with_cases(connection):
        yield from _cases(connection, seqs)


def _events_with_cases(connection: Connection) -> Iterator[list[int]]:
    """The events that have cases or findings that make one, a page at a time."""
    after = -(2**63)
    kinds = [code.value for code in FINDING_KINDS if code not in COMPUTED]
    made = select(finding.c.seq).where(finding.c.code.in_(kinds))
    kept = select(exception_case.c.seq)
    while True:
        found: set[int] = set()
        for query, column in ((made, finding.c.seq), (kept, exception_case.c.seq)):
            page = query.where(column > after).distinct().order_by(column).limit(_PAGE)
            found.update(connection.execute(page).scalars())
        seqs = sorted(found)[:_PAGE]
        if not seqs:
            return
        yield seqs
        after = seqs[-1]


def _cases(connection: Connection, seqs: Sequence[int]) -> Iterator[Missing]:
    kinds = {code.value: kind for code, kind in FINDING_KINDS.items()}
    query = select(finding).where(finding.c.code.in_(kinds), finding.c.seq.in_(seqs))
    standing = {(row.code, row.seq, row.item_id or NO_ITEM): row for row in connection.execute(query)}
    whose = (event.c.by_id, event.c.sender_id, event.c.recipient_id, event.c.idx.label("entry"))
    joined = exception_case.outerjoin(event, event.c.seq == exception_case.c.seq).outerjoin(
        desk_case, desk_case.c.case_id == exception_case.c.case_id
    )
    query = select(exception_case, *whose, desk_case.c.case_id.label("desk"), desk_case.c.closed_by)
    kept = {
        (row.kind, row.seq, row.item_id): row
        for row in connection.execute(query.select_from(joined).where(exception_case.c.seq.in_(seqs)))
    }
    for key in sorted(standing.keys() - kept.keys()):
        yield Missing("exception_case", f"event {key[1]}, item {key[2]}", "kind", key[0], "no case")
    for key, row in sorted(kept.items()):
        name = f"{row.case_id}: event {key[1]}, item {key[2]}"
        found, kind = standing.get(key), kinds.get(row.kind)
        if row.kind in COMPUTED:
            found = None  # what is known now decides it, and no row
        elif bool(row.standing) != (found is not None):
            must = "True: its finding stands" if found else "False: its finding is gone"
            yield Missing("exception_case", name, "standing", must, str(bool(row.standing)))
        elif found is not None and (row.desk is None or row.closed_by == BY_ITSELF):
            must = "a case that did not close by itself: its finding stands"
            yield Missing(
                "exception_case", name, "case_id", must, "no case" if row.desk is None else BY_ITSELF
            )
        ends = Ends(row.by_id, row.sender_id, row.recipient_id, row.entry)
        for column, expected in (
            ("idx", row.entry),
            ("party_id", party_of(kind, ends) if kind else row.party_id),
            ("container_id", found.container_id if found else row.container_id),
        ):
            if getattr(row, column) != expected:
                yield Missing("exception_case", name, column, str(expected), str(getattr(row, column)))
