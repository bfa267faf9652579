"""The commands of `packproof-scan`, one module each, found by `scanner.cli`: see there for what a module offers."""

import argparse
from typing import TYPE_CHECKING

# argparse's own name for what add_subparsers() returns is private and generic only to type checkers.
if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Subparsers = argparse._SubParsersAction
