"""Opening a key folder whose key may be locked: by a passphrase in a file, or by whoever sits at the terminal.

    folder = open_folder(Path("dock-3"))                               # asks, where the key is locked
    folder = open_folder(Path("dock-3"), Path("dock-3.passphrase"))    # a file that its owner alone may read

A key in clear, or in a token, is opened without a word. Where a key is locked, no file is named and nobody can be
asked, the error says so.
"""

import getpass
import sys
from pathlib import Path
from typing import Final

from ledger.errors import LedgerError
from ledger.signing.client import KeyFolder
from ledger.signing.keyfile import KeyFileError, read_passphrase

LOCKED: Final = "key-locked"


def open_folder(path: Path, passphrase_file: Path | None = None) -> KeyFolder:
    """The key folder at `path`; where its key is locked, by the file's first line or by asking at the terminal.

    Raises `ClientError`, `KeyFileError`.
    """
    passphrase = read_passphrase(passphrase_file)
    try:
        return KeyFolder.open(path, passphrase)
    except LedgerError as error:
        if error.code != LOCKED or passphrase is not None:
            raise
        if not sys.stdin.isatty():
            raise KeyFileError(
                f"the key in {path} is locked, and nobody is at a terminal to be asked: name the file that holds its "
                "passphrase (--passphrase-file)",
                code=LOCKED,
            ) from None
    return KeyFolder.open(path, getpass.getpass(f"Passphrase of {path}: ").encode())
