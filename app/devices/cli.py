"""``packproof key ...``: a party's own keys, on the party's own machine. Nothing here needs a node's database.

The root signs here and only its signature travels; ``docs/operating/keys.md`` tells the whole life of a key.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.devices.remote import send
from app.errors import AppError, Invalid
from ledger.errors import LedgerError
from ledger.log.encoding import from_base64
from ledger.signing.client import REVOCATION, KeyFolder, SignedCapture, load_registration, make_device
from ledger.signing.holder import Place
from ledger.signing.keyfile import read_passphrase
from ledger.signing.keylife import KnownKey, close, closed_capture, end_key, pending_void, reinstate
from ledger.signing.keyrecord import Action, Role
from ledger.signing.keys import thumbprint
from ledger.signing.unlocking import open_folder as unlocked_folder

if TYPE_CHECKING:
    from app.cli import Context

KEYS = "/ledger/keys"
VOIDS = "/ledger/voids"


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    key = commands.add_parser(
        "key",
        help="a party's keys: list, make, rotate, suspend, take back, revoke; what late keys signed",
        description="A party's own keys, on its own machine. The root signs here; only what it signed is sent.",
        epilog="examples:\n"
        "  packproof key list --key safe --node https://packproof.example\n"
        "  packproof key rotate --key safe --old dock-3 --new dock-3b --node https://packproof.example\n"
        "  packproof key revoke 5b1c... --key safe --suspect-since 812 --node https://packproof.example\n"
        "  packproof key revoke --lost-root revocation.json --node https://packproof.example\n"
        "  packproof key parked --key dock-3 --out late",
    )
    key.set_defaults(parser=key)
    actions = key.add_subparsers(title="actions", metavar="ACTION")
    _register_living(actions)
    _register_ending(actions)
    _register_late(actions)


def _register_living(actions: Any) -> None:
    """Looking at keys, making them, putting one in another's place."""
    listed = _action(actions, "list", "every key of the party, and how it stands", _list)
    _signing(listed, "the folder of a root of the party")
    shown = _action(actions, "show", "how the key in a folder stands", _show)
    _signing(shown, "the key's folder")
    made = _action(
        actions, "make", "make a key and register it: a device's, a person's, a further root", _make
    )
    _signing(made, "the folder of the root that vouches for it")
    made.add_argument("--label", required=True, help="what people call it")
    made.add_argument("--role", choices=("device", "person", "root"), default="device")
    _new(made)
    rotated = _action(
        actions,
        "rotate",
        "put a new key in the place of an old one, which signs for it and is revoked",
        _rotate,
    )
    _signing(rotated, "the folder of the party's root; for a root, the old one's own")
    rotated.add_argument("--old", type=Path, required=True, metavar="FOLDER", help="the key that goes")
    _new(rotated)


def _register_ending(actions: Any) -> None:
    """Letting a key not count, for a while or for good."""
    for name, told, run in (
        ("suspend", "let a key not count until it is taken back", _suspend),
        ("revoke", "end a key for good", _revoke),
    ):
        ended = _action(actions, name, told, run)
        ended.add_argument(
            "which", metavar="THUMBPRINT", nargs="?", help="the key, as packproof key list shows it"
        )
        _signing(ended, "the folder of a root of the party", required=name == "suspend")
        if name == "revoke":
            ended.add_argument(
                "--suspect-since",
                type=int,
                metavar="INDEX",
                help="from which entry its signatures are in doubt",
            )
            ended.add_argument(
                "--lost-root",
                type=Path,
                metavar="FILE",
                help=f"the root's own {REVOCATION}, signed when it was made",
            )
    back = _action(actions, "reinstate", "take a suspended key back", _reinstate)
    _signing(back, "the folder of a root of the party")
    back.add_argument("--folder", type=Path, required=True, metavar="FOLDER", help="the suspended key's")


def _register_late(actions: Any) -> None:
    """What a key signed and a node did not take."""
    parked = _action(
        actions, "parked", "what a node did not take from a key, and waits for a person", _parked
    )
    parked.add_argument("--key", type=Path, required=True, metavar="FOLDER", help="the key's folder")
    parked.add_argument(
        "--out", type=Path, metavar="DIR", help="write each document there, to look at or adopt"
    )
    _passphrase(parked)
    rejected = _action(actions, "reject", "give an act up that was not taken: its number is closed", _reject)
    _signing(rejected, "the folder of a valid device's or person's key of the party")
    rejected.add_argument("--of", type=Path, metavar="FOLDER", help="whose act it is (default: --key)")
    rejected.add_argument(
        "--seq", type=int, required=True, help="its number, as packproof key parked shows it"
    )
    rejected.add_argument("--why", required=True, help="for people; it is committed to, and names nobody")


def _action(actions: Any, name: str, told: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=told)
    parser.set_defaults(run=run)
    return parser


def _signing(parser: argparse.ArgumentParser, which: str, *, required: bool = True) -> None:
    parser.add_argument("--key", type=Path, required=required, metavar="FOLDER", help=which)
    parser.add_argument("--node", required=True, metavar="URL", help="the node")
    _passphrase(parser)


def _passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="what opens --key, if it is locked (default: asked for)",
    )


def _new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--new", type=Path, required=True, metavar="FOLDER", help="a new folder for the new key"
    )
    parser.add_argument("--new-passphrase-file", type=Path, metavar="FILE", help="lock the new key with this")
    parser.add_argument(
        "--token", metavar="URI", help="keep the new key in a token: pkcs11:token=...;object=..."
    )


def open_folder(path: Path, passphrase_file: Path | None) -> KeyFolder:
    """The key folder at `path`; its passphrase from the file, or asked for where the key is locked."""
    try:
        return unlocked_folder(path, passphrase_file)
    except LedgerError as error:
        raise _cannot(error) from error


def _cannot(error: LedgerError) -> AppError:
    return AppError(f"client.{error.code}", 400, "It cannot be signed", str(error))


def _told(key: Mapping[str, Any]) -> str:
    ended = f" at {key.get('ended_index')}" if key.get("ended_index") is not None else ""
    doubt = f", in doubt since {key['suspect_since']}" if key.get("suspect_since") is not None else ""
    return (
        f"{key.get('thumbprint')!s}  {key.get('role')!s:<7} {key.get('state')!s}{ended}{doubt}  "
        f"(registered at {key.get('registered_index')})  {key.get('label')}"
    )


def _list(arguments: argparse.Namespace, context: "Context") -> None:
    root = open_folder(arguments.key, arguments.passphrase_file)
    if root.role is not Role.ROOT:
        raise Invalid("client.key-folder", "Only a root's folder lists the party's keys", str(arguments.key))
    answer = send(arguments.node, KEYS, root.registration)
    context.show(answer["keys"], "\n".join(_told(each) for each in answer["keys"]))


def _show(arguments: argparse.Namespace, context: "Context") -> None:
    folder = open_folder(arguments.key, arguments.passphrase_file)
    answer = send(arguments.node, KEYS, folder.registration)
    context.show(answer["key"], _told(answer["key"]))


def _make(arguments: argparse.Namespace, context: "Context") -> None:
    root = open_folder(arguments.key, arguments.passphrase_file)
    key = _made(arguments, root, arguments.label, Role(arguments.role), None)
    context.show(key, _told(key))


def _made(
    arguments: argparse.Namespace, root: KeyFolder, label: str, role: Role, replaces: KeyFolder | None
) -> Mapping[str, Any]:
    try:
        place = Place(read_passphrase(arguments.new_passphrase_file), arguments.token)
        if (arguments.new / "registration.json").exists():
            made = load_registration(
                arguments.new / "registration.json"
            )  # a try before got as far as the key
        else:
            made = make_device(arguments.new, root, label, role, place=place, replaces=replaces)
    except LedgerError as error:
        raise _cannot(error) from error
    found: Mapping[str, Any] = send(arguments.node, KEYS, made)["key"]
    return found


def _rotate(arguments: argparse.Namespace, context: "Context") -> None:
    _require_no_bench(arguments)
    root = open_folder(arguments.key, arguments.passphrase_file)
    old = root if arguments.old == arguments.key else open_folder(arguments.old, None)
    new = _made(arguments, root, old.label, old.role, old)
    known = KnownKey(old.signer.spki, old.role, old.label)
    # A root goes by its own signature: the record of what it was is then complete without the new one.
    ended = send(arguments.node, KEYS, _signed_end(root, Action.REVOKE, known, None))["key"]
    context.show({"new": new, "old": ended}, f"{_told(new)}\n{_told(ended)}")


def _require_no_bench(arguments: argparse.Namespace) -> None:
    """A bench's token ends with its key, and a new key beside it has none: the bench rotates it itself."""
    home = arguments.old.absolute().parent
    if (home / "bench.json").exists():
        raise Invalid(
            "key.bench",
            "This is the key of a bench, whose token ends with it",
            f"{home}; nothing was changed",
            f"At the bench: packproof-scan rotate --root-key {arguments.key} --home {home}",
        )


def _signed_end(root: KeyFolder, action: Action, known: KnownKey, suspect_since: int | None) -> Any:
    try:
        return end_key(root, action, known, suspect_since=suspect_since)
    except LedgerError as error:
        raise _cannot(error) from error


def _suspend(arguments: argparse.Namespace, context: "Context") -> None:
    _end(arguments, context, Action.SUSPEND, None)


def _revoke(arguments: argparse.Namespace, context: "Context") -> None:
    if arguments.lost_root is not None:
        if arguments.key is not None or arguments.which is not None or arguments.suspect_since is not None:
            raise Invalid("usage", "--lost-root goes alone", "", "its revocation was signed when it was made")
        try:
            record = load_registration(arguments.lost_root)
        except LedgerError as error:
            raise _cannot(error) from error
        key = send(arguments.node, KEYS, record)["key"]
        context.show(key, _told(key))
        return
    _end(arguments, context, Action.REVOKE, arguments.suspect_since)


def _end(arguments: argparse.Namespace, context: "Context", action: Action, since: int | None) -> None:
    if arguments.key is None or arguments.which is None:
        raise Invalid("usage", "Say which key, and whose root signs: THUMBPRINT --key FOLDER")
    root = open_folder(arguments.key, arguments.passphrase_file)
    known = _known(arguments, root)
    key = send(arguments.node, KEYS, _signed_end(root, action, known, since))["key"]
    lines = [_told(key)]
    if (known.role, action) == (Role.DEVICE, Action.REVOKE):
        lines.append(
            "Where a bench signed with it: packproof-scan rotate --root-key FOLDER gives it a new key."
        )
    context.show(key, "\n".join(lines))


def _known(arguments: argparse.Namespace, root: KeyFolder) -> KnownKey:
    """What the node knows of the key, after checking that it is the one that was named."""
    found = send(arguments.node, KEYS, root.registration)["keys"]
    wanted = [each for each in found if str(each["thumbprint"]).startswith(arguments.which.lower())]
    if len(wanted) != 1 or len(arguments.which) < 8:
        raise Invalid(
            "key.unknown",
            "No one key of the party has this thumbprint",
            arguments.which,
            "packproof key list",
        )
    try:
        spki = from_base64(wanted[0]["spki"])
        if not thumbprint(spki).hex().startswith(arguments.which.lower()):
            raise Invalid("key.unknown", "The node gave another key than was named", arguments.which)
        return KnownKey(spki, Role(wanted[0]["role"]), wanted[0]["label"])
    except LedgerError as error:
        raise _cannot(error) from error


def _reinstate(arguments: argparse.Namespace, context: "Context") -> None:
    root = open_folder(arguments.key, arguments.passphrase_file)
    try:
        record = reinstate(root, open_folder(arguments.folder, None))
    except LedgerError as error:
        raise _cannot(error) from error
    key = send(arguments.node, KEYS, record)["key"]
    context.show(key, _told(key))


def _parked(arguments: argparse.Namespace, context: "Context") -> None:
    folder = open_folder(arguments.key, arguments.passphrase_file)
    rows, lines = [], []
    for each in folder.refused_captures():
        answer = each.receipt or {}
        parked = answer.get("parked") if isinstance(answer.get("parked"), dict) else {}
        leaf = str(parked.get("leaf", "")) if parked else ""
        row = {
            "seq": each.seq,
            "code": answer.get("code"),
            "title": answer.get("title"),
            "leaf": leaf or None,
        }
        if arguments.out is not None:
            row["file"] = str(_written(arguments.out, each))
        rows.append(row)
        lines.append(f"{each.seq}  {row['code']}: {row['title']}" + (f"\n   leaf {leaf}" if leaf else ""))
        if arguments.out is not None:
            lines.append(f"   {row['file']}")
    context.show(rows, "\n".join(lines) or "Nothing waits: the node took all that this key signed.")


def _written(folder: Path, capture: SignedCapture) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{capture.seq:016d}.{'json' if 'json' in capture.content_type else 'xml'}"
    path.write_bytes(capture.document)
    return path


def _reject(arguments: argparse.Namespace, context: "Context") -> None:
    signing = open_folder(arguments.key, arguments.passphrase_file)
    of = signing if arguments.of is None else open_folder(arguments.of, None)
    refused = next((each for each in of.refused_captures() if each.seq == arguments.seq), None)
    refused = refused or closed_capture(of, arguments.seq)
    if refused is None:
        raise Invalid(
            "key.no_such_act", "No act of this number waits there", f"{of.path}, number {arguments.seq}"
        )
    try:
        record = pending_void(signing, of, refused, arguments.why)
    except LedgerError as error:
        raise _cannot(error) from error
    answer = send(arguments.node, VOIDS, record)
    close(of, refused, answer)
    context.show(answer, f"Number {answer['seq']} is given up, entry {answer['index']}.")
