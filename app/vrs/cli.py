"""``packproof vrs ...``: whom to ask about other makers' packs, asking them, and what a maker here says of its own."""

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from app.errors import Invalid, NotFound
from app.partners.service import checked_gln
from app.shared import audit
from app.vrs import directory
from app.vrs.answers import Mark
from app.vrs.asking import Said
from app.vrs.directory import Entry
from app.vrs.messages import read_gtin
from app.vrs.models import vrs_mark
from app.vrs.outward import Address
from ledger.gs1.element_string import parse_scan
from ledger.gs1.errors import Gs1Error

if TYPE_CHECKING:
    from app.cli import Context

LABEL = "'(01)00312345678906(21)11(17)280531(10)A1'"


def register(commands: Any) -> None:
    """Add the commands to `packproof`."""
    vrs = commands.add_parser(
        "vrs",
        help="verification between companies: directory, credential, verify, mark",
        epilog="examples:\n"
        "  packproof vrs directory add 0312345 https://verify.maker.example --responder 0312345000010\n"
        "  packproof vrs credential 0614141000012 https://verify.maker.example --from token.txt\n"
        f"  packproof vrs verify {LABEL} --as 0614141000012",
    )
    vrs.set_defaults(parser=vrs)
    actions = vrs.add_subparsers(title="actions", metavar="ACTION")
    _register_directory(actions)
    secret = actions.add_parser("credential", help="keep the token with which a party asks at a responder")
    secret.add_argument("gln", metavar="GLN", help="the party here that asks")
    secret.add_argument("url", metavar="URL")
    secret.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FILE", help="holds the token"
    )
    secret.set_defaults(run=_credential)
    verify = actions.add_parser("verify", help="ask the maker of a pack about it")
    verify.add_argument("label", metavar="LABEL", help=f"as printed: {LABEL}")
    verify.add_argument("--as", dest="gln", required=True, metavar="GLN", help="the party here that asks")
    verify.add_argument("--context", metavar="NAME", help="one of PACKPROOF_VRS_CONTEXTS; default: the first")
    verify.set_defaults(run=_verify)
    mark = actions.add_parser(
        "mark",
        help="what a maker here says of a serial or a lot, beyond its record",
        description="Say that a serial, or a whole lot, is suspect, illegitimate, held back by the maker's policy, or "
        "has a longer life than is printed. Verification answers say so until it is taken back.",
    )
    mark.add_argument("gtin", metavar="GTIN")
    mark.add_argument(
        "mark", metavar="WHAT", choices=[each.value for each in Mark], help="one of %(choices)s"
    )
    which = mark.add_mutually_exclusive_group(required=True)
    which.add_argument("--serial", default="", metavar="SERIAL")
    which.add_argument("--lot", default="", metavar="LOT")
    mark.add_argument("--note", default="", metavar="TEXT", help="why, for your own people")
    mark.add_argument("--end", action="store_true", help="take it back")
    mark.set_defaults(run=_mark)


def _register_directory(actions: Any) -> None:
    entries = actions.add_parser("directory", help="whom to ask about which GTIN: add, remove, list")
    entries.set_defaults(parser=entries)
    sub = entries.add_subparsers(title="actions", metavar="ACTION")
    add = sub.add_parser("add", help="say who answers for a GTIN or a company prefix")
    add.add_argument("product", metavar="GTIN|PREFIX")
    add.add_argument("url", metavar="URL", help="what /verify/gtin/... follows; https")
    add.add_argument("--responder", default="", metavar="GLN", help="who must answer")
    add.set_defaults(run=_add)
    remove = sub.add_parser("remove", help="take an entry out")
    remove.add_argument("product", metavar="GTIN|PREFIX")
    remove.set_defaults(run=_remove)
    sub.add_parser("list", help="all entries").set_defaults(run=_list)


def _add(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    with node.database.writing() as connection:
        entry = directory.add(
            connection,
            node.clock,
            Entry(arguments.product, arguments.url, arguments.responder),
            node.asking.policy,
        )
        audit.record(
            connection, node.clock, context.actor, "vrs.directory", subject=entry.product, detail=entry.url
        )
    context.show(_as_json(entry), f"{entry.url} is asked about {entry.product}.")


def _remove(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    with node.database.writing() as connection:
        directory.remove(connection, arguments.product)
        audit.record(
            connection,
            node.clock,
            context.actor,
            "vrs.directory",
            subject=arguments.product,
            detail="removed",
        )
    context.show({"removed": arguments.product}, f"Nobody is asked about {arguments.product} now.")


def _list(_arguments: argparse.Namespace, context: "Context") -> None:
    with context.services.database.reading() as connection:
        found = directory.entries(connection)
    lines = [f"{each.product:14}  {each.url}  {each.responder or 'anybody'}" for each in found]
    context.show([_as_json(each) for each in found], "\n".join(lines) or "Nobody is asked about anything.")


def _as_json(entry: Entry) -> dict[str, str | None]:
    return {"product": entry.product, "url": entry.url, "responder": entry.responder or None}


def _credential(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    gln = checked_gln(arguments.gln)
    address = Address.parse(arguments.url, node.asking.policy)
    with arguments.source.open() as stream:
        path = directory.keep_secret(
            node.settings.data_dir, gln, address, stream.read(directory.LONGEST_SECRET + 2)
        )
    with node.database.writing() as connection:
        audit.record(connection, node.clock, context.actor, "vrs.credential", subject=address.url, whose=gln)
    context.show({"gln": gln, "file": str(path)}, f"{gln} asks at {address.host} with what lies in {path}.")


def _verify(arguments: argparse.Namespace, context: "Context") -> int:
    node = context.services
    gln = checked_gln(arguments.gln)
    contexts = node.asking.contexts
    if arguments.context is not None and arguments.context not in contexts:
        raise Invalid("vrs.context", f"{arguments.context!r} is no context here", ", ".join(contexts))
    try:
        scan = parse_scan(arguments.label)
    except Gs1Error as error:
        raise Invalid(
            "label.invalid", "This label cannot be read", error.message, f"write {LABEL}"
        ) from error
    if scan.gtin is None or scan.serial is None or scan.lot is None or scan.expiry is None:
        raise Invalid(
            "label.short",
            "This label does not say all four",
            "",
            "GTIN, serial, lot and expiry are asked about",
        )
    said = node.asking.ask(
        gln,
        scan.gtin.digits,
        scan.lot,
        scan.serial,
        scan.expiry.yymmdd,
        context.actor,
        context=arguments.context,
    )
    answer = said.answer
    data = {
        "answered": answer is not None,
        "verified": answer.verified if answer else None,
        "reason": answer.failure if answer else None,
        "info": answer.info if answer else None,
        "why": said.why or None,
        "responder": said.responder or None,
        "corr_uuid": said.corr_uuid or None,
        "latency_ms": round(said.latency_ms, 1),
    }
    context.show(data, in_words(said))
    return 0 if answer is not None else 1


def in_words(said: Said) -> str:
    """What a maker said, for people. No answer is told apart from every answer."""
    answer = said.answer
    if answer is None:
        return f"Unknown: the maker gives no answer ({said.why}: {said.message}). That says nothing about the pack."
    beside = f", {answer.info.value}" if answer.info else ""
    if answer.verified:
        return f"Verified by its maker{beside}, in {said.latency_ms:.0f} ms."
    assert answer.failure is not None
    return f"Not verified by its maker: {answer.failure.value}{beside}, in {said.latency_ms:.0f} ms."


def _mark(arguments: argparse.Namespace, context: "Context") -> None:
    node = context.services
    gtin = read_gtin(arguments.gtin)
    now: datetime = node.clock.now()
    which = {"gtin": gtin, "lot": arguments.lot, "serial": arguments.serial, "mark": arguments.mark}
    what = f"serial {arguments.serial}" if arguments.serial else f"lot {arguments.lot}"
    with node.database.writing() as connection:
        standing = [vrs_mark.c[name] == value for name, value in which.items()]
        ended = connection.execute(
            update(vrs_mark).where(*standing, vrs_mark.c.ended_at.is_(None)).values(ended_at=now)
        )
        if arguments.end and not ended.rowcount:
            raise NotFound("No such mark", f"{what} of {gtin} is not marked {arguments.mark}")
        if not arguments.end:
            connection.execute(insert(vrs_mark).values(**which, note=arguments.note, since=now))
        detail = f"{'no longer ' if arguments.end else ''}{arguments.mark}: {arguments.note}"
        audit.record(
            connection, node.clock, context.actor, "vrs.mark", subject=f"{gtin} {what}", detail=detail
        )
    say = "no longer say" if arguments.end else "say"
    text = f"Verification answers {say} {arguments.mark} of {what}, GTIN {gtin}."
    context.show({**which, "ended": arguments.end}, text)
