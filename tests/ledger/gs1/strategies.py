"""Hypothesis strategies for valid GS1 values."""

from hypothesis import strategies as st

from ledger.gs1.check_digit import check_digit
from ledger.gs1.gln import Gln
from ledger.gs1.gtin import Gtin
from ledger.gs1.sscc import Sscc

CSET82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def _key(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length - 1, max_size=length - 1).map(lambda d: d + check_digit(d))


gtins = _key(14).map(Gtin)
glns = _key(13).map(Gln)
ssccs = _key(18).map(Sscc)
values = st.text(CSET82, min_size=1, max_size=20)
gcp_lengths = st.integers(6, 12)
