"""``packproof capture FILE``: take a document in, as the operator of this node or as a party that signs.

Two commands in one word, because people think of one thing: with ``--as`` the file goes into this node's ledger as
*received from* a party; with ``--key`` the party's own client signs it here and sends it to a node.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.capture import prepare, remote, words
from app.capture.inbox import Job
from app.config import Settings
from app.devices.cli import open_folder
from app.errors import Conflict, Invalid
from app.partners import service as partners
from ledger.epcis.document import Document
from ledger.errors import LedgerError
from ledger.log.encoding import from_hex
from ledger.signing.client import KeyFolder, SignedCapture
from ledger.signing.keylife import close

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    capture = commands.add_parser(
        "capture",
        help="take an EPCIS document in, unsigned or signed",
        description="Take an EPCIS document in: 2.0 JSON, 2.0 XML or 1.2 XML.\n"
        "With --as it goes into this node, as received from that party and not signed by it.\n"
        "With --key the party's own key signs it here, and it is sent to the node at --node.",
        epilog="examples:\n"
        "  packproof capture shipment.xml --as 0300011111116\n"
        "  packproof capture commissioning.json --key keys/line-1 --node https://packproof.example\n"
        "  packproof capture shipment.json --key keys/dock-3 --passphrase-file dock-3.txt \\\n"
        "      --also keys/mia --also-passphrase-file mia.txt --node https://packproof.example\n"
        "\nThe same document again changes nothing and gives the same receipt. One of more than 1,000 events is\n"
        "validated whole and applied by slices; the command says how far it is, and may be ended and given again.",
    )
    capture.add_argument("file", metavar="FILE", type=Path)
    how = capture.add_mutually_exclusive_group(required=True)
    how.add_argument("--as", dest="by", metavar="GLN", help="the party whose document it is")
    how.add_argument("--key", type=Path, metavar="FOLDER", help="the key folder of the party's device")
    capture.add_argument("--node", metavar="URL", help="the node to send it to; with --key")
    capture.add_argument(
        "--adopt",
        type=_leaf,
        metavar="LEAF",
        help="the parked act of an ended key that this takes over; with --key",
    )
    capture.add_argument(
        "--of",
        type=Path,
        metavar="FOLDER",
        help="with --adopt: the folder of the key that signed it first, which lists it no more",
    )
    capture.add_argument(
        "--ref",
        type=_leaf,
        metavar="LEAF",
        action="append",
        help="a statement that this one refers to, such as the shipping of what it receives; with --key",
    )
    capture.add_argument(
        "--also",
        type=Path,
        metavar="FOLDER",
        action=_Also,
        help="another key of the party that signs along, such as the person's at the device; with --key",
    )
    capture.add_argument(
        "--also-passphrase-file",
        type=Path,
        metavar="FILE",
        dest="also",
        action=_AlsoOpenedBy,
        help="what opens the key of the --also before it, if it is locked (default: asked for)",
    )
    capture.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="what opens a locked key; with --key"
    )
    capture.set_defaults(run=_capture)


class _Also(argparse.Action):
    """Keep each key that signs along with the file that opens it: none, until one is named."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: Any = None) -> None:
        namespace.also = [*(namespace.also or ()), (values, None)]


class _AlsoOpenedBy(argparse.Action):
    """The file that opens the key named last."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        if not namespace.also or namespace.also[-1][1] is not None:
            parser.error(f"{option} goes behind the --also whose key it opens")
        namespace.also = [*namespace.also[:-1], (namespace.also[-1][0], values)]


def _leaf(text: str) -> bytes:
    try:
        return from_hex(text, length=32)
    except LedgerError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no leaf: 64 hex digits") from error


def _capture(arguments: argparse.Namespace, context: "Context") -> None:
    if arguments.key is None:
        for option in ("node", "adopt", "of", "ref", "also", "passphrase_file"):
            if getattr(arguments, option) is not None:
                name = option.replace("_", "-")
                raise Invalid("usage", f"--{name} goes with --key", "", "leave one of them out")
        _receive(arguments, context)
    else:
        if arguments.node is None:
            raise Invalid("usage", "--key needs --node", "", "say where to send it: --node URL")
        _send(arguments, context)


def _receive(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    gln = partners.checked_gln(arguments.by)
    raw = _read(arguments.file, node.settings.max_body_bytes)
    document = _document(raw, node.settings)
    past = words.expired(document, node.clock.now().date())
    del document  # a long one is read again by whoever works on it: never twice in memory
    node.worker.background = False  # this process works itself, and says how far it is
    taken = node.capture.receive(raw, None, by=gln, channel="file", actor=context.actor)
    if isinstance(taken, Job):
        _finish(taken, past, context)
        return
    receipt = taken
    with node.database.reading() as connection:
        name = partners.names(connection, [receipt.by]).get(receipt.by, receipt.by)
        objects = words.objects_of(connection, receipt)
    data = receipt.as_json() | {
        "expired": [{"lot": each.lot, "on": each.on, "packages": each.packages} for each in past]
    }
    context.show(data, words.told(receipt, past, node.node.origin, name, objects))


def _finish(taken: Job, past: tuple[words.Expired, ...], context: "Context") -> None:
    """Take a long document to its end, or wait for whoever does, and say how far it is."""
    node = context.services
    shown = words.Applied(sys.stderr)
    done = node.worker.finish(taken.job_id, lambda job, mark, events: shown.at(mark, events))
    told = node.capture.job(done.job_id)
    assert told is not None
    if done.problem is not None:
        raise words.refused(done.problem)
    data = told["receipt"] | {"expired": [asdict(each) for each in past]}
    with node.database.reading() as connection:
        name = partners.names(connection, [data["by"]]).get(data["by"], data["by"])
    context.show(data, words.told_long(data, past, node.node.origin, name))


def _send(arguments: argparse.Namespace, context: "Context") -> None:
    limits = context.settings
    raw = _read(arguments.file, limits.max_body_bytes)
    document = _document(raw, limits)
    shown = words.Applied(sys.stderr)
    folder = open_folder(arguments.key, arguments.passphrase_file)
    source = folder if arguments.of is None or arguments.adopt is None else open_folder(arguments.of, None)
    parked = None if arguments.adopt is None else _parked(source, arguments.adopt)
    if parked is not None and parked.document != raw:
        raise Conflict(
            "adopt.other_document",
            "That is another document than the parked one",
            f"{arguments.file} is not what was signed under the leaf {arguments.adopt.hex()}. Nothing was sent.",
            "packproof key parked --key FOLDER --out DIR writes each parked document: give that file.",
        )
    refs = (*(() if arguments.adopt is None else (arguments.adopt,)), *(arguments.ref or ()))
    also = [open_folder(path, passphrase_file) for path, passphrase_file in arguments.also or ()]
    receipt, late = remote.sign_and_send(
        folder, arguments.node, raw, document, shown.at, refs=refs, also=also
    )
    if (
        parked is not None
    ):  # what was taken over waits no longer in the folder of the key that signed it first
        close(source, parked, {"code": "capture.adopted", "index": receipt.get("index")})
    events = receipt.get("event_count", len(receipt.get("events", [])))
    lines = [
        f"{events} event{'' if events == 1 else 's'} signed for {receipt.get('by')}, "
        f"{'already here, ' if receipt.get('known') else ''}entry {receipt.get('index')}.",
        f"Receipt: leaf {receipt.get('leaf')}",
    ]
    if late:
        lines.append(f"{late} signed earlier and not acknowledged then went first.")
    lines += [f"Tolerated: {note.get('message')}" for note in receipt.get("notes", [])]
    lines += [
        f"Found ({f.get('severity')}, {f.get('code')}): {f.get('message')}"
        for f in receipt.get("findings", [])
    ]
    context.show({**receipt, "sent_late": late}, "\n".join(lines))


def _parked(folder: KeyFolder, leaf: bytes) -> SignedCapture | None:
    """The capture of this folder that the node parked under the leaf."""
    for each in folder.refused_captures():
        told = (each.receipt or {}).get("parked")
        if isinstance(told, dict) and told.get("leaf") == leaf.hex():
            return each
    return None


def _read(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as stream:
        raw = stream.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise Invalid(
            "document.too_large",
            "This file is too large",
            f"{path} has more than {most_bytes} bytes",
            "Send it in smaller documents, or raise PACKPROOF_MAX_BODY_BYTES.",
            status=413,
        )
    return raw


def _document(raw: bytes, settings: Settings) -> Document:
    return prepare.read_document(raw, None, settings.max_document_events, settings.max_body_bytes)
