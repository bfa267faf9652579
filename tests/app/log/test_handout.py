"""``packproof ledger proof|entry|policy|export`` as an operator runs them, checked with the kernel."""

import json

import pytest
from sqlalchemy import select

from app import wiring
from app.config import Settings
from app.events.models import event as event_table
from app.shared.audit import entries as trail
from ledger.__main__ import main as verify
from ledger.errors import VerificationError
from ledger.evidence.policy import Policy
from ledger.log.checkpoint import SignedCheckpoint
from ledger.log.entry import Entry
from ledger.log.hashing import leaf_hash
from ledger.log.logproof import LogProof
from ledger.log.note import COSIGNATURE, Note, NoteVerifier
from ledger.log.policy import LogPolicy
from ledger.log.proof import verify_inclusion
from ledger.signing.client import make_root
from tests.app.log.test_recover import ORIGIN, run  # noqa: F401 - a fixture
from tests.support import programs
from tests.support.patience import PATIENCE_S
from tests.support.shared import shared_path

EXAMPLE = (
    "data/epcis/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml"
)
MAKER = "0300011111116"


@pytest.fixture
def services(run):  # noqa: F811
    made = wiring.build(Settings.from_env())
    yield made
    made.database.dispose()


@pytest.fixture
def event(run):  # noqa: F811
    """The id and the entry of an event that was captured."""
    run("party", "add", MAKER, "--name", "Maker", "--kind", "maker")
    run("capture", shared_path(EXAMPLE), "--as", MAKER)
    made = wiring.build(Settings.from_env())
    with made.database.reading() as connection:
        found = connection.execute(select(event_table.c.event_id, event_table.c.idx)).first()
    made.database.dispose()
    return found


def test_a_proof_verifies_with_the_entry_and_the_pinned_key(run, event, tmp_path):  # noqa: F811
    event_id, index = event
    run("ledger", "proof", event_id, "-o", tmp_path / "proof.txt")
    run("ledger", "entry", event_id, "-o", tmp_path / "entry.bin")
    key = NoteVerifier.parse(run.json("init")["verifier_key"])
    proof = LogProof.parse((tmp_path / "proof.txt").read_bytes())
    head = SignedCheckpoint.open(proof.checkpoint, [key]).checkpoint
    leaf = leaf_hash((tmp_path / "entry.bin").read_bytes())
    verify_inclusion(leaf, proof.index, head.size, proof.hashes, head.root)
    assert proof.index == index
    assert Entry.decode((tmp_path / "entry.bin").read_bytes()).index == index


def test_packproof_verify_holds_a_proof_against_the_entry_and_a_policy(run, event, tmp_path, capsys):  # noqa: F811
    event_id, index = event
    proof, entry, policy = (tmp_path / name for name in ("proof.txt", "entry.bin", "policy.txt"))
    run("ledger", "proof", event_id, "-o", proof)
    run("ledger", "entry", event_id, "-o", entry)
    run("ledger", "policy", "-o", policy)
    capsys.readouterr()
    given = [str(proof), "--entry", str(entry), "--policy", str(policy)]
    assert verify([*given, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["index"], told["kind"], told["leaf"]) == (
        index,
        "received",
        leaf_hash(entry.read_bytes()).hex(),
    )
    assert verify(given) == 0
    assert f"ACCEPTED. These bytes are entry {index} of the log" in capsys.readouterr().out
    for wanting in (given[:1], given[:3], [str(entry), *given[1:]]):
        assert verify(wanting) == 2
        assert "--entry E and --policy P" in capsys.readouterr().err
    whole = entry.read_bytes()
    for at in (5, 13, len(whole) // 2, len(whole) - 1):  # its index, time, statement, signature
        entry.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert verify([*given, "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["code"] in ("log-proof", "entry", "inclusion")
    entry.write_bytes(whole)
    proof.write_bytes(proof.read_bytes().replace(b"\nindex ", b"\nindex 1", 1))
    assert verify([*given, "--json"]) == 1


def test_an_entry_goes_to_standard_output_as_it_is_and_taking_it_is_recorded(services, tmp_path):
    with (tmp_path / "out").open("wb") as out:
        assert (
            programs.start("-m", "app.cli", "ledger", "entry", "1", stdout=out.fileno()).wait(PATIENCE_S) == 0
        )
    body = (tmp_path / "out").read_bytes()
    with services.node.ledger.reading() as reader:
        assert body == reader.entry(1)
    with services.database.reading() as connection:
        assert [item.subject for item in trail(connection, action="ledger.entries")] == ["entry 1"]


@pytest.mark.parametrize("what", ["proof", "entry"])
@pytest.mark.parametrize("named", ["2", "99", "9" * 19, "9" * 30, "urn:uuid:none", ""])
def test_what_is_not_there_is_not_found(run, what, named):  # noqa: F811
    assert "packproof: No such" in run("ledger", what, named, fails=1)


def test_the_policy_is_one_that_a_verifier_reads(run, tmp_path):  # noqa: F811
    make_root(tmp_path / "root", MAKER, ORIGIN)
    registration = tmp_path / "root" / "registration.json"
    run("party", "add", MAKER, "--name", "Maker", "--kind", "maker", "--root", registration)
    policy, authors = tmp_path / "policy.txt", tmp_path / "authors.json"
    run("ledger", "policy", "-o", policy, "--authors", authors)
    read = Policy.parse(policy.read_bytes(), authors.read_bytes())
    made = run.json("init")
    assert [str(key) for key in read.logs] == [made["verifier_key"]]
    assert read.trust.logs[0].url == "http://127.0.0.1:8000/ledger"
    assert len(read.roots[MAKER]) == 1
    assert json.loads(authors.read_text())["roots"] == run.json("ledger", "policy")["authors"]["roots"]
    SignedCheckpoint.open(run.json("ledger", "proof", "0")["checkpoint"].encode(), read.logs)


def test_a_head_stripped_to_its_mldsa_line_counts_under_no_policy_of_the_node(run, monkeypatch, tmp_path):  # noqa: F811
    made = run.json("init")
    key, long_term = made["verifier_key"], NoteVerifier.parse(made["mldsa_verifier_key"])
    whole = Note.parse(run.json("ledger", "proof", "0")["checkpoint"].encode())
    [second] = [line for line in whole.signatures if long_term.wrote(line)]
    [first] = [line for line in whole.signatures if line != second]
    one, other = Note(whole.text, (first,)), Note(whole.text, (second,))

    def judged(note: Note, policy: str) -> str:
        read = LogPolicy.parse(policy.encode())
        try:
            SignedCheckpoint.open(note.encode(), read.log_keys)
            read.require_quorum(note)
        except VerificationError as error:
            return error.code
        return "accepted"

    policy = run.json("ledger", "policy")["policy"]
    assert policy == f"log {key} http://127.0.0.1:8000/ledger\nquorum none\n"
    assert [judged(note, policy) for note in (whole, one, other)] == ["accepted", "accepted", "note-unsigned"]
    both = run.json("ledger", "policy", "--mldsa")["policy"]
    assert both.splitlines()[1:] == [f"witness long-term {long_term}", "quorum long-term"]
    assert [judged(note, both) for note in (whole, one, other)] == ["accepted", "quorum", "note-unsigned"]

    # Beside witnesses of the operator's, whose quorum stays; a group without a part in it is left out.
    w1, w2 = (NoteVerifier(f"w{n}.example", bytes([n]) * 32, COSIGNATURE) for n in (1, 2))
    (tmp_path / "witnesses").write_text(
        f"witness a {w1}\nwitness b {w2}\ngroup g any a b\ngroup idle all g\nquorum g\n"
    )
    monkeypatch.setenv("PACKPROOF_WITNESSES", str(tmp_path / "witnesses"))
    demanding = run.json("ledger", "policy", "--mldsa")["policy"]
    assert demanding.splitlines()[3:] == [
        f"witness long-term {long_term}",
        "group g 1 a b",
        "group long-term-and-g 2 g long-term",
        "quorum long-term-and-g",
    ]
    assert judged(whole, demanding) == "quorum"
    (tmp_path / "witnesses").write_text(f"witness long-term {w1}\nquorum none\n")
    assert "is taken" in run("ledger", "policy", "--mldsa", fails=1)


def test_export_writes_the_log_and_records_who_took_the_entries(run, services, tmp_path):  # noqa: F811
    first = run.json("ledger", "export", "--tiles", tmp_path / "log")
    assert (first["size"], first["files_written"]) == (2, 2)
    again = run.json("ledger", "export", "--tiles", tmp_path / "log", "--entries")
    assert again["files_written"] == 1
    assert {str(p.relative_to(tmp_path / "log")) for p in (tmp_path / "log").rglob("*") if p.is_file()} == {
        "checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2",
    }  # fmt: skip
    with services.database.reading() as connection:
        assert [item.subject for item in trail(connection, action="ledger.entries")] == ["entries 0 to 1"]
