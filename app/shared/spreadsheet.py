"""Tables as CSV that a spreadsheet opens, and takes nothing in for a formula.

as_csv(("gtin", "lot"), [("00399999001014", "=1+1")])     ->     gtin,lot\\r\\n00399999001014,'=1+1\\r\\n
"""

import csv
import io
from collections.abc import Iterable, Sequence

# What a spreadsheet would take for a formula (CWE-1236) gets an apostrophe before it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV (RFC 4180), UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
