"""Whatever is changed in the node's tables, `packproof fsck` names the row; or it is written here why it does no harm.

`COLUMNS` has every column of every table of the app. The ledger's own tables are in tests/ledger/store/test_fsck.py.
"""

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Boolean, LargeBinary, Text

import app.wiring  # noqa: F401 - every table is known once the app is
from app.migrate import upgrade
from app.node.service import Node
from app.proofs.fsck import fsck
from app.regulator.rules import Reason, Search, Standing
from app.regulator.service import NewRequest
from app.shared.actor import Role
from ledger.custody.event import ErrorDeclaration, Event, compact
from ledger.custody.vocabulary import Action, EventType
from ledger.epcis.read import read
from ledger.log.encoding import to_base64
from ledger.signing.aside import sign_void
from ledger.signing.client import KeyFolder, make_device, sign_capture
from ledger.signing.envelope import Envelope
from ledger.signing.keyrecord import Action as KeyAction
from ledger.signing.keyrecord import KeyRecord, revoke
from ledger.signing.statement import Statement
from ledger.store.findings import FsckReport
from ledger.store.sql.engine import Database, open_engine
from ledger.store.sql.metadata import metadata
from tests.ledger.store.test_fsck import LEDGER_TABLES
from tests.support.app import NOON, OPERATOR, make_node
from tests.support.crook import flipped, tamper
from tests.support.trade import WHEN, Trade
from tests.support.world import GTIN, MAKER, PALLET, WHOLESALER, package


@dataclass(frozen=True)
class Located:
    """The table that the first finding names, and how the column is changed: `value` SQL for its new value ("" lets
    its type decide), in the row `where`."""

    table: str
    value: str = ""
    where: str = "1"


@dataclass(frozen=True)
class Harmless:
    """A column whose change the audit does not find, and why that does no harm."""

    why: str


ACCOUNT = "who may sign in is the operator's own to say; nothing that was signed or proven rests on it"
TRAIL = "the operator's own record of what it was asked and showed: no proof is made from it, and none may be"
WORD = (
    "the operator's word about parties, sites, licences and products; what was resolved stands in the events"
)
KEEPS = "the operator's own word to delete nothing yet; the trail has each hold set and lifted, and nothing is deleted"
LOOKED = "what was found when a partner was looked up; if it was authorized follows from its licences, each time anew"
DESK = "a note about work at a desk: that each finding has its exception, and whose it is, is checked"
DOCK = "work at the dock: what was received stands in the document that it ends in"
NOTES = "what reading the raw document tolerated, kept for people: the raw document itself is checked"
WAITING = "a document that waits outside the ledger: once its entry stands, its events must be what that committed to"
ASKED = "what was asked at verification, noticed or set aside: people's work, from which no proof is made"
NUMBER = "a row's number, which nothing refers to"

SLICES = "none waits in the story: tests/app/proofs/test_tampering_pending.py changes it while a document is applied"
REBUILT = {"item", "contained", "lineage", "finding"}  # what `packproof rebuild` writes
STAMP = "the story has none: tests/app/log/test_timestamps.py changes each of these and has the audit name it"
REPACKED = (
    "the story has none: tests/app/custody/test_lineage.py changes each of these and has the audit name it"
)
WORK = "people's work at a desk; what it led to stands in the ledger as an event"
COLUMNS: dict[str, Located | Harmless] = {
    "time_stamp.stamp_id": Harmless("a number of its own, on which nothing rests"),
    "time_stamp.at": Harmless(STAMP),
    "time_stamp.size": Harmless(STAMP),
    "time_stamp.note": Harmless(STAMP),
    "time_stamp.response": Harmless(STAMP),
    "time_stamp.certificates": Harmless(STAMP),
    "form_3911.form_id": Harmless(WORK),
    "form_3911.case_id": Harmless(WORK),
    "form_3911.kind": Harmless(WORK),
    "form_3911.content": Harmless(WORK),
    "form_3911.made_at": Harmless(WORK),
    "form_3911.made_by": Harmless(WORK),
    "investigation_notice.notice_no": Harmless(WORK),
    "investigation_notice.case_id": Harmless(WORK),
    "investigation_notice.party_id": Harmless(WORK),
    "investigation_notice.notice_id": Harmless(WORK),
    "investigation_notice.told_at": Harmless(WORK),
    "investigation_notice.ended_at": Harmless(WORK),
    "recall_consignee.case_id": Harmless(WORK),
    "recall_consignee.party_id": Harmless(WORK),
    "recall_consignee.notice_id": Harmless(WORK),
    "recall_consignee.direct": Harmless(WORK),
    "recall_consignee.packages": Harmless(WORK),
    "recall_consignee.notified_at": Harmless(WORK),
    "recall_consignee.acknowledged_at": Harmless(WORK),
    "recall_consignee.answered_at": Harmless(WORK),
    "recall_consignee.quarantined": Harmless(WORK),
    "recall_consignee.returned": Harmless(WORK),
    "recall_consignee.destroyed": Harmless(WORK),
    "recall_consignee.gone": Harmless(WORK),
    "return_unit.unit_no": Harmless(WORK),
    "return_unit.case_id": Harmless(WORK),
    "return_unit.subject": Harmless(WORK),
    "return_unit.scanned_at": Harmless(WORK),
    "return_unit.scanned_by": Harmless(WORK),
    "return_unit.check_id": Harmless(WORK),
    "return_unit.matched_seq": Harmless(WORK),
    "return_unit.verified": Harmless(WORK),
    "return_unit.saleable": Harmless(WORK),
    "return_unit.reason": Harmless(WORK),
    "return_unit.booked_at": Harmless(WORK),
    "professional_override.override_id": Harmless(WORK),
    "professional_override.case_id": Harmless(WORK),
    "professional_override.party_id": Harmless(WORK),
    "professional_override.at": Harmless(WORK),
    "professional_override.check_id": Harmless(WORK),
    "professional_override.subject": Harmless(WORK),
    "professional_override.word": Harmless(WORK),
    "professional_override.verdict_reason": Harmless(WORK),
    "professional_override.reason": Harmless(WORK),
    "professional_override.explanation": Harmless(WORK),
    "professional_override.first_id": Harmless(WORK),
    "professional_override.first_name": Harmless(WORK),
    "professional_override.second_id": Harmless(WORK),
    "professional_override.second_name": Harmless(WORK),
    "professional_override.idx": Harmless(WORK),
    "user_account.user_id": Harmless(ACCOUNT),
    "user_account.name": Harmless(ACCOUNT),
    "user_account.display_name": Harmless(ACCOUNT),
    "user_account.password_hash": Harmless(ACCOUNT),
    "user_account.role": Harmless(ACCOUNT),
    "user_account.party_gln": Harmless(ACCOUNT),
    "user_account.created_at": Harmless(ACCOUNT),
    "user_account.password_at": Harmless(ACCOUNT),
    "user_account.expires_at": Harmless(ACCOUNT),
    "user_account.disabled_at": Harmless(ACCOUNT),
    "challenge_used.challenge": Harmless(ACCOUNT),
    "challenge_used.ends_at": Harmless(ACCOUNT),
    "web_session.session_id": Harmless(ACCOUNT),
    "web_session.secret_hash": Harmless(ACCOUNT),
    "web_session.user_id": Harmless(ACCOUNT),
    "web_session.created_at": Harmless(ACCOUNT),
    "web_session.seen_at": Harmless(ACCOUNT),
    "web_session.expires_at": Harmless(ACCOUNT),
    "web_session.ended_at": Harmless(ACCOUNT),
    "web_session.address": Harmless(ACCOUNT),
    "sign_in_failure.name_hash": Harmless(ACCOUNT),
    "sign_in_failure.failures": Harmless(ACCOUNT),
    "sign_in_failure.last_at": Harmless(ACCOUNT),
    "sign_in_failure.blocked_until": Harmless(ACCOUNT),
    "api_token.token_id": Harmless(ACCOUNT),
    "api_token.secret_hash": Harmless(ACCOUNT),
    "api_token.name": Harmless(ACCOUNT),
    "api_token.kind": Harmless(ACCOUNT),
    "api_token.party_gln": Harmless(ACCOUNT),
    "api_token.subject": Harmless(ACCOUNT),
    "api_token.scopes": Harmless(ACCOUNT),
    "api_token.created_at": Harmless(ACCOUNT),
    "api_token.created_by": Harmless(ACCOUNT),
    "api_token.expires_at": Harmless(ACCOUNT),
    "api_token.revoked_at": Harmless(ACCOUNT),
    "audit_trail.audit_id": Harmless(TRAIL),
    "audit_trail.at": Harmless(TRAIL),
    "audit_trail.actor_kind": Harmless(TRAIL),
    "audit_trail.actor_id": Harmless(TRAIL),
    "audit_trail.actor_name": Harmless(TRAIL),
    "audit_trail.actor_role": Harmless(TRAIL),
    "audit_trail.actor_party": Harmless(TRAIL),
    "audit_trail.session_id": Harmless(TRAIL),
    "audit_trail.action": Harmless(TRAIL),
    "audit_trail.subject": Harmless(TRAIL),
    "audit_trail.whose": Harmless(TRAIL),
    "audit_trail.outcome": Harmless(TRAIL),
    "audit_trail.detail": Harmless(TRAIL),
    "audit_trail.address": Harmless(TRAIL),
    "audit_trail.request_id": Harmless(TRAIL),
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
    "company_prefix.prefix": Harmless(WORD),
    "company_prefix.party_id": Harmless(WORD),
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
    "site.gln": Harmless(WORD),
    "site.party_id": Harmless(WORD),
    "site.name": Harmless(WORD),
    "site.address": Harmless(WORD),
    "site.city": Harmless(WORD),
    "site.state": Harmless(WORD),
    "site.postal_code": Harmless(WORD),
    "site.country": Harmless(WORD),
    "site.latitude_udeg": Harmless(WORD),
    "site.longitude_udeg": Harmless(WORD),
    "licence.licence_id": Harmless(WORD),
    "licence.party_id": Harmless(WORD),
    "licence.authority": Harmless(WORD),
    "licence.number": Harmless(WORD),
    "licence.valid_from": Harmless(WORD),
    "licence.valid_until": Harmless(WORD),
    "licence.evidence": Harmless(WORD),
    "licence.kind": Harmless(WORD),
    "licence.source": Harmless(WORD),
    "licence.looked_up_at": Harmless(WORD),
    "licence.ended_at": Harmless(WORD),
    "licence.ended_why": Harmless(WORD),
    "exemption.exemption_id": Harmless(WORD),
    "exemption.party_id": Harmless(WORD),
    "exemption.covers": Harmless(WORD),
    "exemption.valid_from": Harmless(WORD),
    "exemption.exempt_until": Harmless(WORD),
    "exemption.exempt_reason": Harmless(WORD),
    "exemption.evidence": Harmless(WORD),
    "authorization_check.check_id": Harmless(NUMBER),
    "authorization_check.party_id": Harmless(LOOKED),
    "authorization_check.as_of": Harmless(LOOKED),
    "authorization_check.checked_at": Harmless(LOOKED),
    "authorization_check.seq": Harmless(LOOKED),
    "authorization_check.authorized": Harmless(LOOKED),
    "authorization_check.licence_id": Harmless(LOOKED),
    "authorization_check.exemption_id": Harmless(LOOKED),
    "authorization_check.why": Harmless(LOOKED),
    "legal_hold.hold_id": Harmless(KEEPS),
    "legal_hold.kind": Harmless(KEEPS),
    "legal_hold.about": Harmless(KEEPS),
    "legal_hold.reason": Harmless(KEEPS),
    "legal_hold.set_at": Harmless(KEEPS),
    "legal_hold.set_by": Harmless(KEEPS),
    "legal_hold.lifted_at": Harmless(KEEPS),
    "legal_hold.lifted_by": Harmless(KEEPS),
    "legal_hold.lifted_why": Harmless(KEEPS),
    "product_partner.gtin": Harmless(WORD),
    "product_partner.party_id": Harmless(WORD),
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
    "exception_message.message_no": Harmless(DESK),
    "exception_message.party_id": Harmless(DESK),
    "exception_message.direction": Harmless(DESK),
    "exception_message.kind": Harmless(DESK),
    "exception_message.partner_id": Harmless(DESK),
    "exception_message.uuid": Harmless(DESK),
    "exception_message.case_uuid": Harmless(DESK),
    "exception_message.case_id": Harmless(DESK),
    "exception_message.at": Harmless(DESK),
    "exception_message.body": Harmless(DESK),
    "receiving.receiving_id": Harmless(DOCK),
    "receiving.party_id": Harmless(DOCK),
    "receiving.seller_id": Harmless(DOCK),
    "receiving.reference": Harmless(DOCK),
    "receiving.purchase_order": Harmless(DOCK),
    "receiving.state": Harmless(DOCK),
    "receiving.opened_at": Harmless(DOCK),
    "receiving.opened_by": Harmless(DOCK),
    "receiving.finished_at": Harmless(DOCK),
    "receiving.finished_by": Harmless(DOCK),
    "receiving.idx": Harmless(DOCK),
    "receiving.document": Harmless(DOCK),
    "receiving.data": Harmless(DOCK),
    "receiving_line.receiving_id": Harmless(DOCK),
    "receiving_line.item_id": Harmless(DOCK),
    "receiving_line.parent_id": Harmless(DOCK),
    "receiving_line.epc": Harmless(DOCK),
    "receiving_line.package": Harmless(DOCK),
    "receiving_line.lot": Harmless(DOCK),
    "receiving_line.expiry": Harmless(DOCK),
    "receiving_act.act_no": Harmless(DOCK),
    "receiving_act.receiving_id": Harmless(DOCK),
    "receiving_act.at": Harmless(DOCK),
    "receiving_act.who_id": Harmless(DOCK),
    "receiving_act.who": Harmless(DOCK),
    "receiving_act.kind": Harmless(DOCK),
    "receiving_act.epc": Harmless(DOCK),
    "receiving_act.raw": Harmless(DOCK),
    "receiving_act.outcome": Harmless(DOCK),
    "receiving_act.note": Harmless(DOCK),
    "receiving_act.lot": Harmless(DOCK),
    "receiving_act.expiry": Harmless(DOCK),
    "receiving_act.check_id": Harmless(DOCK),
    "receiving_act.undone_by": Harmless(DOCK),
    "disclosure.idx": Located("disclosure"),
    "disclosure.request": Located("disclosure"),
    "disclosure.record": Located("disclosure"),
    "disclosure.manifest": Located("disclosure"),
    "disclosure.answer": Located("disclosure"),
    "disclosure.at": Located("disclosure"),
    "disclosure.by_id": Harmless("the audit trail says who handed it out"),
    "disclosure.by_name": Harmless("the audit trail says who handed it out"),
    "desk_case.case_id": Harmless(DESK),
    "desk_case.desk": Harmless(DESK),
    "desk_case.kind": Harmless(DESK),
    "desk_case.party_id": Harmless(DESK),
    "desk_case.partner_id": Harmless(DESK),
    "desk_case.subject": Harmless(DESK),
    "desk_case.title": Harmless(DESK),
    "desk_case.state": Harmless(DESK),
    "desk_case.owner_id": Harmless(DESK),
    "desk_case.owner_name": Harmless(DESK),
    "desk_case.opened_at": Harmless(DESK),
    "desk_case.due_at": Harmless(DESK),
    "desk_case.closed_at": Harmless(DESK),
    "desk_case.closed_by": Harmless(DESK),
    "desk_case.root_cause": Harmless(DESK),
    "desk_case.data": Harmless(DESK),
    "desk_case_item.case_id": Harmless(DESK),
    "desk_case_item.item_id": Harmless(DESK),
    "desk_case_item.state": Harmless(DESK),
    "desk_note.note_id": Harmless(DESK),
    "desk_note.case_id": Harmless(DESK),
    "desk_note.at": Harmless(DESK),
    "desk_note.who": Harmless(DESK),
    "desk_note.kind": Harmless(DESK),
    "desk_note.text": Harmless(DESK),
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
    "product.gtin": Harmless(WORD),
    "product.maker_id": Harmless(WORD),
    "product.ndc": Harmless(WORD),
    "product.name": Harmless(WORD),
    "product.manufacturer": Harmless(WORD),
    "product.dosage_form": Harmless(WORD),
    "product.strength": Harmless(WORD),
    "product.net_content": Harmless(WORD),
    "product.market": Harmless(WORD),
    "product.updated_at": Harmless(WORD),
    "scan_check.check_id": Harmless(TRAIL),
    "scan_check.at": Harmless(TRAIL),
    "scan_check.actor_id": Harmless(TRAIL),
    "scan_check.party_gln": Harmless(TRAIL),
    "scan_check.raw": Harmless(TRAIL),
    "scan_check.symbology": Harmless(TRAIL),
    "scan_check.item_id": Harmless(TRAIL),
    "scan_check.word": Harmless(TRAIL),
    "scan_check.reason": Harmless(TRAIL),
    "scan_check.latency_us": Harmless(TRAIL),
    "scan_check.subject": Harmless(TRAIL),
    "set_aside.check_id": Harmless(ASKED),
    "set_aside.party_gln": Harmless(ASKED),
    "set_aside.subject": Harmless(ASKED),
    "set_aside.raw": Harmless(ASKED),
    "set_aside.symbology": Harmless(ASKED),
    "set_aside.set_at": Harmless(ASKED),
    "set_aside.chase": Harmless(ASKED),
    "set_aside.due_at": Harmless(ASKED),
    "set_aside.judged_at": Harmless(ASKED),
    "set_aside.judged_size": Harmless(ASKED),
    "set_aside.word": Harmless(ASKED),
    "set_aside.reason": Harmless(ASKED),
    "set_aside.cleared_at": Harmless(ASKED),
    "set_aside.closed_at": Harmless(ASKED),
    "vrs_request.request_no": Harmless(ASKED),
    "vrs_request.at": Harmless(ASKED),
    "vrs_request.direction": Harmless(ASKED),
    "vrs_request.requester": Harmless(ASKED),
    "vrs_request.responder": Harmless(ASKED),
    "vrs_request.actor_id": Harmless(ASKED),
    "vrs_request.gtin": Harmless(ASKED),
    "vrs_request.lot": Harmless(ASKED),
    "vrs_request.serial": Harmless(ASKED),
    "vrs_request.expiry": Harmless(ASKED),
    "vrs_request.context": Harmless(ASKED),
    "vrs_request.corr_uuid": Harmless(ASKED),
    "vrs_request.attested": Harmless(ASKED),
    "vrs_request.contact": Harmless(ASKED),
    "vrs_request.status": Harmless(ASKED),
    "vrs_request.outcome": Harmless(ASKED),
    "vrs_request.info": Harmless(ASKED),
    "vrs_request.latency_us": Harmless(ASKED),
    "vrs_directory.product": Harmless(WORD),
    "vrs_directory.url": Harmless(WORD),
    "vrs_directory.responder": Harmless(WORD),
    "vrs_directory.added_at": Harmless(WORD),
    "vrs_mark.mark_no": Harmless(WORD),
    "vrs_mark.gtin": Harmless(WORD),
    "vrs_mark.lot": Harmless(WORD),
    "vrs_mark.serial": Harmless(WORD),
    "vrs_mark.mark": Harmless(WORD),
    "vrs_mark.note": Harmless(WORD),
    "vrs_mark.since": Harmless(WORD),
    "vrs_mark.ended_at": Harmless(WORD),
    "signal.signal_no": Harmless(ASKED),
    "signal.kind": Harmless(ASKED),
    "signal.severity": Harmless(ASKED),
    "signal.about": Harmless(ASKED),
    "signal.party": Harmless(ASKED),
    "signal.requester": Harmless(ASKED),
    "signal.at": Harmless(ASKED),
    "signal.explanation": Harmless(ASKED),
    "signal.innocent": Harmless(ASKED),
    "signal.occasion": Harmless(ASKED),
}


def tell(trade: Trade) -> None:
    """Everything that leaves rows: signed and unsigned, endorsed, declared wrong, without effect, short, recalled."""
    services = trade.node.services
    dock = trade.node.bearer(Role.PARTNER_SYSTEM, party_gln=WHOLESALER)

    def send(*events: Event, by: dict[str, str] | None = None) -> None:
        answer = trade.post_epcis(trade.document(*events), headers=by)
        assert answer.status_code == 202, answer.text

    # Of equal content the smaller id counts: not chance, or the first event would have an effect only now and then.
    made = trade.begun(1, 2, 3, event_id=f"urn:uuid:{uuid.UUID(int=1)}")
    send(made)
    assert trade.post_signed(trade.document(made)).status_code == 201
    assert trade.post_signed(trade.document(trade.begun(4))).status_code == 201
    packing = replace(
        trade.begun(), type=EventType.AGGREGATION, biz_step="packing", parent=PALLET, ilmd=(),
        children=(package(1), package(2), package(3)), event_time=WHEN + timedelta(minutes=10),
    )  # fmt: skip
    shipping = replace(trade.shipped(1), epcs=(PALLET,))
    send(packing, shipping, replace(made, event_id=f"urn:uuid:{uuid.UUID(int=2)}"))
    receiving = replace(shipping, event_id=f"urn:uuid:{uuid.uuid4()}", biz_step="receiving")
    receiving = replace(receiving, disposition="in_progress", event_time=WHEN + timedelta(hours=2))
    counting = replace(
        packing, action=Action.OBSERVE, biz_step="inspecting", children=(package(1), package(2)),
        event_id=f"urn:uuid:{uuid.uuid4()}", disposition="mismatch_quantity", event_time=WHEN + timedelta(hours=3),
    )  # fmt: skip
    send(receiving, counting, by=dock)
    wrong = trade.begun(7, lot="WRONG")
    send(wrong)
    send(replace(wrong, declaration=ErrorDeclaration(WHEN + timedelta(days=1), "incorrect_data")))
    send(replace(trade.begun(8), event_time=NOON + timedelta(days=30)))
    recall = replace(
        trade.begun(4), action=Action.OBSERVE, biz_step="holding", disposition="recalled", ilmd=(),
        event_time=WHEN + timedelta(hours=5),
    )  # fmt: skip
    send(recall)
    late(trade)
    noted(trade)
    handed_out(trade)
    scan = {"data": to_base64(f"01{package(1)[26:40]}211".encode())}
    assert trade.client.post("/verification/checks", json=scan, headers=dock).status_code == 200
    services.node.checkpoint()


def handed_out(trade: Trade) -> None:
    """An authority asked the maker for a package, and was answered."""
    requests = trade.node.services.requests
    search = Search.parse({"gtin": GTIN, "serial": "4"})
    asked = NewRequest(MAKER, Standing.FDA, Reason.RECALL, "R. Doe, FDA", "", "called back", search)
    requests.answer(requests.open(asked, OPERATOR), MAKER, OPERATOR)


def noted(trade: Trade) -> None:
    """An event with two erasable fields, of which one was erased."""
    private = (
        ("http://example.com/ns#contact", compact("Ann Lee")),
        ("http://example.com/ns#note", compact("x")),
    )
    made = replace(trade.begun(12), extensions=private)
    assert trade.post_epcis(trade.document(made)).status_code == 202
    redactions = trade.node.services.redactions
    redactions.redact(made.id, ["ext/http://example.com/ns#note"], "GDPR Art. 17(1)(a)", OPERATOR)


def late(trade: Trade) -> None:
    """A key is revoked; of two acts that it signs all the same, one is adopted and one given up."""
    services = trade.node.services
    made = make_device(trade.folder / "late", trade.folder / "root", "Line 2")
    key = services.keys.register(made.envelope, made.document, made.seed)
    root, old = KeyFolder.open(trade.folder / "root"), KeyFolder.open(trade.folder / "late")
    record = KeyRecord(KeyAction.REGISTER, key.spki, key.role, key.party_gln, key.label)
    signed = revoke(services.node.origin, root.signer, record, key.registered_idx + 1)
    services.keys.apply(signed.envelope.encode(), signed.document, signed.seed)
    raw = trade.document(trade.begun(9))
    parked = [trade.post_signed(raw, old), trade.post_signed(trade.document(trade.begun(10)), old)]
    assert [answer.status_code for answer in parked] == [409, 409]
    leaf = bytes.fromhex(parked[0].get_json()["parked"]["leaf"])
    fields = [each.fields() for each in read(raw).events]
    mine = sign_capture(trade.device, raw, "application/json", fields, (leaf,))
    services.capture.take_signed(mine.envelope, mine.seed, mine.document, mine.content_type)
    given_up = Statement.parse(Envelope.parse(old.outbox()[1].envelope).statement)
    void = sign_void(given_up, services.node.origin, trade.device.signer, "scanned twice")
    services.parking.give_up(void.envelope.encode(), void.document, void.seed)


@dataclass
class Stage:
    """A traded node's database, to be copied, and the rest of the node."""

    path: Path
    node: Node

    def copy(self, folder: Path) -> Database:
        target = folder / f"{uuid.uuid4()}.db"
        shutil.copy(self.path, target)
        return open_engine(f"sqlite:///{target}")

    def audit(self, database: Database) -> FsckReport:
        return fsck(database, replace(self.node, database=database))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The node after its story."""
    folder = tmp_path_factory.mktemp("stage")
    database = open_engine(f"sqlite:///{folder}/packproof.db")
    upgrade(database)
    node = make_node(database, sign_in_per_minute=1000, data_dir=folder / "var")
    tell(Trade(node, folder / "parties"))
    database.dispose()
    node.services.database.dispose()
    tamper(database, "PRAGMA wal_checkpoint(TRUNCATE)")
    yield Stage(folder / "packproof.db", node.services.node)


def change(database: Database, name: str, row: Located) -> None:
    """Change the column `name` in one row.

    Keys differ from run to run, and with them the row that comes first: what is written must never be what stood there.
    """
    table, column = name.split(".")
    everything = f"SELECT {column} FROM {table} ORDER BY {_key(table)}"
    before = rows(database, everything)
    assert _write_other(database, table, column, row) == 1
    assert before != rows(database, everything), "the row was written as it stood"


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _write_other(database: Database, table: str, column: str, row: Located) -> int:
    kind = metadata.tables[table].columns[column].type
    found = f"SELECT min(rowid_) FROM (SELECT {_key(table)} AS rowid_ FROM {table} WHERE {row.where})"
    where = f"WHERE {_key(table)} = ({found})"
    if row.value:
        return tamper(database, f"UPDATE {table} SET {column} = {row.value} {where}")
    if isinstance(kind, LargeBinary):
        with database.reading() as connection:
            old = connection.exec_driver_sql(f"SELECT {column} FROM {table} {where}").scalar()
        new = flipped(bytes(old), len(old) // 2) if old is not None else bytes(32)
        return tamper(database, f"UPDATE {table} SET {column} = ? {where}", [new])
    other = f"coalesce({column}, '') || 'x'" if isinstance(kind, Text) else f"coalesce({column}, 0) + 77777"
    if isinstance(kind, Boolean):
        other = f"coalesce({column}, 0) = 0"
    return tamper(database, f"UPDATE {table} SET {column} = {other} {where}")


def _key(table: str) -> str:
    """What tells rows apart: the first column of the primary key, or all of it."""
    columns = [column.name for column in metadata.tables[table].primary_key.columns]
    return " || '/' || ".join(columns) if len(columns) > 1 else columns[0]


def test_the_table_has_every_column() -> None:
    declared = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        if table.name not in LEDGER_TABLES
        for column in table.columns
    }
    assert set(COLUMNS) == declared


def test_a_node_as_it_traded_has_no_findings(stage: Stage, tmp_path: Path) -> None:
    report = stage.audit(stage.copy(tmp_path))
    assert report.ok, report.findings
    assert report.counts["events"] == 13


@pytest.mark.parametrize("name", [name for name, row in COLUMNS.items() if isinstance(row, Located)])
def test_a_changed_column_is_located(stage: Stage, tmp_path: Path, name: str) -> None:
    row = COLUMNS[name]
    assert isinstance(row, Located)
    database = stage.copy(tmp_path)
    change(database, name, row)
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == row.table, report.findings[0].message
    rests = {found.table for found in report.findings if "packproof rebuild" in found.consequence}
    assert rests <= REBUILT, "a rebuild is promised to mend what it does not write"


@pytest.mark.parametrize(
    "table", ["document", "event", "event_epc", "endorsement", "finding", "party_key", "item", "disclosure"]
)
def test_a_row_that_is_gone_is_missed(stage: Stage, tmp_path: Path, table: str) -> None:
    database = stage.copy(tmp_path)
    key = _key(table)
    last = f"(SELECT max({key}) FROM {table})"
    assert tamper(database, f"DELETE FROM {table} WHERE {key} = {last}") >= 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"


@pytest.mark.parametrize(
    ("table", "key", "column", "named"),
    [
        ("event", "seq", "body", "event"),
        ("event", "seq", "digest", "event"),
        ("document", "doc_id", "raw", "document"),
        ("document", "doc_id", "idx", "event"),
    ],
)
def test_two_rows_that_changed_places_are_named(
    stage: Stage, tmp_path: Path, table: str, key: str, column: str, named: str
) -> None:
    database = stage.copy(tmp_path)
    everything = rows(database, f"SELECT {key}, {column} FROM {table} ORDER BY {key}")
    first, one = everything[0]
    second, other = next(row for row in everything if row[1] != one)
    update = f"UPDATE {table} SET {column} = ? WHERE {key} = ?"
    # By way of a third value: some columns are unique.
    for value, number in ((-1, second), (other, first), (one, second)):
        assert tamper(database, update, [value, number]) == 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == named, report.findings[0].message


@pytest.mark.parametrize(
    ("table", "insert"),
    [
        ("finding", "SELECT max(finding_id) + 1, seq, code, severity, message, item_id, container_id, lasting "
                    "FROM finding WHERE lasting = 0"),
        ("event_epc", "SELECT item_id, seq, role + 1 FROM event_epc WHERE role = 0 LIMIT 1"),
        ("contained", "SELECT bucket, child, f + 1, t, parent FROM contained LIMIT 1"),
    ],
)  # fmt: skip
def test_a_row_that_stands_twice_is_named(stage: Stage, tmp_path: Path, table: str, insert: str) -> None:
    database = stage.copy(tmp_path)
    assert tamper(database, f"INSERT INTO {table} {insert}") == 1
    report = stage.audit(database)
    database.dispose()
    assert not report.ok, "nothing was found"
    assert report.findings[0].table == table, report.findings[0].message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("nonsense", "-"),
        ("evil.example/ledger\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", "origin"),
        ("", "-"),
    ],
)
def test_a_mark_that_is_none_of_this_ledger_is_named(
    stage: Stage, tmp_path: Path, text: str, column: str
) -> None:
    database = stage.copy(tmp_path)
    shutil.copytree(stage.node.data_dir, tmp_path / "var")
    (tmp_path / "var" / "mark").write_text(text)
    report = fsck(
        database, replace(stage.node, database=database, data_dir=tmp_path / "var"), ledger_only=True
    )
    database.dispose()
    assert [(found.invariant, found.table, found.column) for found in report.findings] == [
        ("I4", "mark", column)
    ]
