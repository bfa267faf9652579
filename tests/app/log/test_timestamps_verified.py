"""`packproof-verify --timestamp`: what `openssl ts` stamps, judged by the verifier alone."""

import json
from hashlib import sha256

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from app.log.receipts import of_entry
from ledger.__main__ import main
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.beside import verify_receipt, verify_time_stamp
from ledger.evidence.der import Der, oid
from ledger.evidence.receipt import MAX_STAMP_BYTES, ReceiptLine, TimeStampFiles
from ledger.evidence.timestamp import check, load_certificates
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.checkpoint import SignedCheckpoint
from tests.app.log.test_receipts_verified import captured, shown  # noqa: F401 - a fixture
from tests.app.log.test_timestamps import authority, openssl  # noqa: F401 - a fixture
from tests.ledger.evidence.world import PACK, World, made, shipped


def stamped(folder, note, **changed):
    """The authority's answer over `note`."""
    query = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
    config = folder / "ts.cnf"
    if changed:
        text = config.read_text()
        for name, value in changed.items():
            text = "\n".join(
                f"{name} = {value}" if line.startswith(f"{name} =") else line for line in text.split("\n")
            )
        config = folder / "changed.cnf"
        config.write_text(text)
    (folder / "asked").write_bytes(query.build().as_bytes())
    return openssl("ts", "-reply", "-config", config, "-queryfile", folder / "asked").stdout


def code_of(call, *given):
    with pytest.raises(VerificationError) as caught:
        call(*given)
    return caught.value.code


def test_a_stamp_of_the_head_says_since_when_it_was_there(shown, authority, tmp_path, capsys):  # noqa: F811
    trade, data, report, index = shown
    node = trade.node.services.node
    note, pem = node.checkpoint(), (authority / "root.pem").read_bytes()
    answer = stamped(authority, note)
    line = verify_time_stamp(TimeStampFiles(answer, note, pem), report)
    assert (line.size, line.authority) == (report.size, "CN=tsa")
    for name, content in (("e.json", data), ("s.tsr", answer), ("s.note", note)):
        (tmp_path / name).write_bytes(content)
    options = ["--timestamp", str(tmp_path / "s.tsr"), "--stamped", str(tmp_path / "s.note")]
    ours, other = ["--tsa", str(authority / "root.pem")], ["--tsa", str(authority / "other.pem")]
    evidence = str(tmp_path / "e.json")
    assert main([evidence, *options, *ours]) == 0
    assert (
        f"the ledger of {report.size} entries was there at {line.at}, says CN=tsa" in capsys.readouterr().out
    )
    assert main([evidence, *options, *ours, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["time_stamp"]["at"] == line.at
    assert main([evidence, *options, *other, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["step"], told["name"], told["code"]) == (11, "time_stamp", "tsa-certificates")
    assert main([evidence, *options]) == 2, "without certificates of one's own nothing can be believed"

    # A later head is the evidence's own history only where something joins the two.
    captured(trade, 4)
    later = node.checkpoint()
    files = TimeStampFiles(stamped(authority, later), later, pem)
    with pytest.raises(EvidenceRefused) as loose:
        verify_time_stamp(files, report)
    assert (loose.value.step, loose.value.code) == (Step.TIME_STAMP, "time-stamp-head")
    receipt = verify_receipt(of_entry(node, index)[0], report)
    assert verify_time_stamp(files, report, [receipt]).size == report.size + 1
    assert verify(data).size == report.size


def test_of_what_came_after_the_stamped_head_it_says_nothing(authority):  # noqa: F811
    world = World()
    first = world.capture(made(PACK))
    note, pem = world.checkpoint(), (authority / "root.pem").read_bytes()
    after = [world.capture(shipped(PACK, minute)) for minute in (5, 6)]
    files = TimeStampFiles(stamped(authority, note), note, pem)
    for events, beyond, words in (
        ([first], (), "says CN=tsa"),
        (
            [first, after[0]],
            (after[0],),
            f"says CN=tsa; of entry {after[0]} it says NOTHING: not in that head",
        ),
        (
            [first, *after],
            tuple(after),
            f"of entries {after[0]}, {after[1]} it says NOTHING: not in that head",
        ),
    ):
        report = verify(world.bundle(events, [PACK]))
        older = SignedCheckpoint.open(note, [world.log.verifier]).checkpoint
        receipt = ReceiptLine("inclusion", first, older.size, older.root.hex())
        line = verify_time_stamp(files, report, [receipt])
        assert (line.size, line.beyond) == (after[0], beyond)
        assert line.told().endswith(words)


def test_what_is_no_stamp_of_these_bytes_is_refused_by_name(authority):  # noqa: F811
    note = b"a head of a log\n"
    mine = load_certificates((authority / "root.pem").read_bytes())
    answer = stamped(authority, note)
    assert check(answer, note, mine).authority == "CN=tsa"
    assert check(answer, note, load_certificates((authority / "tsa.pem").read_bytes())).authority == "CN=tsa"
    assert check(stamped(authority, note, ess_cert_id_alg="sha1"), note, mine).at.tzinfo is not None
    assert check(stamped(authority, note, signer_digest="sha512"), note, mine).authority == "CN=tsa"
    assert code_of(check, answer, note + b".", mine) == "time-stamp-imprint"
    assert code_of(check, answer, note, []) == "tsa-certificates"
    assert code_of(check, answer + b"\0", note, mine) == "der"
    assert code_of(check, bytes(MAX_STAMP_BYTES + 1), note, mine) == "time-stamp"
    assert code_of(load_certificates, b"no certificate") == "tsa-certificates"
    # A root that signs stamps itself: its certificate is for anything.
    changed = {"signer_cert": authority / "root.pem", "signer_key": authority / "root.key"}
    with pytest.raises(Exception):  # noqa: B017 - openssl refuses to make one
        stamped(authority, note, **changed)
    # One that was made by the authority's key, and given a certificate of another.
    refusal = openssl(
        "ts", "-reply", "-config", authority / "ts.cnf", "-queryfile", authority / "root.pem"
    ).stdout
    assert code_of(check, refusal, note, mine) in ("time-stamp", "der")


def test_any_changed_byte_that_is_signed_is_refused_and_nothing_else_escapes(authority):  # noqa: F811
    note = b"a head of a log\n"
    mine = load_certificates((authority / "root.pem").read_bytes())
    answer = stamped(authority, note)
    seen = check(answer, note, mine)
    accepted = 0
    for at in range(len(answer)):
        changed = answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]
        try:
            # What is neither signed nor needed may change (granted, or granted with changes): never what is told.
            assert check(changed, note, mine) == seen
            accepted += 1
        except LedgerError:
            continue
    assert accepted <= 4, accepted
    for at in range(0, len(answer), 7):
        code_of(check, answer[:at], note, mine)


def test_der_is_read_in_its_one_writing():
    assert oid("2.16.840.1.101.3.4.2.1").hex() == "608648016503040201"
    assert Der.whole(b"\x30\x03\x02\x01\x05", 0x30).parts()[0].integer() == 5
    for wrong in (
        b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x81\x03\x02\x01\x05", b"\x30\x82\x00\x81" + bytes(129),
        b"\x3f\x01\x00",
        b"\x30\x05\x02\x01\x05", b"\x30\x00", b"\x30\x85" + bytes(5), b"\x30\x03\x02\x01\x05\x00",
    ):  # fmt: skip
        with pytest.raises(VerificationError) as caught:
            Der.whole(wrong, 0x30).parts()
        assert caught.value.code == "der", wrong
    for wrong in (b"\x02\x00", b"\x02\x02\x00\x05", b"\x02\x02\xff\x85", b"\x04\x01\x05"):
        with pytest.raises(VerificationError):
            Der.whole(wrong, wrong[0]).integer()


def der(tag, *parts):
    content = b"".join(parts)
    assert len(content) < 0x10000
    size = len(content).to_bytes(2 if len(content) > 0xFF else 1, "big")
    return bytes((tag, *((0x80 | len(size),) if len(content) > 0x7F else ()))) + size + content


def test_a_signer_of_too_few_parts_is_refused_as_all_that_cannot_be_read():
    named = der(0x30, der(0x06, oid("2.16.840.1.101.3.4.2.1")))
    imprint = der(0x30, named, der(0x04, sha256(b"note").digest()))
    number = [der(0x02, bytes((value,))) for value in range(4)]
    info = der(0x30, number[1], der(0x06, b"\x2a"), imprint, number[1], der(0x18, b"20260301100000Z"))
    content = der(0x30, der(0x06, oid("1.2.840.113549.1.9.16.1.4")), der(0xA0, der(0x04, info)))
    for count in (1, 2):
        signer = der(0x31, der(0x30, *[number[1]] * count))
        signed = der(0x30, number[3], der(0x31, named), content, signer)
        token = der(0x30, der(0x06, oid("1.2.840.113549.1.7.2")), der(0xA0, signed))
        assert code_of(check, der(0x30, der(0x30, number[0]), token), b"note", ()) == "time-stamp"
