"""`packproof-scan`: the bench's commands.

Each command is a module of its own in `scanner.commands` with a function ``register(subparsers)`` that adds its parser
and sets ``run=function(arguments) -> exit status``. Modules there are found by themselves, so that a new command
touches nothing else.
"""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable, Sequence

from scanner import commands
from scanner.errors import ScannerError

_EXAMPLES = """\
examples:
  packproof-scan decode label.png             what codes does this picture carry?
  packproof-scan decode --json *.png          the same for programs
  packproof-scan doctor                       what is installed, what is lacking

exit status: 0 done, 1 done but something was not as it should be, 2 could not be done
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
    """Run one command; the exit status is 0 (done), 1 (done, something amiss) or 2 (could not be done)."""
    arguments = build_parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except ScannerError as error:
        sys.stderr.write(f"packproof-scan: {error.message} [{error.code}]\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has closed it (`| head`): nothing is wrong, and nobody is there to be told.
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
