"""``packproof init``, ``fsck``, ``evidence``: make this machine a node, audit it, take proofs away."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import migrate
from app.history.rules import subject_of
from app.proofs import fsck
from app.shared.audit import disclose

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
        epilog="examples:\n  packproof fsck\n  packproof fsck --json",
    )
    audit.set_defaults(run=_fsck)
    evidence = commands.add_parser(
        "evidence",
        help="the evidence file of a package, which anybody checks without this node",
        epilog="example:\n  packproof evidence 'https://id.gs1.org/01/00312345678906/21/S1' -o evidence.json\n"
        "  python -m ledger verify evidence.json",
    )
    evidence.add_argument("package", metavar="PACKAGE", help="EPC URN, Digital Link or element string")
    evidence.add_argument("-o", "--output", required=True, metavar="FILE", type=Path)
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
        f"Its ML-DSA-44 key, for whom Ed25519 will not do one day, is in: packproof ledger policy\n"
        f"Keep safe, and apart from backups of the database: {data['mark']} and {data['keys']}/"
    )
    context.show(data, text)


def _fsck(_arguments: argparse.Namespace, context: "Context") -> int:
    services = context.services
    report = fsck.fsck(services.database, services.node, _meter if sys.stderr.isatty() else None)
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


def _meter(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"\r{what}: {done} of {total}\033[K" + ("\n" if done == total else ""))


def _evidence(arguments: argparse.Namespace, context: "Context") -> None:
    services = context.services
    subject = subject_of(arguments.package)
    made = services.evidence.of_package(subject, reader=None)
    disclose(services.database, services.clock, context.actor, "evidence.export", subject=subject)
    arguments.output.write_bytes(made)
    context.show(
        {"file": str(arguments.output), "bytes": len(made), "subject": subject},
        f"{arguments.output}: {len(made)} bytes of evidence about {subject}\n"
        f"Anybody checks it with: python -m ledger verify {arguments.output}",
    )
