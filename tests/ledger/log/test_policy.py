"""C2SP tlog-policy: every rule of the page, and a slip that must not turn into trust."""

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.errors import VerificationError
from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import COSIGNATURE, MLDSA44, NoteSigner, NoteVerifier
from ledger.log.policy import MAX_WITNESSES, LogPolicy


def vkey(name: str, type_: int = COSIGNATURE, seed: int = 0) -> str:
    raw = seed.to_bytes(32, "big") if seed else None
    key = Ed25519PrivateKey.from_private_bytes(raw) if raw else Ed25519PrivateKey.generate()
    return str(NoteVerifier(name, key.public_key().public_bytes_raw(), type_))


LOG = vkey("log.example", 1)
X1, X2, X3, Y1, Y2, Y3 = (vkey(f"{name}.example") for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3"))
PAGE = f"""\
# The page's own example.
log {LOG}

witness X1 {X1}
witness X2 {X2} https://x2.example/witness
  witness\tX3   {X3}  
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1}
witness Y2 {Y2}
witness Y3 {Y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
   # a comment
quorum X-and-Y
"""  # noqa: W291 - white space at the end is allowed


def parse(text: str) -> LogPolicy:
    return LogPolicy.parse(text.encode())


def test_the_pages_example_means_what_the_page_says() -> None:
    policy = parse(PAGE)
    names = [witness.name for witness in policy.witnesses]
    for count in range(7):
        for some in itertools.combinations(names, count):
            x = sum(name.startswith("X") for name in some)
            assert policy.enough(some) == (x >= 2 and count > x), some
    assert policy.witnesses[1].url == "https://x2.example/witness"
    assert [str(log.key) for log in policy.logs] == [LOG]
    again = parse(policy.text())
    assert (again.logs, again.witnesses, again.groups) == (policy.logs, policy.witnesses, policy.groups)
    assert again.quorum == "X-and-Y"


@pytest.mark.parametrize("quorum", ["none", "X1"])
def test_the_simplest_quorums(quorum: str) -> None:
    policy = parse(f"witness X1 {X1}\nwitness X2 {X2}\nquorum {quorum}\n")
    assert policy.enough([]) == (quorum == "none")
    assert not parse(f"witness X1 {X1}\nquorum X1\n").enough(["X2", "X-witnesses"])
    assert policy.enough(["X1"])


def test_names_are_octets() -> None:
    policy = LogPolicy.parse(
        f"witness K {X1}\nwitness \u212a {X2}\n".encode()
        + f"witness \xff {X3}\nquorum \xff\n".encode("latin-1")
    )
    assert len({witness.name for witness in policy.witnesses}) == 3
    assert LogPolicy.parse(policy.text().encode("utf-8", "surrogateescape")).witnesses == policy.witnesses


def test_at_least_32_of_each_are_read() -> None:
    lines = [f"log {vkey(f'log{n}', 1)}" for n in range(32)]
    lines += [f"witness w{n} {vkey(f'w{n}')}" for n in range(32)]
    lines += [f"group g{n} any {f'g{n - 1}' if n else ''} w{n}" for n in range(32)]
    policy = parse("\n".join((*lines, "quorum g31\n")))
    assert policy.enough(["w0"])
    assert not policy.enough([])


X, Y = f"witness X {X1}\n", f"witness Y {X2}\n"
WRONG = {
    "no quorum": X,
    "two quorums": f"{X}quorum X\nquorum X\n",
    "an unknown quorum": f"{X}quorum Y\n",
    "a quorum before its name": f"quorum X\n{X}",
    "a witness called none": f"witness none {X1}\nquorum none\n",
    "a group called none": f"{X}group none any X\nquorum none\n",
    "none as a member": f"{X}group G any X none\nquorum G\n",
    "a name twice": f"{X}witness X {X2}\nquorum X\n",
    "a group with a witness's name": f"{X}group X any X\nquorum X\n",
    "a key under two names": f"{X}witness Y {X1}\nquorum X\n",
    "a log twice": f"log {LOG}\nlog {LOG}\nquorum none\n",
    "one log's key under two origins": f"log {vkey('a', 1, 7)}\nlog {vkey('b', 1, 7)}\nquorum none\n",
    "a member twice": f"{X}group G any X X\nquorum G\n",
    "a member of two groups": f"{X}group G any X\ngroup H any X\nquorum G\n",
    "a member not defined yet": f"group G any X\n{X}quorum G\n",
    "a group of itself": f"{X}group G any X G\nquorum G\n",
    "a group of nobody": f"{X}group G any\nquorum G\n",
    "more than there are": f"{X}group G 2 X\nquorum G\n",
    "none of them": f"{X}group G 0 X\nquorum G\n",
    "no number": f"{X}group G most X\nquorum G\n",
    "a number spelt otherwise": f"{X}group G 01 X\nquorum G\n",
    "a signed number": f"{X}group G +1 X\nquorum G\n",
    "another word": f"{X}quorom X\nquorum X\n",
    "another case": f"{X}Quorum X\n",
    "a word too many": f"{X}quorum X Y\n",
    "two addresses": f"witness X {X1} https://a https://b\nquorum X\n",
    "no key": "witness X\nquorum none\n",
    "a log's key for a witness": f"witness X {LOG}\nquorum X\n",
    "a witness's key for a log": f"log {X1}\nquorum none\n",
    "a key id that is another's": f"witness X {X1.replace('+', '+0', 1)[:-1]}\nquorum X\n",
    "no last newline": f"{X}quorum X",
    "carriage returns": f"{X}quorum X\r\n",
    "another white space": f"{X}quorum\x0bX\n",
    "an escape in a comment": f"# \x1b[2J\n{X}quorum X\n",
    "nothing": "",
}


@pytest.mark.parametrize("case", WRONG)
def test_a_slip_is_refused(case: str) -> None:
    with pytest.raises(VerificationError) as refused:
        parse(WRONG[case])
    assert refused.value.code in ("policy", "note-key", "base64", "hex", "decimal")


def test_a_policy_is_bounded() -> None:
    many = "".join(f"witness w{n} {vkey(f'w{n}')}\n" for n in range(MAX_WITNESSES + 1))
    for text in ("\n" * 5000 + "quorum none\n", "#" * (1 << 20) + "\nquorum none\n", f"{many}quorum none\n"):
        with pytest.raises(VerificationError):
            parse(text)


def test_cosignatures_are_counted_only_if_they_verify() -> None:
    log = NoteSigner("log.example", Ed25519PrivateKey.generate())
    head = Checkpoint("log.example", 3, bytes(32))
    ed, ml = (
        CosignatureSigner("w.example", key.generate()) for key in (Ed25519PrivateKey, MLDSA44PrivateKey)
    )
    assert ml.verifier.type == MLDSA44
    policy = parse(
        f"log {log.verifier}\nwitness ed {ed.verifier}\nwitness ml {ml.verifier}\n"
        f"group both all ed ml\nquorum both\n"
    )
    note = head.sign(log)
    one = note.signed_also([ed.sign(head, 1_700_000_000)])
    both = one.signed_also([ml.sign(head, 1_700_000_001)])
    assert [witness.name for witness, _ in policy.require_quorum(both)] == ["ed", "ml"]
    with pytest.raises(VerificationError) as refused:
        policy.require_quorum(one)
    assert refused.value.code == "quorum"
    other = Checkpoint("log.example", 3, b"\1" * 32)
    with pytest.raises(VerificationError) as refused:
        policy.require_quorum(both.signed_also([ed.sign(other, 1_700_000_000)]))
    assert refused.value.code == "note-signature"
