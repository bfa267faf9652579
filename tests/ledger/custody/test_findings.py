"""Each finding explains itself and names its usual innocent cause, on its page and where it is shown."""

import pytest

from ledger.custody.findings import INNOCENT, FindingCode
from tests.support.pages import entries, section


@pytest.mark.parametrize("code", list(FindingCode))
def test_the_page_names_the_innocent_cause_that_is_shown_with_a_finding(code: FindingCode) -> None:
    text = " ".join(entries(section("findings.md", "Custody"))[code].split()).replace("`", "")
    assert f"Usual innocent cause: {INNOCENT[code]}." in text


def test_every_finding_has_one() -> None:
    assert list(INNOCENT) == list(FindingCode)
