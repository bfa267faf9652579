"""``packproof recall GTIN LOT``: call a lot back, and say who has it."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.capture import remote
from app.devices.cli import open_folder
from app.errors import Invalid
from app.products import service as products
from app.recalls import service
from app.shared.audit import record
from ledger.epcis.read import read

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    recall = commands.add_parser(
        "recall",
        help="call a lot back, and say who has it",
        description="Record a lot's recall on behalf of its maker, or signed by the maker's own key, and list every "
        "holder, packages inside unopened containers included.",
        epilog="examples:\n"
        "  packproof recall 00312345678906 A123\n"
        "  packproof recall 00312345678906 A123 --key maker-keys --node http://127.0.0.1:8000\n"
        "  packproof recall 00312345678906 A123 --where     # only say who has it\n"
        "  packproof recall 00312345678906 A123 --end       # take it back",
    )
    recall.add_argument("gtin", metavar="GTIN")
    recall.add_argument("lot", metavar="LOT", help="as printed; capitals matter")
    recall.add_argument("--where", action="store_true", help="record nothing, only list the holders")
    recall.add_argument("--end", action="store_true", help="end the lot's recall instead")
    recall.add_argument("--key", type=Path, metavar="FOLDER", help="the maker's key folder; signs the recall")
    recall.add_argument("--passphrase-file", type=Path, metavar="FILE", help="what opens a locked key")
    recall.add_argument("--node", metavar="URL", help="the node to send a signed recall to")
    recall.set_defaults(run=_recall)


def _recall(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    lot = service.lot_of(arguments.gtin, arguments.lot)
    recorded = None if arguments.where else _record(arguments, context)
    started = time.perf_counter()
    with services.database.snapshot() as connection:
        found = service.whereabouts(connection, lot)
    took_ms = (time.perf_counter() - started) * 1000
    data = {
        "gtin": lot.gtin.digits,
        "lot": lot.lot,
        "entry": recorded,
        "packages": found.packages,
        "took_ms": round(took_ms, 1),
        "holders": [
            {"gln": h.gln, "name": h.name, "state": h.state, "packages": h.packages, "inferred": h.inferred}
            for h in found.holdings
        ],
    }
    word = "no longer recalled" if arguments.end else "recalled"
    lines = [f"Lot {lot.lot} is {word}; entry {recorded} says so."] if recorded is not None else []
    lines.append(f"{found.packages} packages, every holder found in {took_ms:.0f} ms:")
    for each in found.holdings:
        seen = f", {each.inferred} of them only by their container's label" if each.inferred else ""
        lines.append(f"  {each.packages:6}  {each.state:12} {each.name} ({each.gln}){seen}")
    context.show(data, "\n".join(lines))


def _record(arguments: argparse.Namespace, context: "Context") -> int:
    services = context.services
    lot = service.lot_of(arguments.gtin, arguments.lot)
    with services.database.reading() as connection:
        service.whereabouts(connection, lot)
        maker = products.makers(connection, [lot.gtin.digits]).get(lot.gtin.digits)
    if maker is None:
        raise Invalid(
            "recall.no_maker",
            "This product's maker is not on this node",
            f"GTIN {lot.gtin.digits}",
            "Register it first: packproof product add GTIN --maker GLN",
        )
    raw = service.recall_document(lot, services.clock.now(), maker, ends=arguments.end)
    if arguments.key is not None:
        if not arguments.node:
            raise Invalid("recall.node", "A signed recall needs --node URL")
        folder = open_folder(arguments.key, arguments.passphrase_file)
        sent, _ = remote.sign_and_send(folder, arguments.node, raw, read(raw, "application/json"))
        return int(sent["index"])
    receipt = services.capture.receive(raw, "application/json", by=maker, channel="file", actor=context.actor)
    with services.database.writing() as connection:
        action = "recall.end" if arguments.end else "recall.open"
        record(connection, services.clock, context.actor, action, subject=lot.canonical, whose=maker)
    return receipt.index
