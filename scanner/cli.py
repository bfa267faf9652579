"""`packproof-scan`: the bench's commands.

Each command is a module of its own in `scanner.commands` with a function ``register(subparsers)`` that adds its parser
and sets ``run=function(arguments) -> exit status``. Modules there are found by themselves, so that a new command
touches nothing else.
"""

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable, Sequence

from ledger.errors import LedgerError
from scanner import commands
from scanner.errors import ScannerError

_EXAMPLES = """\
examples:
  packproof-scan decode label.png             what codes does this picture carry?
  packproof-scan decode --json *.png          the same for programs
  packproof-scan doctor                       what is installed, what is lacking
  packproof-scan enrol --node URL --root-key FOLDER     join a node
  packproof-scan check label.png              what is this, and may it be used?

exit status: 0 done, 1 done but something was not as it should be, 2 could not be done, 3 the node cannot be reached,
4 the node shows another past than before and is refused
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command found in `scanner.commands`."""
    parser = argparse.ArgumentParser(
        prog="packproof-scan",
        description="Read the codes on medicine packs and pallets, and ask the node what they mean.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
        register = getattr(importlib.import_module(f"{commands.__name__}.{module}"), "register", None)
        if register is not None:
            register(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status, as the help of each command tells it."""
    arguments = build_parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except ScannerError as error:
        return _failed(error.code, error.message, error.exit_status, getattr(arguments, "json", False))
    except LedgerError as error:
        return _failed(error.code, error.message, ScannerError.exit_status, getattr(arguments, "json", False))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has closed it (`| head`): nothing is wrong, and nobody is there to be told.
        sys.stderr.close()
        return 0


def _failed(code: str, message: str, status: int, as_json: bool) -> int:
    """Say why nothing was done: one line, for programs as JSON."""
    line = (
        json.dumps({"code": code, "message": message}) if as_json else f"packproof-scan: {message} [{code}]"
    )
    sys.stderr.write(line + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
