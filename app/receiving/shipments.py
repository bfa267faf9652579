"""What is on its way to a party, as deliveries: the seller's shipping events of one despatch advice together, with
what has to be known before any of it is accepted: whether he is authorized, and whether he affirmed the transaction
statement."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.custody import inbound as custody
from app.custody import loading
from app.errors import NotFound
from app.events import acts as events
from app.partners import licences
from app.partners import service as partners
from app.receiving import kept
from ledger.custody.act import Act
from ledger.gs1.element_string import parse_scan
from ledger.gs1.epc import Epc, parse_any
from ledger.gs1.errors import Gs1Error


@dataclass(frozen=True, slots=True)
class Shipment:
    """A delivery on its way here: the seller's shipping events of one despatch advice. `affirmed`: whether each came
    with an affirmed transaction statement; `standing`: why the seller is authorized, or why not."""

    seqs: tuple[int, ...]
    seller_gln: str | None
    seller: str
    reference: str
    purchase_order: str
    shipped_at: datetime
    objects: int
    affirmed: bool
    authorized: bool
    standing: str
    receiving_id: str | None = None

    @property
    def label(self) -> str:
        """How a page names it: by the first of its events."""
        return f"#{self.seqs[0]}"


def inbound(connection: Connection, party_gln: str) -> list[Shipment]:
    """The deliveries on their way to a party, the oldest first."""
    party = partners.by_gln(connection, party_gln)
    if party is None:
        return []
    found = custody.inbound(connection, party.party_id)
    acts = {each.seq: each.act for each in events.read(connection, [one.seq for one in found])}
    groups: dict[tuple[int, str], list[custody.Inbound]] = {}
    for one in found:
        # A delivery has one despatch advice; without one, each event is a delivery.
        number = _number(acts[one.seq], "desadv") or f"#{one.seq}"
        groups.setdefault((one.sender_id, number), []).append(one)
    glns = partners.glns(connection, {sender for sender, _ in groups})
    names = partners.names(connection, glns.values())
    asked = {(sender, group[0].shipped_at) for (sender, _), group in groups.items()}
    standings = licences.standings(connection, asked)
    running = {
        int(seq): each.receiving_id
        for each in kept.listed(connection, party.party_id, (kept.OPEN, kept.FINISHING))
        for seq in each.data["seqs"]
    }
    shipments = []
    for (sender, _), group in groups.items():
        first = acts[group[0].seq]
        standing = standings[sender, group[0].shipped_at]
        seqs = tuple(one.seq for one in group)
        shipments.append(
            Shipment(
                seqs=seqs,
                seller_gln=glns[sender],
                seller=names.get(glns[sender], glns[sender]),
                reference=_number(first, "desadv"),
                purchase_order=_number(first, "po"),
                shipped_at=group[0].shipped_at,
                objects=sum(one.objects for one in group),
                affirmed=all(acts[seq].statement is True for seq in seqs),
                authorized=standing.authorized,
                standing=standing.why,
                receiving_id=next((running[seq] for seq in seqs if seq in running), None),
            )
        )
    return shipments


def find(connection: Connection, text: str, party_gln: str) -> Shipment:
    """The delivery that a label in it, or the number of its despatch advice or order, names. Raises `NotFound`."""
    asked = text.strip()
    seq = _by_label(connection, asked, party_gln)
    for each in inbound(connection, party_gln):
        if (
            asked == each.label
            or seq in each.seqs
            or (asked and asked in (each.reference, each.purchase_order))
        ):
            return each
    raise NotFound(
        "Nothing on its way to you has this",
        f"{asked[:80]!r} is no label in a delivery that is on its way here, and no number of one.",
        "Its data may be late: ask the seller, and set the goods aside until it is here.",
    )


def _by_label(connection: Connection, text: str, party_gln: str) -> int | None:
    party, key = partners.by_gln(connection, party_gln), _epc(text)
    if party is None or key is None:
        return None
    loaded = loading.load(connection, [key])
    if key not in loaded.world.items:
        return None
    outer = loaded.world.outer(loaded.world.item(key))
    return custody.shipment_of(connection, loaded.ids[outer.key], party.party_id)


def _number(act: Act, kind: str) -> str:
    """The number of the act's document of this kind, without the GLN under which it was given."""
    return next((one.id.rpartition(":")[2] for one in act.event.transactions if one.type == kind), "")


def _epc(text: str) -> str | None:
    """The canonical EPC in what was scanned or typed; None where it names nothing."""
    for read in (_scanned, parse_any):
        try:
            found = read(text)
        except Gs1Error:
            continue
        if found is not None:
            return found.canonical
    return None


def _scanned(text: str) -> Epc | None:
    return parse_scan(text.encode("utf-8", "replace")).epc


def is_bound_for(connection: Connection, epc: str, party_gln: str | None) -> bool:
    """Whether what is under way is on its way to this party."""
    loaded = loading.load(connection, [epc])
    return loaded.world.outer(loaded.world.item(epc)).bound_for == party_gln
