"""How the verifier refuses a file: step, code, entry and path, for tests to look at."""

import pytest

from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, verify


def refused(data: bytes, policy: Policy | None = None) -> EvidenceRefused:
    with pytest.raises(EvidenceRefused) as caught:
        verify(data, policy)
    return caught.value
