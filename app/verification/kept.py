"""A scan that was answered, as it was kept: for a desk that goes on where the answer ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from app.errors import NotFound
from app.verification.models import scan_check
from ledger.custody.verdict import Reason, Word


@dataclass(frozen=True, slots=True)
class KeptScan:
    """One answered scan. `raw`: what the scanner read, byte for byte."""

    check_id: str
    at: datetime
    party_gln: str | None
    raw: bytes
    symbology: str | None
    word: Word
    reason: Reason


def kept_scan(connection: Connection, check_id: str, party_gln: str | None) -> KeptScan:
    """The scan with this id. Raises `NotFound`, also where another party asked (`party_gln` None: whoever's)."""
    row = connection.execute(select(scan_check).where(scan_check.c.check_id == check_id)).one_or_none()
    if row is None or (party_gln is not None and row.party_gln != party_gln):
        raise NotFound()
    word, reason = Word(row.word), Reason(row.reason)
    return KeptScan(row.check_id, row.at, row.party_gln, bytes(row.raw), row.symbology, word, reason)
