"""The node's own policy as one sequence of bytes: what is printed, served, and hashed into evidence.

    packproof ledger policy          prints it          GET /ledger/policy          serves it

A C2SP tlog-policy (docs/formats/policy.md), before it, as comments, the keys under which this node cosigns others.
Evidence carries the SHA-256 of exactly these bytes, so nobody else writes them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import AppError
from app.log.service import Log
from ledger.log.note import NoteVerifier


@dataclass(frozen=True, slots=True)
class OwnPolicy:
    """`url`: the prefix of this log; `witnesses`: the file of its own; `cosigners`: keys it cosigns others with."""

    log: Log
    url: str
    witnesses: Path | None
    cosigners: Callable[[], Sequence[NoteVerifier]]

    def encode(self, *, mldsa: bool = False) -> bytes:
        """The policy's bytes; with `mldsa` the one that demands the ML-DSA-44 line. Raises `AppError`."""
        try:
            witnesses = self.witnesses.read_bytes() if self.witnesses else None
        except OSError as error:
            raise AppError(
                "witness.policy",
                500,
                f"{self.witnesses} cannot be read",
                error.strerror or "",
                "Set the path right.",
            ) from error
        comments = "".join(f"# cosigns as {key} {self.url}\n" for key in self.cosigners())
        # A name in the operator's file may be of other bytes than UTF-8: they go out as they came.
        text = comments + self.log.policy(self.url, witnesses, mldsa=mldsa)
        return text.encode("utf-8", "surrogateescape")
