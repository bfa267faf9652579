"""``packproof init``, ``fsck``, ``evidence``: make this machine a node, audit it, take proofs away."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import migrate
from app.errors import AppError, Invalid
from app.history.rules import subject_of
from app.proofs import fsck
from app.proofs.disclosure import Disclosure, Profile
from app.proofs.evidence import Made
from app.shared.audit import disclose
from app.shared.meter import meter
from ledger.errors import VerificationError
from ledger.evidence.html import page
from ledger.evidence.policy import Policy
from ledger.evidence.verify import verify
from ledger.log.policy import MAX_POLICY_BYTES

if TYPE_CHECKING:
    from app.cli import Context


def register(commands: Any) -> None:
    """Add the command to `packproof`."""
    init = commands.add_parser(
        "init",
        help="make this machine a node: schema, keys, the ledger's first entries",
        description="Bring the schema up, make the node's own keys and its ledger. Run again it changes nothing.",
        epilog="example:\n  PACKPROOF_LEDGER_ORIGIN=acme.example/ledger packproof init\n\n"
        "The origin is for ever: every signature names it. The mark and the keys must never be restored from a "
        "backup of the database.",
    )
    init.set_defaults(run=_init)
    audit = commands.add_parser(
        "fsck",
        help="audit everything that is stored; names the first row that is not what it must be",
        description="Compute everything anew from the bytes that are there and compare: ledger, documents, events, "
        "keys, custody. Exit status 1 where a row is not what was appended and signed.",
        epilog="examples:\n  packproof fsck\n  packproof fsck --json\n  packproof fsck --ledger-only --no-signatures",
    )
    audit.add_argument(
        "--ledger-only", action="store_true", help="the ledger's own tables: entries, tiles, checkpoints"
    )
    audit.add_argument("--no-signatures", action="store_true", help="do not verify each entry's signatures")
    audit.set_defaults(run=_fsck)
    evidence = commands.add_parser(
        "evidence",
        help="the evidence file of a package, which anybody checks without this node",
        description="Write the proofs of a package's story to a file, or to a page that checks itself in a browser. "
        "What is shown can be chosen; what is not shown stays sealed, and the file says that something is.",
        epilog="examples:\n"
        "  packproof evidence 'https://id.gs1.org/01/00312345678906/21/S1' -o evidence.json\n"
        "  packproof evidence '(01)00312345678906(21)S1' --html evidence.html --for 0370000000011\n"
        "  packproof evidence '(01)00312345678906(21)S1' -o evidence.json --profile holder --hide lotNumber\n"
        "  python -m ledger verify evidence.json",
    )
    evidence.add_argument("package", metavar="PACKAGE", help="EPC URN, Digital Link or element string")
    evidence.add_argument("-o", "--output", metavar="FILE", type=Path, help="the evidence file")
    evidence.add_argument(
        "--html", metavar="FILE.html", type=Path, help="one page that carries and checks it"
    )
    evidence.add_argument(
        "--for", dest="reader", metavar="GLN", help="what this party may read; other holders are not named"
    )
    evidence.add_argument(
        "--profile",
        choices=[profile.value for profile in Profile],
        default=Profile.ALL.value,
        help="all (default); regulator: no extensions and free text; holder: lot, expiry and maker, nobody else named",
    )
    evidence.add_argument(
        "--show", nargs="+", default=[], metavar="PATH", help="of each event show only these fields"
    )
    evidence.add_argument("--hide", nargs="+", default=[], metavar="PATH", help="do not show these fields")
    evidence.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="the C2SP tlog-policy it is made for (default: this node's own, as packproof ledger policy prints it)",
    )
    evidence.set_defaults(run=_evidence)


def _init(_arguments: argparse.Namespace, context: "Context") -> None:
    migrate.upgrade(context.bare.database)
    node = context.services.node
    fresh = node.initialise()
    data = {
        "new": fresh,
        "origin": node.origin,
        "verifier_key": node.verifier_key,
        "mldsa_verifier_key": str(node.mldsa_verifier),
        "mark": str(node.data_dir / "mark"),
        "keys": str(node.data_dir / "keys"),
    }
    text = (
        f"{'The ledger is made' if fresh else 'The ledger stands already'}: {node.origin}\n"
        f"Its key, which scanners and verifiers pin:\n  {node.verifier_key}\n"
        f"Its ML-DSA-44 key, for whom Ed25519 will not do one day, is in: packproof ledger policy --mldsa\n"
        f"Keep safe, and apart from backups of the database: {data['mark']} and {data['keys']}/"
    )
    context.show(data, text)


def _fsck(arguments: argparse.Namespace, context: "Context") -> int:
    services = context.services
    report = fsck.fsck(
        services.database,
        services.node,
        meter(),
        ledger_only=arguments.ledger_only,
        signatures=not arguments.no_signatures,
        witnesses=services.cosigned.policy,
    )
    data = {
        "ok": report.ok,
        "counts": dict(report.counts),
        "findings": [
            {
                "invariant": found.invariant,
                "table": found.table,
                "key": found.key,
                "column": found.column,
                "expected": found.expected,
                "found": found.found,
                "rests_on_it": found.consequence,
            }
            for found in report.findings
        ],
        "more": report.suppressed,
    }
    context.show(data, "\n".join(fsck.lines(report)))
    return 0 if report.ok else 1


def _evidence(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    if arguments.output is None and arguments.html is None:
        raise Invalid(
            "evidence.file", "Nowhere to write it", "Give a file by -o, or a page by --html, or both."
        )
    subject = subject_of(arguments.package)
    choice = Disclosure(
        Profile(arguments.profile), arguments.reader, tuple(arguments.show), tuple(arguments.hide)
    )
    made = services.evidence.disclosed(subject, choice, _policy(arguments.policy))
    disclose(services.database, services.clock, context.actor, "evidence.export", subject=subject)
    if arguments.output is not None:
        arguments.output.write_bytes(made.data)
    if arguments.html is not None:
        arguments.html.write_bytes(page(made.data))
    value = {
        "file": str(arguments.output) if arguments.output else None,
        "page": str(arguments.html) if arguments.html else None,
        "bytes": len(made.data),
        "made_for_policy": made.report.made_for_policy,
        "subject": subject,
        "profile": choice.profile.value,
        "for": choice.reader,
        "events": len(made.report.events),
        "unnamed": made.unnamed,
        "left_out": made.left_out,
        "cut": made.cut,
        "read_only": made.warning,
        "hidden": [{"entry": each.index, "record": each.record, "paths": each.paths} for each in made.hidden],
    }
    if made.warning:
        sys.stderr.write(f"packproof: {made.warning}\n")
    elif arguments.policy is None:
        _warn_if_refused(made.data, services.own_policy.encode())
    context.show(value, "\n".join(_told(made, subject, arguments.output, arguments.html)))


def _warn_if_refused(data: bytes, own_policy: bytes) -> None:
    """Say what who checks with the node's own policy would be told: that witnesses are still missing, mostly."""
    try:
        verify(data, Policy.parse(own_policy))
    except VerificationError as error:
        sys.stderr.write(
            f"packproof: this node's own policy refuses the file for now: {error.message}. "
            "Make it again when packproof ledger cosign has what the policy asks for.\n"
        )


def _policy(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise AppError("file.unreadable", 400, f"{path} cannot be read", error.strerror or "") from error


def _told(made: Made, subject: str, output: Path | None, html: Path | None) -> Iterator[str]:
    written = " and ".join(str(path) for path in (output, html) if path is not None)
    yield f"{written}: {len(made.data)} bytes of evidence about {subject}"
    shown = len(made.report.events)
    yield f"shown   {shown} event{'s' if shown != 1 else ''}" + (
        f", {made.unnamed} of holders not named" if made.unnamed else ""
    )
    paths = sorted({path for each in made.hidden for path in each.paths})
    yield "hidden  " + ("; ".join(paths) if paths else "no field; other packages' numbers always are")
    if made.left_out:
        yield f"not in it: {made.left_out} events of containers that the reader does not know"
    if made.cut:
        yield f"not in it: {made.cut} events more than a file takes, of whoever reported most"
    if output is not None:
        yield f"Anybody checks it with: packproof-verify {output} (or python -m ledger verify {output})"
    if html is not None:
        yield f"Anybody opens {html} in a browser: it checks itself, without network."
