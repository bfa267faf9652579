"""Check a file without the node that made it: ``python -m ledger verify FILE [--policy P] [--authors A] [--json]``.

FILE is evidence about a package, a conflict (two heads that one log signed and that cannot both be true), or a handover
(what leads from a log's key to the one that follows it), or a C2SP tlog-proof with the entry's bytes (``--entry E``).
P is a C2SP tlog-policy, A an author policy
(docs/formats/policy.md). With evidence may come COSE receipts of what it shows (``--receipt R``) and a time
stamp of its head (``--timestamp T --stamped NOTE --tsa PEM``). Needs ``cryptography`` and nothing else, no network, no
clock.
Exit status: 0 accepted, 1 refused, 2 usage, or that the answer could not be written (141: its reader had gone).
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError, VerificationError
from ledger.evidence import handover, mldsa_handover
from ledger.evidence.beside import verify_receipt, verify_time_stamp
from ledger.evidence.bundle import MAX_BUNDLE_BYTES
from ledger.evidence.entryproof import BEGINNING as TLOG_PROOF
from ledger.evidence.entryproof import prove_entry
from ledger.evidence.policy import MAX_AUTHORS_BYTES, Policy
from ledger.evidence.receipt import (
    MAX_CERTIFICATES_BYTES,
    MAX_RECEIPT_BYTES,
    MAX_STAMP_BYTES,
    TimeStampFiles,
)
from ledger.evidence.verify import EvidenceRefused, verify
from ledger.log.conflict import BEGINNING, Conflict
from ledger.log.entry import MAX_ENTRY_BYTES
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.policy import MAX_POLICY_BYTES

ACCEPTED: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
READER_GONE: Final = 128 + signal.SIGPIPE

_COMMANDS: Final = ("verify",)
_TOLD: Final = (
    "Check a file without the node that made it: evidence about a package, a conflict (two heads\n"
    "that one log signed and that cannot both be true), or a handover to a log's next key.\n"
    "No network, no clock, no trust in who gave it.\n"
    "Without --policy the ledger's key is the one in the file, and the report says so."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    try:
        return _run(arguments)
    except _Unwritten as failed:
        if sys.stdout is not None:
            # What is still buffered goes nowhere, or the interpreter says more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if failed.gone:
            return READER_GONE
        print(f"packproof-verify: the answer could not be written: {failed}", file=sys.stderr)  # noqa: T201
        return USAGE


class _Unwritten(Exception):
    """The answer reached nobody: that is no verdict, and least of all a refusal."""

    def __init__(self, why: str, *, gone: bool = False) -> None:
        super().__init__(why)
        self.gone = gone


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    # `packproof-verify FILE` is `packproof-verify verify FILE`: the command's name says it already.
    if not given or given[0] not in _COMMANDS:
        given.insert(0, "verify")
    options = _parser().parse_args(given)
    try:
        policy = _policy(options.policy, options.authors)
        data = _read(options.file, MAX_BUNDLE_BYTES)
        receipts = [_read(path, MAX_RECEIPT_BYTES) for path in options.receipt]
        stamp = _time_stamp(options)
        entry = None if options.entry is None else _read(options.entry, MAX_ENTRY_BYTES)
        if data.startswith(TLOG_PROOF) != (entry is not None) or (entry is not None and policy is None):
            raise LedgerError(
                "a tlog-proof goes with --entry E and --policy P, and only it does", code="usage"
            )
    except (OSError, LedgerError) as error:
        message = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        print(f"packproof-verify: {_line(message)}", file=sys.stderr)  # noqa: T201
        return USAGE
    other = (
        data.startswith((BEGINNING, TLOG_PROOF)) or handover.MEMBER in data or mldsa_handover.MEMBER in data
    )
    if other and (receipts or stamp is not None):
        print("packproof-verify: --receipt and --timestamp go with evidence alone", file=sys.stderr)  # noqa: T201
        return USAGE
    if entry is not None and policy is not None:
        return _entry(data, entry, policy, as_json=options.json)
    if data.startswith(BEGINNING):
        return _conflict(data, policy, as_json=options.json)
    if handover.MEMBER in data or mldsa_handover.MEMBER in data:
        return _handover(data, policy, as_json=options.json)
    try:
        report = verify(data, policy)
        proven = [verify_receipt(receipt, report, policy) for receipt in receipts]
        stamped = None if stamp is None else verify_time_stamp(stamp, report, proven, policy)
    except EvidenceRefused as refused:
        _print_refusal(refused, as_json=options.json)
        return REFUSED
    if options.json:
        beside: dict[str, object] = {"receipts": [asdict(line) for line in proven]} if proven else {}
        if stamped is not None:
            beside["time_stamp"] = asdict(stamped)
        _print(_json({**report.to_json(), **beside}))
    else:
        lines = [line.told() for line in proven] + ([] if stamped is None else [stamped.told()])
        _print(report.text() + "".join(f"{_line(line)}\n" for line in lines))
    return ACCEPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="packproof-verify", description=_TOLD)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "verify",
        prog="packproof-verify",
        help="check an evidence file, a conflict that somebody kept, or a handover",
        description=_TOLD,
        epilog="examples:\n  packproof-verify evidence.json\n"
        "  packproof-verify evidence.json --policy policy.txt --authors authors.json\n"
        "  packproof-verify proof.txt --entry entry.bin --policy policy.txt\n"
        "  python -m ledger verify evidence.json --json\n\nExit status: 0 accepted, 1 refused, 2 usage.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "file", type=Path, metavar="FILE", help="evidence, a conflict, a handover or a tlog-proof"
    )
    command.add_argument(
        "--policy",
        type=Path,
        metavar="P",
        help="logs, witnesses and quorum that you trust (C2SP tlog-policy)",
    )
    command.add_argument(
        "--authors",
        type=Path,
        metavar="A",
        help="the companies' root keys that you trust (docs/formats/policy.md)",
    )
    command.add_argument(
        "--entry", type=Path, metavar="E", help="the bytes of the entry that a tlog-proof is about"
    )
    command.add_argument(
        "--receipt",
        type=Path,
        metavar="R",
        action="append",
        default=[],
        help="a COSE receipt (RFC 9942) of an entry that the evidence shows, or of its head; may be repeated",
    )
    stamp = command.add_argument_group("a time stamp (RFC 3161), with all three of")
    stamp.add_argument(
        "--timestamp", type=Path, metavar="T", help="the authority's answer, such as stamp.tsr"
    )
    stamp.add_argument(
        "--stamped", type=Path, metavar="NOTE", help="the checkpoint that it stamped, such as stamp.note"
    )
    stamp.add_argument(
        "--tsa", type=Path, metavar="PEM", help="the certificates of authorities that you trust"
    )
    command.add_argument("--json", action="store_true", help="the report as JSON")
    return parser


def _policy(policy: Path | None, authors: Path | None) -> Policy | None:
    if policy is None and authors is None:
        return None
    return Policy.parse(
        None if policy is None else _read(policy, MAX_POLICY_BYTES),
        None if authors is None else _read(authors, MAX_AUTHORS_BYTES),
    )


def _time_stamp(options: argparse.Namespace) -> TimeStampFiles | None:
    paths = (options.timestamp, options.stamped, options.tsa)
    if not any(paths):
        return None
    if not all(paths):
        raise LedgerError("--timestamp, --stamped and --tsa come together", code="usage")
    limits = (MAX_STAMP_BYTES, MAX_NOTE_BYTES, MAX_CERTIFICATES_BYTES)
    return TimeStampFiles(*(_read(path, most) for path, most in zip(paths, limits, strict=True)))


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(most + 1)


def _conflict(data: bytes, policy: Policy | None, *, as_json: bool) -> int:
    try:
        proven = Conflict.parse(data).prove(policy.logs if policy else ())
    except VerificationError as refused:
        value = {"accepted": False, "code": refused.code, "message": refused.message}
        words = f"REFUSED. This file proves nothing.\n     {_line(refused.message)}\n"
        _print(_json(value) if as_json else words)
        return REFUSED
    _print(_json(proven.to_json()) if as_json else proven.text())
    return ACCEPTED


def _entry(data: bytes, entry: bytes, policy: Policy, *, as_json: bool) -> int:
    try:
        proven = prove_entry(data, entry, policy)
    except VerificationError as refused:
        value = {"accepted": False, "code": refused.code, "message": refused.message}
        words = f"REFUSED. These bytes are not shown to be in the log.\n     {_line(refused.message)}\n"
        _print(_json(value) if as_json else words)
        return REFUSED
    _print(_json(proven.to_json()) if as_json else proven.text())
    return ACCEPTED


def _handover(data: bytes, policy: Policy | None, *, as_json: bool) -> int:
    try:
        long_term = mldsa_handover.MEMBER in data
        given = mldsa_handover.MldsaHandover.parse(data) if long_term else handover.Handover.parse(data)
        keys = policy.logs if policy and policy.logs else (given.present,)
        if policy and long_term:  # which policies name as a witness: no head counts by it alone
            keys += tuple(witness.key for witness in policy.trust.witnesses)
        trusted = next((key for key in keys if key == given.present), keys[0])
        head = given.prove(trusted)
        if policy is not None and not long_term:  # which shows no witnesses
            policy.trust.require_quorum(head.note)
    except LedgerError as refused:
        value = {"accepted": False, "code": refused.code, "message": refused.message}
        words = f"REFUSED. Do not change your policy for this file.\n     {_line(refused.message)}\n"
        _print(_json(value) if as_json else words)
        return REFUSED
    named = bool(policy and policy.logs)
    told = {
        "accepted": True,
        "proves": "this log goes on under another key",
        "present": str(given.present),
        "following": str(given.following),
        "size": head.checkpoint.size,
        "log_trusted": named,
    }
    words = (
        f"ACCEPTED. The log {given.present.name} goes on under another key, for which the present one vouched.\n\n"
        f"     present      {given.present}\n"
        f"                  {'named by your policy' if named else 'taken from this file itself: compare it'}\n"
        f"     following    {given.following}\n"
        f"     both signed  the head of {head.checkpoint.size} entries\n\n"
        f"For your policy, beside the line of the present key or in its place:\n"
        f"{'witness long-term' if long_term else 'log'} {given.following}\n"
    )
    _print(_json(told) if as_json else words)
    return ACCEPTED


def _print_refusal(refused: EvidenceRefused, *, as_json: bool) -> None:
    if as_json:
        value = {
            "accepted": False,
            "step": refused.step.value,
            "name": refused.step.name.lower(),
            "code": refused.code,
            "entry": refused.index,
            "path": refused.path,
            "message": refused.message,
        }
        _print(_json(value))
    else:
        _print(f"REFUSED. Do not rely on this file.\n     {_line(refused.message)}\n")


def _line(text: str) -> str:
    """A message that may quote the file: nothing in it may move the cursor, and overwrite REFUSED with its opposite."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _print(text: str) -> None:
    if sys.stdout is None:
        raise _Unwritten("there is no standard output")
    # Names of parties may need letters that the terminal's encoding lacks: never fail for that.
    encoding = sys.stdout.encoding or "ascii"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        raise _Unwritten(error.strerror or "", gone=isinstance(error, BrokenPipeError)) from error


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main())
