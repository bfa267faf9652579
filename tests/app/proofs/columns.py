"""Each column of what the entries lead to, and of what waits for one: what the audit finds where it is changed.

``item.holder_id`` changed in one row makes the first finding name the table ``item``; or it is written why it does no
harm. The columns of people's work are in work_columns.py, those of the ledger's own tables in
tests/ledger/store/columns.py.
"""

from dataclasses import dataclass

from tests.support.world import PALLET


@dataclass(frozen=True)
class Located:
    """The table that the first finding names, and how the column is changed: `value` SQL for its new value ("" lets
    its type decide), in the row `where`."""

    table: str
    value: str = ""
    where: str = "1"


@dataclass(frozen=True)
class Found:
    """What the first finding names, where a value of a redacted document (or of its seed) is changed."""

    table: str
    column: str


@dataclass(frozen=True)
class Harmless:
    """A column whose change the audit does not find, and why that does no harm."""

    why: str


WORD = (
    "the operator's word about parties, sites, licences and products; what was resolved stands in the events"
)
DESK = "a note about work at a desk: that each finding has its exception, and whose it is, is checked"
NUMBER = "a row's number, which nothing refers to"
NOTES = "what reading the raw document tolerated, kept for people: the raw document itself is checked"
WAITING = "a document that waits outside the ledger: once its entry stands, its events must be what that committed to"
SLICES = "none waits in the story: tests/app/proofs/test_tampering_pending.py changes it while a document is applied"
STAMP = "the story has none: tests/app/log/test_timestamps.py changes each of these and has the audit name it"
REPACKED = (
    "the story has none: tests/app/custody/test_lineage.py changes each of these and has the audit name it"
)

RECORDED: dict[str, Located | Harmless] = {
    "time_stamp.stamp_id": Harmless("a number of its own, on which nothing rests"),
    "time_stamp.at": Harmless(STAMP),
    "time_stamp.size": Harmless(STAMP),
    "time_stamp.note": Harmless(STAMP),
    "time_stamp.response": Harmless(STAMP),
    "time_stamp.certificates": Harmless(STAMP),
    "item.item_id": Located("event_epc"),
    "item.bucket": Located("item"),
    "item.ns": Located("event_epc"),
    "item.serial": Located("event_epc"),
    "item.status": Located("item", value="5"),
    "item.maker_id": Located("item"),
    "item.lot_id": Located("item"),
    "item.expiry": Located("item"),
    "item.holder_id": Located("item"),
    "item.owner_id": Located("item"),
    "item.in_transit": Located("item"),
    "item.bound_for_id": Located("item", value="CASE WHEN bound_for_id IS 1 THEN 2 ELSE 1 END"),
    "item.offered_to_id": Located("item", value="CASE WHEN offered_to_id IS 1 THEN 2 ELSE 1 END"),
    "item.sender_id": Located("item", value="CASE WHEN sender_id IS 1 THEN 2 ELSE 1 END"),
    "item.custody_since": Located("item"),
    "item.parent_id": Located("item"),
    "item.inside_since": Located("item"),
    "item.last": Located("item"),
    "item.ended_by_id": Located("item", value="CASE WHEN ended_by_id IS 1 THEN 2 ELSE 1 END"),
    "item.ended_at": Located("item"),
    "item.held": Located("item"),
    "item.recalled": Located("item"),
    "item.missing": Located("item"),
    "item.claimed_by_id": Located("item", value="CASE WHEN claimed_by_id IS 1 THEN 2 ELSE 1 END"),
    "item.disputed": Located("item"),
    "item.past_owners": Located("item"),
    "item.also_to": Located("item"),
    "item.seen_at": Located("item"),
    "item.seen_place": Located("item"),
    "item.travelled": Located("item"),
    "lineage.item_id": Harmless(REPACKED),
    "lineage.seq": Harmless(REPACKED),
    "lineage.side": Harmless(REPACKED),
    "lineage.reference": Harmless(REPACKED),
    "contained.bucket": Located("contained"),
    "contained.child": Located("contained"),
    "contained.f": Located("contained"),
    "contained.t": Located("contained"),
    "contained.parent": Located("contained"),
    "finding.finding_id": Harmless(NUMBER),
    "finding.seq": Located("finding", where="lasting = 0"),
    "finding.code": Located("finding"),
    "finding.severity": Located("finding"),
    "finding.message": Located("finding", where="lasting = 0"),
    "finding.item_id": Located("finding", where="lasting = 0"),
    "finding.container_id": Located("finding", where="lasting = 0"),
    "finding.lasting": Located("event"),
    "party.party_id": Located("party_key"),
    "party.gln": Located("party_key"),
    "party.name": Harmless(WORD),
    "party.kind": Harmless(WORD),
    "party.verified": Harmless(WORD),
    "party.address": Harmless(WORD),
    "party.city": Harmless(WORD),
    "party.state": Harmless(WORD),
    "party.postal_code": Harmless(WORD),
    "party.country": Harmless(WORD),
    "party.contact": Harmless(WORD),
    "party.added_at": Harmless(WORD),
    "document.doc_id": Located("event"),
    "document.idx": Located("document"),
    "document.sha256": Located("document"),
    "document.by_id": Located("event"),
    "document.signer": Located("document"),
    "document.channel": Located("document"),
    "document.form": Located("document"),
    "document.intake": Located("document"),
    "document.statement_affirmed": Located("event"),
    "document.received_at": Located("event"),
    "document.raw": Located("document"),
    "document.notes": Harmless(NOTES),
    "event.seq": Located("event_epc"),
    "event.doc_id": Located("event"),
    "event.ev_no": Located("event"),
    "event.idx": Located("event"),
    "event.by_id": Located("event"),
    "event.event_id": Located("event"),
    "event.declared_at": Located("event"),
    "event.digest": Located("event"),
    "event.pos": Located("event"),
    "event.event_time": Located("event"),
    "event.record_time": Located("event"),
    "event.type": Located("event"),
    "event.action": Located("event"),
    "event.biz_step": Located("event"),
    "event.disposition": Located("event"),
    "event.read_point": Located("event"),
    "event.biz_location": Located("event"),
    "event.sender_id": Located("event", value="CASE WHEN sender_id IS 1 THEN 2 ELSE 1 END"),
    "event.recipient_id": Located("event", value="CASE WHEN recipient_id IS 1 THEN 2 ELSE 1 END"),
    "event.seller_id": Located("event", value="CASE WHEN seller_id IS 1 THEN 2 ELSE 1 END"),
    "event.buyer_id": Located("event", value="CASE WHEN buyer_id IS 1 THEN 2 ELSE 1 END"),
    "event.statement": Located("event"),
    "event.place": Located("item", value="'40.00000,-74.00000'"),
    "event.foreign_sscc": Located("item", value=f"'{PALLET}'", where="biz_step = 'packing'"),
    "event.effective": Located("event"),
    "event.body": Located("event"),
    "event_epc.item_id": Located("event_epc"),
    "event_epc.seq": Located("event_epc"),
    "event_epc.role": Located("event_epc"),
    "endorsement.seq": Located("endorsement"),
    "endorsement.idx": Located("endorsement"),
    "endorsement.ev_no": Located("endorsement"),
    "inbox.job_no": Harmless(WAITING),
    "inbox.job_id": Harmless(WAITING),
    "inbox.by_id": Harmless(WAITING),
    "inbox.sha256": Harmless(WAITING),
    "inbox.signer": Harmless(WAITING),
    "inbox.channel": Harmless(WAITING),
    "inbox.intake": Harmless(WAITING),
    "inbox.envelope": Harmless(WAITING),
    "inbox.seed": Harmless(WAITING),
    "inbox.content_type": Harmless(WAITING),
    "inbox.raw": Harmless(WAITING),
    "inbox.created_at": Harmless(WAITING),
    "inbox.finished_at": Harmless(WAITING),
    "inbox.state": Harmless(SLICES),
    "inbox.problem": Harmless(WAITING),
    "inbox.idx": Harmless(WAITING),
    "inbox.doc_id": Harmless(SLICES),
    "inbox.known": Harmless(WAITING),
    "inbox.events": Harmless(WAITING),
    "inbox.mark": Harmless(SLICES),
    "inbox.lease_by": Harmless(WAITING),
    "inbox.lease_until": Harmless(WAITING),
    "inbox_event.job_no": Harmless(WAITING),
    "inbox_event.ev_no": Harmless(SLICES),
    "inbox_event.by_id": Harmless(WAITING),
    "inbox_event.event_id": Harmless(WAITING),
    "inbox_event.declared_at": Harmless(WAITING),
    "inbox_event.digest": Harmless(WAITING),
    "inbox_event.parties": Harmless(WAITING),
    "inbox_event.found": Harmless(WAITING),
    "inbox_event.body": Harmless(SLICES),
    "inbox_name.name": Harmless(WAITING),
    "inbox_name.job_no": Harmless(WAITING),
    "party_key.thumbprint": Located("party_key"),
    "party_key.party_id": Located(
        "party_key", value="CASE WHEN party_id IS 1 THEN 2 ELSE 1 END", where="role = 'device'"
    ),
    "party_key.role": Located("database"),
    "party_key.label": Located("party_key"),
    "party_key.spki": Located(
        "party_key", "(SELECT spki FROM party_key AS o WHERE o.thumbprint <> party_key.thumbprint LIMIT 1)"
    ),
    "party_key.idx": Located("party_key"),
    "party_key.action": Located("party_key", value="'suspend'", where="action = 'register'"),
    "party_key.suspect_since": Located("party_key"),
    "chain_link.idx": Located("chain_link"),
    "chain_link.stream": Located("chain_link"),
    "chain_link.seq": Located("chain_link"),
    "chain_link.thumbprint": Located("chain_link"),
    "chain_link.statement": Located("chain_link"),
    "chain_link.prev": Located("chain_link"),
    "chain_link.void": Located("chain_link", where="void IS NOT NULL"),
    "chain_link.adopts": Located("chain_link", where="adopts IS NOT NULL"),
    "parked.idx": Located("parked"),
    "parked.statement": Located("parked"),
    "parked.thumbprint": Located("parked"),
    "parked.party_id": Located("parked", value="CASE WHEN party_id IS 1 THEN 2 ELSE 1 END"),
    "parked.stream": Located("parked"),
    "parked.seq": Located("parked"),
    "parked.record": Located("parked"),
    "parked.envelope": Located("parked"),
    "parked.seed": Located("parked"),
    "parked.document": Located("parked"),
    "parked.content_type": Located("parked"),
    "parked.parked_at": Located("parked"),
    "exception_case.kind": Located("exception_case"),
    "exception_case.seq": Located("exception_case"),
    "exception_case.item_id": Located("exception_case"),
    "exception_case.idx": Located("exception_case"),
    "exception_case.container_id": Located("exception_case"),
    "exception_case.party_id": Located("exception_case"),
    "exception_case.case_id": Harmless(DESK),
    "exception_case.standing": Located("exception_case"),
    "disclosure.idx": Located("disclosure"),
    "disclosure.request": Located("disclosure"),
    "disclosure.record": Located("disclosure"),
    "disclosure.manifest": Located("disclosure"),
    "disclosure.answer": Located("disclosure"),
    "disclosure.at": Located("disclosure"),
    "disclosure.by_id": Harmless("the audit trail says who handed it out"),
    "disclosure.by_name": Harmless("the audit trail says who handed it out"),
    "erasable.idx": Located("erasable"),
    "erasable.part": Located("erasable"),
    "erasable.path": Located("erasable"),
    "erasable.ev_no": Located("erasable"),
    "erasable.event_id": Located("erasable"),
    "erasable.leaf": Located("erasable"),
    "erasable.data": Located("erasable", where="data IS NOT NULL"),
    "erasable.erased_idx": Located("erasable"),
    "redaction.idx": Located("redaction"),
    "redaction.about": Located("redaction"),
    "redaction.fields": Located("redaction"),
    "redaction.basis": Located("redaction"),
    "redaction.by_account": Located("redaction"),
    "redaction.remaining": Located("redaction"),
    "redaction.at": Located("redaction"),
}

SEED = Found("seed", "seed")
DOCUMENT = Found("document", "intake, sha256 or seed")
REDACTED: dict[str, Found] = {
    "version": SEED,
    "number of leaves": SEED,
    "first byte of the number": SEED,
    "bitmap": SEED,
    "a byte short": SEED,
    "a byte more": SEED,
    "32 bytes": DOCUMENT,  # a seed by its length
    "leaf 0": DOCUMENT,  # the hash of the document's digest
    "a salt": DOCUMENT,
    "the last salt": DOCUMENT,
    "a leaf less": DOCUMENT,  # well formed, but of another document
    "intake": DOCUMENT,
    "intake, a member more": DOCUMENT,
    "intake, no object": Found("document", "body, intake or seed"),
    "body of an event": Found("event", "event_id"),
}
"""Of a redacted document whose events have no id of their own: test_tampering_redacted.py makes each change."""
