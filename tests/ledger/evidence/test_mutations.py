"""No byte of an evidence file is without meaning: change any, and a step refuses it and says where.

Two kinds of change. A *raw* one leaves the digest as it was. A *resealed* one is a forger's: the digest is made right
again, so that the steps before must find it. In `make test` a sample, the same in each run; `make soak` (or
PACKPROOF_TEST_SOAK=1) makes every change at every position.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest

from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.encoding import from_base64, from_json, to_base64, to_json
from tests.fuzz.mutations import found, places, replaced, sealed
from tests.ledger.evidence.world import PACK, World, made

ALL = os.environ.get("PACKPROOF_TEST_SOAK") == "1"
HARMLESS = ("policy", "log")
"""Resealed, these may say something else: they are the maker's claims, and a verifier's own policy overrides them."""


@pytest.fixture(scope="module")
def minimal() -> tuple[bytes, Policy]:
    """The smallest file about a package: its commissioning, and the two key records that needs."""
    world = World()
    index = world.capture(made(PACK))
    policy = Policy((world.log.verifier,), {"9506000134352": frozenset((world.root.thumbprint,))})
    data = world.bundle([index], [PACK], keys=[2, 3])
    verify(data, policy)
    return data, policy


def sample(items: Iterable[Any], count: int, name: str) -> list[Any]:
    """All of them under soak, else `count`, the same in each run."""
    whole = list(items)
    return whole if ALL or len(whole) <= count else Random(name).sample(whole, count)


def refused(cases: Iterable[bytes], policy: Policy) -> Counter[Step]:
    """The steps that refused; fails if one was accepted."""
    steps: Counter[Step] = Counter()
    for case in cases:
        try:
            verify(case, policy)
        except EvidenceRefused as refusal:
            assert refusal.code
            assert refusal.message.startswith(f"step {refusal.step.value} ({refusal.step.name.lower()})")
            steps[refusal.step] += 1
        else:
            pytest.fail(f"accepted: {case[:400]!r}")
    return steps


def with_byte(data: bytes, position: int, byte: int) -> bytes:
    return data[:position] + bytes((byte,)) + data[position + 1 :]


def test_every_changed_byte_is_refused_and_located(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    # Another bit for each neighbour, but never the highest alone: that would only ever test the ASCII check.
    steps = refused(
        (with_byte(data, at, byte ^ 1 << at % 7) for at, byte in enumerate(data)),
        policy,
    )
    assert steps.total() == len(data)
    assert steps.keys() >= {Step.FILE, Step.CHECKPOINT, Step.INCLUSION, Step.KEYS, Step.FIELDS, Step.DIGEST}


def test_every_bit_of_a_byte_counts(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    positions = sample(range(len(data)), 150, "bits")
    flips = (with_byte(data, at, data[at] ^ 1 << bit) for at in positions for bit in range(8))
    assert refused(flips, policy).total() == 8 * len(positions)


def test_every_cut_insertion_and_deletion_is_refused(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    for at in sample(range(len(data)), 150, "cuts"):
        byte = data[at : at + 1]
        refused(
            (data[:at], data[at + 1 :] if at == 0 else data[:at] + data[at + 1 :], data[:at] + b"0" + data[at:],
             data[:at] + byte + data[at:]), policy,
        )  # fmt: skip
    refused((data + b"\n", b" " + data, data + data, b"\xef\xbb\xbf" + data), policy)


def nudges(old: Any) -> Iterator[Any]:
    """Every small change of one value: a character, a step up or down, an element away, twice or elsewhere."""
    if isinstance(old, str):
        for at, char in enumerate(old):
            yield old[:at] + ("1" if char != "1" else "2") + old[at + 1 :]
            yield old[:at] + ("A" if char != "A" else "B") + old[at + 1 :]
        yield from (old[1:], f"{old}0")
    elif isinstance(old, int):
        yield from (old - 1, old + 1, 2**32 + old, -old - 1)
    elif isinstance(old, list):
        yield from (old[:at] + old[at + 1 :] for at in range(len(old)))
        yield from (old[:at] + old[at : at + 1] + old[at:] for at in range(len(old)))
        yield from ([*old[:at], old[at + 1], old[at], *old[at + 2 :]] for at in range(len(old) - 1))
    else:
        yield from ({key: value for key, value in old.items() if key != gone} for gone in old)
        yield {**old, "more": ""}


def test_a_forger_who_makes_the_digest_right_is_refused_all_the_same(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    value = json.loads(data)
    paths = [path for path in places(value) if path[0] not in ("digest", *HARMLESS)]
    changes = [
        (path, new) for path in paths for new in nudges(found(value, path)) if new != found(value, path)
    ]
    chosen = sample(changes, 1_000, "forger")
    steps = refused((sealed(replaced(value, path, new)) for path, new in chosen), policy)
    assert steps[Step.DIGEST] == 0
    assert steps.keys() >= {Step.FILE, Step.CHECKPOINT, Step.INCLUSION, Step.KEYS, Step.FIELDS}


def test_every_bit_of_an_entry_counts_though_the_digest_is_right(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    value = json.loads(data)
    for number, item in enumerate(value["entries"]):
        entry = from_base64(item["entry"])
        bits = [(at, bit) for at in range(len(entry)) for bit in range(8)]
        cases = (
            sealed(replaced(value, ("entries", number, "entry"), to_base64(with_byte(entry, at, entry[at] ^ 1 << bit))))
            for at, bit in sample(bits, 120, f"entry {number}")
        )  # fmt: skip
        assert refused(cases, policy).keys() <= {Step.INCLUSION}


def test_swapped_and_doubled_entries_and_members_are_refused(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    value = json.loads(data)
    entries = value["entries"]
    for order in ([1, 0, 2], [0, 2, 1], [0, 0, 1, 2], [0, 1, 2, 2], [0, 1], [1, 2], [2]):
        refused([sealed({**value, "entries": [entries[n] for n in order]})], policy)
    for member in ("proof", "entry", "document", "records", "intake", "head", "count"):
        for left, right in ((0, 1), (1, 2), (0, 2)):
            if entries[left][member] != entries[right][member]:
                swapped = replaced(value, ("entries", left, member), entries[right][member])
                refused([sealed(swapped)], policy)
    text = data.decode()
    for member in ("format", "subject", "log", "policy", "digest"):
        written = f'"{member}":' + to_json(from_json(data)[member]).decode()
        refused([text.replace(written, f"{written},{written}").encode()], policy)


def test_what_a_forger_may_change_is_only_what_the_policy_overrides(minimal: tuple[bytes, Policy]) -> None:
    data, policy = minimal
    value = json.loads(data)
    other = World()
    for member, new in (("policy", "00" * 32), ("log", str(other.log.verifier))):
        report = verify(sealed({**value, member: new}), policy)
        assert report.log_keys == tuple(str(key) for key in policy.logs)
    # Without a policy of one's own the file's key is all there is: then it must have signed.
    with pytest.raises(EvidenceRefused):
        verify(sealed({**value, "log": str(other.log.verifier)}))
