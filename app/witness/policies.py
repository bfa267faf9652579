"""Policy files (C2SP tlog-policy, docs/formats/policy.md) named by settings: read again when they change."""

from collections.abc import Callable
from pathlib import Path

from app.errors import AppError
from ledger.errors import LedgerError
from ledger.log.policy import MAX_POLICY_BYTES, LogPolicy


def read_policy(path: Path) -> LogPolicy:
    """The policy in the file `path`. Raises `AppError` ``witness.policy``."""
    try:
        with path.open("rb") as stream:
            return LogPolicy.parse(stream.read(MAX_POLICY_BYTES + 1))
    except OSError as error:
        raise AppError(
            "witness.policy", 500, f"{path} cannot be read", error.strerror or "", "Set the path right."
        ) from error
    except LedgerError as error:
        raise AppError(
            "witness.policy",
            500,
            f"{path} is no policy",
            error.message,
            "docs/formats/policy.md has the form.",
        ) from error


def watched(path: Path) -> Callable[[], LogPolicy]:
    """The policy in `path`, each time as the file is then; it is parsed when it has changed."""
    known: list[tuple[tuple[int, int, int], LogPolicy]] = []

    def present() -> LogPolicy:
        try:
            found = path.stat()
        except OSError:
            return read_policy(path)  # says what is wrong
        key = (found.st_mtime_ns, found.st_size, found.st_ino)
        if not known or known[0][0] != key:
            known[:] = [(key, read_policy(path))]
        return known[0][1]

    return present
