"""No byte of an evidence file is without meaning: change any, and a step refuses it and says where."""

from collections import Counter

import pytest

from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, Step, verify
from tests.ledger.evidence.world import PACK, World, made


@pytest.fixture(scope="module")
def minimal() -> tuple[bytes, Policy]:
    """The smallest file about a package: its commissioning, and the two key records that needs."""
    world = World()
    index = world.capture(made(PACK))
    policy = Policy((world.log.verifier,), {"9506000134352": frozenset((world.root.thumbprint,))})
    data = world.bundle([index], [PACK], keys=[2, 3])
    verify(data, policy)
    return data, policy


def test_every_changed_byte_is_refused_and_located(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    accepted, steps = [], Counter()
    for position in range(len(data)):
        bent = bytearray(data)
        # Another bit for each neighbour, but never the highest alone: that would only ever test the ASCII check.
        bent[position] ^= 1 << position % 7
        try:
            verify(bytes(bent), policy)
            accepted.append(position)
        except EvidenceRefused as refusal:
            steps[refusal.step] += 1
    assert accepted == []
    assert set(steps) == set(Step) - {Step.ENTRY, Step.SIGNATURES, Step.SUBJECT} | steps.keys()
    assert steps.total() == len(data)


def test_every_cut_and_every_added_byte_is_refused(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    for position in range(0, len(data), 37):
        for bent in (
            data[:position],
            data[:position] + b"0" + data[position:],
            data[:position] + data[position + 1 :],
        ):
            with pytest.raises(EvidenceRefused):
                verify(bent, policy)
    for bent in (data + b"\n", b" " + data, data + data):
        with pytest.raises(EvidenceRefused):
            verify(bent, policy)
