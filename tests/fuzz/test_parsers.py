"""Whatever bytes a stranger sends: a value, or one `VerificationError` with a reason, soon, and one writing a value."""

import ast
import re
import sys
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.signing.keys import load_verifier
from tests.fuzz.mutations import graft, mutants
from tests.fuzz.targets import Target, targets
from tests.support.shared import ROOT
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


# Parsers of what no stranger wrote, and one that is made of two others.
NOT_OF_STRANGERS = {
    "signing/keyfile.py load_key": "the holder's own file",
    "signing/keyfile.py read_pem": "the holder's own file",
    "signing/keyfile.py read_passphrase": "the holder's own file",
    "signing/unlocking.py open_folder": "the holder's own files",
    "signing/holder.py open_key": "the holder's own folder",
    "signing/client.py KeyFolder.open": "the holder's own folder",
    "signing/captured.py SignedCapture.parse": "the holder's own outbox",
    "signing/registration.py load_registration": "opens a file; what is in it goes to registration",
    "signing/pkcs11.py TokenUri.parse": "the holder's own words at the command line",
    "signing/pkcs11.py open_token_key": "the holder's own token",
    "log/mark.py MarkFile.read": "the node's own file beside its keys",
    "evidence/timestamp.py load_certificates": "the reader's own certificates",
    "evidence/policy.py Policy.parse": "log-policy and author-policy, one after the other",
}
PACKAGES = ("log", "signing", "evidence", "witness")
PARSER = re.compile(r"(parse|read|decode|load|open|split|from)(_\w+)?")


def parsers() -> set[str]:
    """Every public function of the four packages that by its name reads something, as 'file qualified.name'."""
    found = set()
    for path in (each for name in PACKAGES for each in (ROOT / "ledger" / name).rglob("*.py")):
        file = path.relative_to(ROOT / "ledger").as_posix()
        for node in ast.parse(path.read_text()).body:
            members = node.body if isinstance(node, ast.ClassDef) else [node]
            owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            for each in members:
                if (
                    isinstance(each, ast.FunctionDef)
                    and not owner.startswith("_")
                    and PARSER.fullmatch(each.name)
                ):
                    found.add(f"{file} {owner}{each.name}")
    return found


def test_every_parser_of_a_strangers_bytes_is_in_the_table() -> None:
    """In the table is what the good samples of the table run through."""
    called: set[tuple[str, str]] = set()
    load_verifier.cache_clear()
    sys.setprofile(lambda frame, event, _: called.add((frame.f_code.co_filename, frame.f_code.co_qualname)))
    try:
        for target in targets().values():
            for seed in target.seeds:
                target.run(seed)
    finally:
        sys.setprofile(None)
    ledger = ROOT / "ledger"
    run = {
        f"{Path(file).relative_to(ledger).as_posix()} {name}"
        for file, name in called
        if Path(file).is_relative_to(ledger)
    }
    assert parsers() - run == NOT_OF_STRANGERS.keys()


@pytest.mark.parametrize("name", NAMES)
def test_good_input_is_read(name: str) -> None:
    target = targets()[name]
    # All but the last are signed or made by nobody, or by nobody who is trusted here; that one is bent already.
    if name not in (
        "note-signature",
        "consistency",
        "time-stamp",
        "evidence-grafted",
    ):
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
        assert not accepted or name in ("json", "base64", "hex", "link", "handovers"), (
            f"{name} accepted {what}"
        )
