"""Events as a table that people sort and programs read: one line for each package or container an event names."""

from collections.abc import Iterator, Mapping, Sequence

from app.custody.items import item_name
from app.custody.shipped import Inner
from app.exceptions.rules import KINDS
from app.history.rules import said
from app.history.search import Line
from app.shared.spreadsheet import safe
from ledger.custody.act import gln_of
from ledger.custody.event import EXPIRY, LOT

MOST_LINES = 100_000  # of one answer
COLUMNS = (
    "event_time_utc",
    "recorded_at_utc",
    "step",
    "what",
    "action",
    "disposition",
    "epc",
    "gtin",
    "serial",
    "sscc",
    "lot",
    "expiry",
    "container",
    "reported_by_gln",
    "reported_by",
    "from_gln",
    "from",
    "to_gln",
    "to",
    "seller_gln",
    "buyer_gln",
    "place_gln",
    "documents",
    "signed_by_reporter",
    "correction",
    "findings",
    "event_id",
    "ledger_entry",
)


def count(each: Line) -> int:
    """How many lines an event takes."""
    return max(1, len(each.event.all_epcs()) or len(each.event.lots()))


def lines(
    found: Sequence[Line], names: Mapping[str, str], known: Mapping[str, Inner]
) -> Iterator[tuple[str, ...]]:
    """The cells of `COLUMNS`, line by line; `names` are companies by GLN, `known` packages by canonical EPC."""
    for each in found:
        for epc in each.event.all_epcs() or each.event.lots() or ("",):
            yield tuple(map(safe, _cells(each, epc, names, known.get(epc))))


def correction(each: Line) -> str:
    """What stands against an event, in a word or two; '' where nothing does."""
    if each.declares_error:
        return "says that an earlier event was wrong"
    if each.declared_wrong:
        return "declared wrong"
    return "" if each.effective else "no effect"


def in_words(code: str) -> str:
    """A finding as the exceptions desk calls it."""
    kind = KINDS.get(code)
    return kind.title if kind is not None else code.replace("_", " ")


def _cells(each: Line, epc: str, names: Mapping[str, str], known: Inner | None) -> Iterator[str]:
    event, name = each.event, item_name(epc)
    yield f"{event.event_time:%Y-%m-%dT%H:%M:%SZ}"
    yield f"{each.recorded_at:%Y-%m-%dT%H:%M:%SZ}"
    yield event.biz_step or ""
    yield said(event.biz_step)
    yield event.action.value if event.action else ""
    yield event.disposition or ""
    yield epc
    yield name.gtin or ""
    yield name.serial if name.ns.startswith("01/") else ""
    yield name.serial if name.ns == "00" else ""
    lot = known.lot if known is not None else name.serial if name.ns.startswith("10/") else ""
    yield event.ilmd_text(LOT) or lot
    yield event.ilmd_text(EXPIRY) or (known.expiry if known is not None else "")
    yield event.parent or ""
    yield each.by
    yield names.get(each.by, "")
    for gln in (each.sender, each.recipient):
        yield gln or ""
        yield names.get(gln or "", "")
    yield each.seller or ""
    yield each.buyer or ""
    yield gln_of(event.read_point or event.biz_location) or ""
    yield " ".join(f"{linked.type}={linked.id}" for linked in event.transactions)
    yield "yes" if each.signed else "no"
    yield correction(each)
    yield " ".join(each.findings)
    yield event.id
    yield str(each.index)
