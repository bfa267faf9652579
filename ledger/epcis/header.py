"""What stands round the events: who sends to whom, master data, the DSCSA transaction statement.

    sender      "urn:epc:id:sgln:030001.111111.0", "0300011111116", ...      -> "0300011111116"
    gs1ushc:guidelineVersion, gs1ushc:dscsaTransactionStatement               -> TransactionStatement

GS1 US R1.2 and R1.3 differ in the direct-purchase elements; both are read. The elements may stand in the statement
or beside it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ledger.custody.event import compact
from ledger.epcis.document import Document, LocationMaster, NoteCode, ProductMaster, TransactionStatement
from ledger.epcis.errors import ValueProblem
from ledger.epcis.masterdata import Entries
from ledger.epcis.names import USHC
from ledger.epcis.report import Report
from ledger.epcis.trees import Tree, elements, text_of
from ledger.epcis.values import EpcReader
from ledger.gs1.epc import Pgln, Sgln, parse_epc
from ledger.gs1.errors import Gs1Error, shown
from ledger.gs1.gln import Gln

STATEMENT = f"{USHC}#dscsaTransactionStatement"
GUIDELINE = f"{USHC}#guidelineVersion"
AFFIRM = f"{USHC}#affirmTransactionStatement"
LEGAL_NOTICE = f"{USHC}#legalNotice"
DIRECT = f"{USHC}#directPurchase"
DIRECT_STATEMENT = f"{USHC}#directPurchaseStatement"
RECEIVED_DIRECT = f"{USHC}#receivedDirectPurchaseFromPrevWhlsDist"
INDIRECT_EPCS = f"{USHC}#indirectPurchaseEPCs"
_PARTS = (AFFIRM, LEGAL_NOTICE, DIRECT, DIRECT_STATEMENT, RECEIVED_DIRECT, INDIRECT_EPCS)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_KNOWN_GUIDELINES = ("R1.2", "R1.3")


@dataclass(frozen=True, slots=True)
class Front:
    """A document without its events."""

    sender: str | None
    receiver: str | None
    instance_id: str | None
    products: tuple[ProductMaster, ...]
    locations: tuple[LocationMaster, ...]
    statement: TransactionStatement | None
    headers: tuple[tuple[str, str], ...]


def front(
    report: Report,
    *,
    sender: tuple[str | None, str],
    receiver: tuple[str | None, str],
    instance_id: str | None,
    entries: Entries,
    others: dict[str, Tree],
    where: str,
) -> Front:
    """The front of a document from its parts; `others` are the header's further members by expanded name."""
    left = dict(others)
    statement = _statement(left, report, where)
    for name in left:
        report.note(
            NoteCode.UNKNOWN_HEADER_KEPT, f"the header member {shown(name)} is kept and not understood", where
        )
    products, locations = entries.build(report)
    return Front(
        _party(*sender, report),
        _party(*receiver, report),
        instance_id,
        products,
        locations,
        statement,
        tuple((name, compact(left[name])) for name in sorted(left)),
    )


def members_of(document: Document, epc: Callable[[str], str]) -> Iterator[tuple[str, Tree]]:
    """The header's members, as `front` reads them, by expanded name: the statement in its R1.3 form, and what was
    unknown.
    """
    statement = document.statement
    if statement is not None:
        if statement.guideline_version is not None:
            yield GUIDELINE, statement.guideline_version
        yield STATEMENT, _statement_tree(statement, epc)
    for name, text in document.headers:
        yield name, json.loads(text)


def _statement_tree(statement: TransactionStatement, epc: Callable[[str], str]) -> Tree:
    found: dict[str, Tree] = {AFFIRM: _word(statement.affirmed)}
    if statement.legal_notice is not None:
        found[LEGAL_NOTICE] = statement.legal_notice
    direct = statement.direct_purchase
    if direct is not None:
        found[DIRECT] = direct if direct in _BOOLEANS else {"@qualifier": direct}
    if statement.direct_purchase_statement is not None:
        found[DIRECT_STATEMENT] = statement.direct_purchase_statement
    if statement.received_direct_purchase is not None:
        found[RECEIVED_DIRECT] = _word(statement.received_direct_purchase)
    if statement.indirect_epcs:
        found[INDIRECT_EPCS] = {"epc": [epc(text) for text in statement.indirect_epcs]}
    found.update((name, json.loads(text)) for name, text in statement.other)
    return found


def _word(value: bool) -> str:
    return "true" if value else "false"


def _party(text: str | None, where: str, report: Report) -> str | None:
    """The GLN in `text`: bare, or as SGLN or PGLN in any spelling."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    try:
        if text.isascii() and text.isdigit():
            return Gln.parse(text).digits
        epc = parse_epc(text)
        if isinstance(epc, Sgln | Pgln):
            return epc.gln.digits
        reason = "it names no party"
    except Gs1Error as problem:
        reason = problem.message
    report.note(NoteCode.PARTY_NOT_A_GLN, f"the party {shown(text)} is left out: {reason}", where)
    return None


def _statement(left: dict[str, Tree], report: Report, where: str) -> TransactionStatement | None:
    """The transaction statement; what it uses is taken out of `left`."""
    found = left.get(STATEMENT)
    if found is None:
        return None
    del left[STATEMENT]
    version = text_of(left.pop(GUIDELINE, None))
    if version is not None and not any(known in version for known in _KNOWN_GUIDELINES):
        report.note(
            NoteCode.GUIDELINE_UNKNOWN,
            f"the guideline {shown(version)} is not known; read as {_KNOWN_GUIDELINES[-1]}",
            where,
        )
    parts = dict(found) if isinstance(found, dict) else {}
    for name in _PARTS:
        if name not in parts and name in left:
            parts[name] = left.pop(name)
    affirmed = _boolean(parts.pop(AFFIRM, None), "affirmTransactionStatement", report, where)
    if affirmed is None:
        report.note(
            NoteCode.STATEMENT_UNREADABLE,
            "the transaction statement does not say whether it is affirmed: it counts as not affirmed",
            where,
        )
    direct = parts.pop(DIRECT, None)
    return TransactionStatement(
        affirmed=affirmed is True,
        legal_notice=text_of(parts.pop(LEGAL_NOTICE, None)),
        guideline_version=version,
        direct_purchase=_direct(direct),
        direct_purchase_statement=text_of(parts.pop(DIRECT_STATEMENT, None)),
        received_direct_purchase=_boolean(
            parts.pop(RECEIVED_DIRECT, None), "receivedDirectPurchaseFromPrevWhlsDist", report, where
        ),
        indirect_epcs=_epcs(parts.pop(INDIRECT_EPCS, None), report, where),
        other=tuple((name, compact(parts[name])) for name in sorted(parts)),
    )


def _direct(value: Tree | None) -> str | None:
    if isinstance(value, dict):
        qualifier = value.get("@qualifier", value.get("qualifier"))
        if isinstance(qualifier, str):
            return qualifier
    return text_of(value)


def _boolean(value: Tree | None, what: str, report: Report, where: str) -> bool | None:
    if value is None:
        return None
    text = text_of(value)
    known = _BOOLEANS.get(text) if text is not None else None
    if known is None:
        report.note(NoteCode.STATEMENT_UNREADABLE, f"{what} is true or false, not {shown(str(text))}", where)
    return known


def _epcs(value: Tree | None, report: Report, where: str) -> tuple[str, ...]:
    """EPCs of a list element, whatever its children are called (`epc` in the guideline)."""
    if isinstance(value, dict):
        texts = [item for inner in value.values() for item in elements(inner)]
    else:
        texts = elements(value)
    reader, found = EpcReader(), []
    for text in texts:
        try:
            found.append(reader.canonical(text if isinstance(text, str) else ""))
        except ValueProblem as problem:
            report.note(NoteCode.STATEMENT_UNREADABLE, f"indirectPurchaseEPCs: {problem.message}", where)
    return tuple(dict.fromkeys(found))
