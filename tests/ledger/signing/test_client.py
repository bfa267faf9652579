"""A party's key folder: no number is used twice, nothing signed is lost, and the same content is signed once."""

import itertools
import json
import multiprocessing
from hashlib import sha256

import pytest

from ledger.errors import VerificationError
from ledger.signing import client
from ledger.signing.client import ClientError, KeyFolder, Registration, make_device, make_root, sign_capture
from ledger.signing.commitment import Leaf, ListField, commit
from ledger.signing.envelope import Envelope, verify
from ledger.signing.keyfile import KeyFileError
from ledger.signing.keyrecord import Role
from ledger.signing.keys import load_verifier
from tests.support.patience import PATIENCE_S

PARTY, ORIGIN = "9506000134352", "packproof.example/ledger"


def records(*values):
    return [[Leaf("bizStep", b"shipping"), ListField("epcList", (value.encode(),))] for value in values]


@pytest.fixture
def folder(tmp_path):
    make_root(tmp_path / "root", PARTY, ORIGIN)
    make_device(tmp_path / "dock", tmp_path / "root", "Dock 3")
    return KeyFolder.open(tmp_path / "dock")


def statement_of(capture):
    return Envelope.parse(capture.envelope).statement


def test_the_chain_begins_with_the_registration_and_each_follows_the_one_before(folder):
    made = [sign_capture(folder, name.encode(), "application/json", records(name)) for name in "abc"]
    verifier = load_verifier(folder.signer.spki)
    prev = sha256(Envelope.parse(folder.registration.envelope).statement).digest()
    streams = set()
    for number, capture in enumerate(made, 1):
        statement = verify(Envelope.parse(capture.envelope), [verifier])
        assert (statement.chain.seq, statement.chain.prev) == (number, prev)
        assert (statement.ledger, statement.type) == (ORIGIN, "captured")
        assert statement.commit.root == commit(
            sha256(capture.document).digest(), [], records("abc"[number - 1]), capture.seed
        )
        streams.add(statement.chain.stream)
        prev = sha256(statement_of(capture)).digest()
    assert len(streams) == 1


def test_what_is_signed_waits_in_the_outbox_until_it_is_acknowledged(folder):
    first, second = (sign_capture(folder, n.encode(), "application/json", records(n)) for n in "ab")
    again = KeyFolder.open(folder.path)
    assert again.outbox() == [first, second]
    again.acknowledged(first, {"index": 7, "findings": [{"score": 0.5}]})
    assert again.outbox() == [second]
    again.refused(second, {"code": "capture.other_content"})
    assert again.outbox() == []
    assert [parked.receipt for parked in again.refused_captures()] == [{"code": "capture.other_content"}]


def test_the_same_content_is_signed_once_however_it_is_written(folder):
    first = sign_capture(folder, b'{"a":1}', "application/json", records("a"))
    assert sign_capture(folder, b'{ "a": 1 }', "application/json", records("a")) == first
    folder.acknowledged(first, {"index": 7})
    later = sign_capture(folder, b'{"a":1}', "application/json", records("a"))
    assert (later, later.receipt) == (first, {"index": 7})
    assert sign_capture(folder, b"b", "application/json", records("b")).seq == 2
    assert sign_capture(folder, b"ab", "application/json", records("a", "b")).seq == 3


def test_what_was_parked_or_refused_goes_out_again_as_it_is(folder):
    first = sign_capture(folder, b"a", "application/json", records("a"))
    folder.refused(first, {"code": "capture.parked"})
    again = sign_capture(folder, b" a", "application/json", records("a"))
    assert (again, again.receipt) == (first, None)
    assert folder.outbox() == [first] and folder.refused_captures() == []
    folder.refused(again, {"code": "key.unknown"})
    assert [each.receipt for each in folder.refused_captures()] == [{"code": "key.unknown"}]
    assert sign_capture(folder, b"a", "application/json", records("a")) == first
    folder.acknowledged(first, {"index": 4})
    assert folder.outbox() == folder.refused_captures() == []
    assert sign_capture(folder, b"a", "application/json", records("a")).receipt == {"index": 4}


def test_what_was_refused_is_signed_anew_once_it_was_mended_or_adopts_something(folder):
    first = sign_capture(folder, b"a", "application/json", records("a"))
    folder.refused(first, {"code": "document.header"})
    mended = sign_capture(folder, b"A", "application/json", records("a"))
    assert mended.seq == 2
    folder.refused(mended, {"code": "capture.parked"})
    adopting = sign_capture(folder, b"A", "application/json", records("a"), (bytes(32),))
    assert adopting.seq == 3
    assert [each.seq for each in folder.refused_captures()] == [1, 2]


@pytest.fixture
def cut_short(folder, monkeypatch):
    """A folder where the second signing was cut off between its two writings."""
    sign_capture(folder, b"a", "application/json", records("a"))
    write = client.write_whole

    def crash(path, data):
        if path.name == "state.json":
            raise OSError("the plug was pulled")
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(client, "write_whole", crash)
        with pytest.raises(OSError, match="plug"):
            sign_capture(folder, b"b", "application/json", records("b"))
    return KeyFolder.open(folder.path)


def test_a_crash_between_the_two_writings_never_makes_two_statements_of_one_number(cut_short):
    assert [capture.seq for capture in cut_short.outbox()] == [1, 2]
    third = sign_capture(cut_short, b"c", "application/json", records("c"))
    chain = verify(Envelope.parse(third.envelope), [load_verifier(cut_short.signer.spki)]).chain
    assert (chain.seq, chain.prev) == (3, sha256(statement_of(cut_short.outbox()[1])).digest())


@pytest.mark.parametrize("settle", [KeyFolder.acknowledged, KeyFolder.refused])
def test_nor_does_it_when_what_was_cut_off_has_left_the_outbox_before_the_next_is_signed(cut_short, settle):
    second = cut_short.outbox()[1]
    for capture in cut_short.outbox():
        settle(cut_short, capture, {"index": 7})
    third = sign_capture(cut_short, b"c", "application/json", records("c"))
    chain = verify(Envelope.parse(third.envelope), [load_verifier(cut_short.signer.spki)]).chain
    assert (chain.seq, chain.prev) == (3, sha256(statement_of(second)).digest())


def _sign_many(path, name, count):
    folder = KeyFolder.open(path)
    for number in range(count):
        text = f"{name}{number}"
        sign_capture(folder, text.encode(), "application/json", records(text))


def test_processes_at_once_use_each_number_once(folder):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_sign_many, args=(folder.path, name, 15)) for name in "xyz"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_S)
        assert worker.exitcode == 0
    made = folder.outbox()
    assert [capture.seq for capture in made] == list(range(1, 46))
    for before, after in itertools.pairwise(made):
        chain = json.loads(statement_of(after))
        assert chain["prev"] == sha256(statement_of(before)).hexdigest()


def test_files_are_for_their_owner_alone(folder):
    sign_capture(folder, b"a", "application/json", records("a"))
    for path in folder.path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_root_signs_keys_and_no_captures(tmp_path):
    make_root(tmp_path / "root", PARTY, ORIGIN)
    with pytest.raises(ClientError, match="root key, which signs keys"):
        sign_capture(KeyFolder.open(tmp_path / "root"), b"", "application/json", [])


def test_a_key_is_never_written_over(folder, tmp_path):
    pem = (folder.path / "key.pem").read_bytes()
    with pytest.raises(ClientError, match="holds a key already"):
        make_device(folder.path, tmp_path / "root", "Dock 4")
    with pytest.raises(ClientError, match="holds a key already"):
        make_root(tmp_path / "root", PARTY, ORIGIN)
    assert (folder.path / "key.pem").read_bytes() == pem


def test_only_a_root_registers_keys(folder, tmp_path):
    with pytest.raises(ClientError, match="only a party's root"):
        make_device(tmp_path / "other", folder.path, "Dock 4")
    assert not (tmp_path / "other").exists()


def test_a_registration_is_signed_by_root_and_device(folder, tmp_path):
    root = KeyFolder.open(tmp_path / "root")
    keys = [load_verifier(root.signer.spki), load_verifier(folder.signer.spki)]
    envelope = Envelope.parse(folder.registration.envelope)
    assert verify(envelope, keys).author == root.thumbprint
    assert [each.key for each in envelope.signatures] == [root.thumbprint, folder.thumbprint]
    assert Registration.parse(folder.registration.encode()) == folder.registration
    assert (folder.role, folder.party, folder.label) == (Role.DEVICE, PARTY, "Dock 3")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"envelope":1,"document":"","seed":""}', b"x" * 300_000]
)
def test_what_is_no_registration_is_refused(data):
    with pytest.raises(VerificationError):
        Registration.parse(data)


def test_a_folder_that_is_none_or_open_to_others_is_refused(folder, tmp_path):
    with pytest.raises(ClientError, match="is no key folder"):
        KeyFolder.open(tmp_path / "nothing")
    (folder.path / "key.pem").chmod(0o644)
    with pytest.raises(KeyFileError, match="can be read by others"):
        KeyFolder.open(folder.path)
    (folder.path / "state.json").write_text('{"v":1,"party":5}')
    with pytest.raises(ClientError):
        KeyFolder.open(folder.path)
