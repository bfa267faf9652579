"""An answered scan as data: what the scanner, the API and the pages show. One shape for all three."""

from typing import Any

from app.verification.service import Result
from app.vrs.asking import Said


def answer(result: Result) -> dict[str, Any]:
    """The JSON members of an answered scan; docs/reference/api.md, Checks, explains each."""
    verdict, label, record, product = result.verdict, result.label, result.record, result.product
    return {
        "id": result.check_id,
        "at": result.at.isoformat(),
        "word": verdict.word.value,
        "reason": verdict.reason.value,
        "others": [reason.value for reason in verdict.others],
        "next_step": result.next_step,
        "offline": False,
        "knowledge_age_s": result.knowledge_age_s,
        "subject": result.subject,
        "raw_hex": result.raw.hex(),
        "label": {
            "gtin": label.gtin,
            "serial": label.serial,
            "lot": label.lot,
            "expiry": label.expiry.isoformat() if label.expiry else None,
            "sscc": label.sscc,
            "notes": list(label.notes),
            "error": label.error,
        },
        "product": None
        if product is None
        else {
            "gtin": product.gtin,
            "name": product.name,
            "strength": product.strength,
            "dosage_form": product.dosage_form,
            "net_content": product.net_content,
            "ndc": product.ndc,
            "manufacturer": product.manufacturer,
        },
        "record": None
        if record is None
        else {
            "lot": record.lot,
            "expiry": record.expiry,
            "status": record.status,
            "yours": record.yours,
            "owned": record.owned,
            "in_transit": record.in_transit,
            "inferred": record.inferred,
            "inside": list(record.inside),
            "last_custodian": record.last_custodian,
            "since": record.since.isoformat() if record.since else None,
        },
        "contents": None
        if result.contents is None
        else {
            "packages": result.contents.packages,
            "by_word": result.contents.by_word,
            "inferred": result.contents.inferred,
            "missing": result.contents.missing,
            "apart": [
                {
                    "epc": each.epc,
                    "word": each.word.value,
                    "reason": each.reason.value,
                    "inside": each.inside,
                }
                for each in result.contents.apart
            ],
        },
        "licensed": result.licensed,
        "maker": _maker(result.maker_said),
        "open_cases": [
            {"id": each.case_id, "desk": each.desk.value, "title": each.title} for each in result.blocked_by
        ],
        "near": result.near or None,
        "chase": None
        if result.chase is None
        else {"who": result.chase.who, "by": result.chase.by.isoformat()},
        "latency_ms": round(result.latency_ms, 1),
    }


def _maker(said: Said | None) -> dict[str, Any] | None:
    """What the maker's own node answered; None where it was not asked."""
    if said is None:
        return None
    answer = said.answer
    return {
        "at": said.at.isoformat(),
        "answered": answer is not None,
        "verified": answer.verified if answer else None,
        "reason": answer.failure.value if answer and answer.failure else None,
        "info": answer.info.value if answer and answer.info else None,
        "why": said.why or None,
        "responder": said.responder or None,
        "corr_uuid": said.corr_uuid or None,
    }
