"""``packproof``: the node at the command line.

A feature's `cli.py` has ``register(commands)``, which adds its parsers and sets ``run``; `FEATURES` names it once::

    def register(commands):
        parser = commands.add_parser("recall", help="...", epilog="example:\\n  packproof recall 00312345678906 A1")
        parser.add_argument("gtin", metavar="GTIN")
        parser.set_defaults(run=recall)

    def recall(arguments, context):
        context.show({"held": 3}, "3 packages are held by ...")

Every command takes ``--json``. A failure is one line on standard error, and one for each
further problem of a document. Exit status: 0 done, 1 failed, 2 wrong usage.
"""

import argparse
import getpass
import importlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import migrate, roles, wiring
from app.config import Settings, SettingsError
from app.errors import AppError
from app.listening import require_free
from app.shared.actor import Actor, command_line
from ledger.store.sql.engine import DatabaseRefused

# Which feature brings which command: only the one that is asked for is loaded, since each loads what it works with.
FEATURES = {
    "init": "app.proofs.cli",
    "fsck": "app.proofs.cli",
    "evidence": "app.proofs.cli",
    "ledger": "app.log.cli",
    "user": "app.people.cli",
    "token": "app.people.cli",
    "party": "app.partners.cli",
    "key": "app.devices.cli",
    "prefix": "app.prefixes.cli",
    "product": "app.products.cli",
    "capture": "app.capture.cli",
    "events": "app.adoption.cli",
    "trace": "app.history.cli",
    "rebuild": "app.custody.cli",
    "sweep": "app.exceptions.cli",
    "redact": "app.redaction.cli",
    "recall": "app.recalls.cli",
    "retention": "app.retention.cli",
    "vrs": "app.vrs.cli",
    "labels": "app.labels.cli",
    "demo": "app.demo.cli",
    "simulate": "app.simulate.cli",
}

_INSUFFICIENT_PRIVILEGE = "42501"  # PostgreSQL, appendix A
_LACKING = (
    "run packproof db current, which says what is lacking; as the tables' owner run packproof db grant ROLE"
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line and whose examples keep their line breaks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs.setdefault("allow_abbrev", False)
        if kwargs.get("description") is None and kwargs.get("help"):
            kwargs["description"] = kwargs["help"]
        super().__init__(*args, **kwargs)
        self.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer in JSON")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help tells more\n")


class Context:
    """What a command is handed: the node's services, who runs it, and how to answer."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def settings(self) -> Settings:
        return Settings.from_env()

    @cached_property
    def bare(self) -> wiring.Services:
        """The services, whatever schema the database has: for the commands that change it."""
        # Standard output is the answer's alone, and `--json` is read by programs.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
        return wiring.build(self.settings)

    @cached_property
    def services(self) -> wiring.Services:
        """The services of a node whose schema fits. Raises `AppError` if it does not."""
        migrate.require_current(self.bare.database)
        return self.bare

    @cached_property
    def actor(self) -> Actor:
        """Whoever runs the command, by their account on this machine."""
        return command_line(getpass.getuser())

    def show(self, data: object, text: str) -> None:
        """Answer with `data` as JSON where it was asked for, else with `text`."""
        sys.stdout.write(
            (json.dumps(data, indent=2, default=str) if self.as_json else printable(text)) + "\n"
        )


def printable(text: str) -> str:
    """`text` for a terminal: names, labels and other nodes' words are strangers', and may not move the cursor or turn
    the direction of a line."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def instant(text: str) -> Callable[[datetime], datetime]:
    """Read an end such as ``2027-03-31`` (the end of that day, UTC), ``90d`` or ``12h``: a function of the present."""
    if match := re.fullmatch(r"([1-9][0-9]{0,4})([dh])", text):
        span = timedelta(**{{"d": "days", "h": "hours"}[match[2]]: int(match[1])})
        return lambda now: now + span
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no end: write 2027-03-31, 90d or 12h") from error
    end = datetime.combine(day, time.max, UTC)
    return lambda now: end


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(words[0] if words else "")
    arguments = parser.parse_args(words)
    as_json = getattr(arguments, "json", False)
    if not hasattr(arguments, "run"):
        arguments.parser.print_help()
        return 2
    try:
        status: int = arguments.run(arguments, Context(as_json)) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Who read it has enough (`| head`): nothing is wrong. What is left goes nowhere, or Python complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except AppError as error:
        return _failed(as_json, error.code, error.title, error.detail, error.next_step, error.extra)
    except (SettingsError, DatabaseRefused) as error:
        return _failed(as_json, error.code, str(error))
    except SQLAlchemyError as error:
        # Its text may hold parameters, and those somebody's data.
        driver = getattr(error, "orig", None)
        cause = str(driver or type(error).__name__).splitlines()[0]
        step = _LACKING if getattr(driver, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE else ""
        return _failed(as_json, "database.failed", "the database does not do as asked", cause, step)
    except OSError as error:
        return _failed(as_json, "system.failed", of_system(error))
    except KeyboardInterrupt:
        return 130


def of_system(error: OSError) -> str:
    """What the system says, of a file that was to be written where there is no folder, that: what it would be called
    until it is whole is nobody's word."""
    name = error.filename
    if isinstance(error, FileNotFoundError) and isinstance(name, str | bytes | os.PathLike):
        folder = Path(os.fsdecode(name)).parent
        if not folder.exists():
            return f"{folder}: there is no such folder"
    return f"{os.fsdecode(name) if isinstance(name, bytes) else name or 'input'}: {error.strerror or error}"


def _failed(
    as_json: bool,
    code: str,
    title: str,
    detail: str = "",
    next_step: str = "",
    extra: Mapping[str, Any] | None = None,
) -> int:
    extra = extra or {}
    if as_json:
        text = json.dumps({"code": code, "title": title, "detail": detail, "next": next_step, **extra})
    else:
        said = "; ".join(part.rstrip(".") for part in (title, detail, next_step) if part)
        text = printable(f"packproof: {said}")
        # The first problem is the detail.
        also = (f"\n  also: {p['message']} (at {p['where']})" for p in extra.get("problems", ())[1:])
        text += printable("".join(also))
    sys.stderr.write(text + "\n")
    return 1


def _parser(asked: str = "") -> Parser:
    parser = Parser(
        prog="packproof",
        description="Packproof: every pack, every hop, provable. This command runs and looks after a node.",
        epilog="examples:\n"
        "  packproof init\n"
        "  packproof user add mia --role pharmacist --gln 0399999000017\n"
        "  packproof serve\n"
        "\nsettings: PACKPROOF_... in the environment, see docs/reference/settings.md",
    )
    parser.set_defaults(parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _register_db(commands)
    _register_serve(commands)
    wanted = [FEATURES[asked]] if asked in FEATURES else dict.fromkeys(FEATURES.values())
    for name in wanted:
        importlib.import_module(name).register(commands)
    return parser


def _register_db(commands: Any) -> None:
    db = commands.add_parser(
        "db", help="bring the database's schema up or down", epilog="example:\n  packproof db upgrade"
    )
    db.set_defaults(parser=db)
    actions = db.add_subparsers(title="actions", metavar="ACTION")
    up = actions.add_parser("upgrade", help="to the newest schema, or to REVISION")
    up.add_argument("revision", nargs="?", default="head", metavar="REVISION")
    up.set_defaults(run=_db_upgrade)
    down = actions.add_parser("downgrade", help="to REVISION; what only the newer schema can hold is lost")
    down.add_argument(
        "revision", metavar="REVISION", help="a number such as 0002, or base for nothing at all"
    )
    down.set_defaults(run=_db_downgrade)
    current = actions.add_parser(
        "current", help="which schema the database has; exit status 1 if it does not fit"
    )
    current.set_defaults(run=_db_current)
    roles.register(actions)


def _db_upgrade(arguments: argparse.Namespace, context: Context) -> None:
    database = context.bare.database
    before = migrate.current(database)
    migrate.upgrade(database, arguments.revision)
    after = migrate.current(database)
    with database.reading() as connection:
        others = roles.granted(connection) if after == migrate.newest() else []
    text = f"The schema is at {after}" + (", as before." if before == after else ".")
    if others and before != after:
        again = "; ".join(f"packproof db grant {role}" for role in others)
        text += f"\nWhat a role may do was granted for the schema before. Grant it again: {again}"
    context.show({"from": before, "to": after, "granted": others}, text)


def _db_downgrade(arguments: argparse.Namespace, context: Context) -> None:
    database = context.bare.database
    before = migrate.current(database)
    migrate.downgrade(database, arguments.revision)
    after = migrate.current(database)
    context.show({"from": before, "to": after}, f"The schema is at {after or 'nothing'}.")


def _db_current(_arguments: argparse.Namespace, context: Context) -> int:
    found, needed = migrate.current(context.bare.database), migrate.newest()
    fits = found == needed
    text = f"The schema is at {found or 'nothing'}" + (", as needed." if fits else f"; {needed} is needed.")
    data: dict[str, Any] = {"current": found, "needed": needed, "fits": fits}
    role = roles.of(context.bare.database) if fits else None
    if role is not None:
        data["role"] = {
            "name": role.role,
            "owns": role.owns,
            "lacking": role.lacking,
            "warning": role.warning,
        }
        text += (
            f"\nWarning: {role.warning}."
            if role.warning
            else f"\n{role.role} may do what the node does, no more."
        )
    context.show(data, text)
    return 0 if fits and not (role and role.lacking) else 1


def _register_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve the site and the interfaces",
        description="Serve the site and the interfaces with gunicorn. Stop it with Ctrl-C.",
        epilog="example:\n  packproof serve --port 8000",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serve.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    serve.add_argument("--threads", type=int, default=8, help="threads a process (default: %(default)s)")
    serve.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace, context: Context) -> None:
    require_free(arguments.host, arguments.port)
    role = roles.of(context.services.database)
    if role is not None and role.warning:
        sys.stderr.write(f"packproof: {role.warning}\n")
    context.services.database.dispose()
    root = Path(__file__).resolve().parent.parent
    command = [
        *(sys.executable, "-m", "gunicorn", "--worker-class", "app.serving.Worker"),
        *("--bind", f"{arguments.host}:{arguments.port}"),
        *("--workers", str(arguments.workers), "--threads", str(arguments.threads)),
        *("--pythonpath", str(root), "--log-level", "warning", "--no-control-socket", "wsgi:application"),
    ]
    sys.stderr.write(f"Serving on http://{arguments.host}:{arguments.port} (Ctrl-C stops it)\n")
    sys.stderr.flush()
    os.execv(sys.executable, command)  # noqa: S606 - our own interpreter, no shell


if __name__ == "__main__":
    sys.exit(main())
