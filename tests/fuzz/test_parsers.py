"""Whatever bytes a stranger sends: a value, or one `VerificationError` with a reason, soon, and one writing a value."""

from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import graft, mutants
from tests.fuzz.targets import Target, targets
from tests.support.speed import within

NAMES = sorted(targets())
MEGABYTE = 1 << 20
SLOWEST_S = 1.0
HURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


def repeated(pattern: bytes) -> bytes:
    return (pattern * (MEGABYTE // len(pattern) + 1))[:MEGABYTE]


def bombs(target: Target) -> dict[str, bytes]:
    """A megabyte each, of what breaks naive parsers: depth, length, count, and the target's own good input."""
    seed = target.seeds[0]
    dash = "\N{EM DASH} a AAAAAAAA\n".encode()
    return {
        "zeros": bytes(MEGABYTE),
        "ones": b"\xff" * MEGABYTE,
        "digits": repeated(b"9"),
        "letters": repeated(b"A"),
        "hex": repeated(b"0f"),
        "newlines": repeated(b"\n"),
        "arrays": repeated(b"["),
        "closed arrays": b"[" * (MEGABYTE // 2) + b"]" * (MEGABYTE // 2),
        "objects": repeated(b'{"a":'),
        "members": b"{" + b",".join(b'"%d":0' % n for n in range(80_000)) + b"}",
        "one member": b"{" + b",".join([b'"a":0'] * 150_000) + b"}",
        "numbers": b"[" + repeated(b"1e999999999,") + b"1]",
        "escapes": b'"' + repeated(b"\\ud800") + b'"',
        "signatures": b"a\n1\n" + b"A" * 43 + b"=\n\n" + repeated(dash),
        "slashes": b"tile/0/" + repeated(b"x000/") + b"000",
        "good, then more": seed + repeated(b"0"),
        "good, many times": repeated(seed or b"0"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_good_input_is_read(name: str) -> None:
    target = targets()[name]
    # The first two are signed or made by nobody, the third is bent already.
    if name not in ("note-signature", "consistency", "evidence-grafted"):
        assert all(target.run(seed) for seed in target.seeds)


@pytest.mark.parametrize("name", NAMES)
def test_bent_input_ends_in_one_family_of_errors(name: str) -> None:
    target = targets()[name]
    random = Random(f"packproof {name}")
    for seed in target.seeds:
        for mutant in mutants(seed, random, 400 // len(target.seeds)):
            target.run(mutant)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=HURRIED)
@given(data=st.binary(max_size=2_000) | st.text(max_size=500).map(lambda text: text.encode()))
def test_any_bytes_end_in_one_family_of_errors(name: str, data: bytes) -> None:
    targets()[name].run(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=250, deadline=None, database=None, suppress_health_check=HURRIED)
@given(replacement=_JSON, seed=st.integers(0, 2**32))
def test_any_member_of_a_file_may_be_anything(replacement: object, seed: int) -> None:
    """Step 1 reads a file whose members are of any type, and every later step what is left of it."""
    grafted = graft(targets()["bundle"].seeds[0], replacement, Random(seed))
    targets()["bundle"].run(grafted)
    targets()["evidence"].run(grafted)


@pytest.mark.parametrize("name", NAMES)
def test_a_megabyte_of_anything_is_refused_within_a_second(name: str) -> None:
    target = targets()[name]
    for what, bomb in bombs(target).items():
        accepted = within(SLOWEST_S, partial(target.run, bomb))
        # What has no limit of its own is limited by whoever calls it.
        assert not accepted or name in ("json", "base64", "hex", "link"), f"{name} accepted {what}"
