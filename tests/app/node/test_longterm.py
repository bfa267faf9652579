"""The node's ML-DSA-44 key is followed by another: both cosign for a while, and who pinned the old one follows."""

import json

import pytest

from app.errors import AppError, Conflict
from app.log.service import Log
from app.node.keys import MLDSA, NodeKeys
from app.node.longterm import MldsaRotation, mldsa_handovers
from ledger.__main__ import main
from ledger.errors import LedgerError, VerificationError
from ledger.evidence.handover import Handover, split_handovers
from ledger.evidence.mldsa_handover import MldsaHandover, signed_bytes
from ledger.log import mldsa
from ledger.log.cosignature import CosignatureSigner
from ledger.log.note import Note
from tests.app.node.test_keys import append, fresh
from tests.support.app import Node


def test_both_cosign_until_the_old_one_ends_and_who_pinned_it_follows(
    sqlite_node: Node, tmp_path, capsys
) -> None:
    services = sqlite_node.services
    node, rotation = services.node, MldsaRotation(services.node)
    node.initialise()
    other = fresh(sqlite_node)
    first, before = node.mldsa_verifier, node.checkpoint()
    with pytest.raises(Conflict) as none:
        rotation.finish()
    assert none.value.code == "node.rotation_none"

    begun = rotation.begin()
    assert (begun.index, len(set(begun.keys))) == (None, 2)
    first_again, second = node.mldsa_verifiers
    assert first_again == first == node.mldsa_verifier != second
    assert other.mldsa_verifiers == (first, second), "every process reads the key that was made"
    with pytest.raises(Conflict) as open_:
        rotation.begin()
    assert open_.value.code == "node.rotation_open"
    [handover] = services.handovers.mldsa()
    assert (handover.present, handover.following) == (first, second)
    assert handover.prove(first).note.text == Note.parse(before).text
    policy = Log(services.database, node).policy("", None, mldsa=True)
    assert policy.splitlines()[1:] == [
        f"witness long-term {first}",
        f"witness long-term-2 {second}",
        "group long-term-any 1 long-term long-term-2",
        "quorum long-term-any",
    ], "the policy takes either meanwhile"

    append(sqlite_node, 1)  # the next head is cosigned by both, whichever process signs it
    both = Note.parse(other.checkpoint())
    assert both.verify([node.note_verifier, first, second]) == [node.note_verifier, first, second]

    ended = rotation.finish()
    assert ended.keys == begun.keys[1:]
    assert other.mldsa_verifiers == (second,)
    assert sorted(path.name for path in node.keys.folder.glob(f"{MLDSA}*")) == [
        f"{MLDSA}-handover-1.json",
        f"{MLDSA}.pem",
    ]
    append(sqlite_node, 2, 10)
    assert Note.parse(node.checkpoint()).verify([node.note_verifier, first, second]) == [
        node.note_verifier,
        second,
    ]

    rotation.begin()
    rotation.finish()
    one, two = services.handovers.mldsa()
    assert one == handover and two.present == second
    client = sqlite_node.app.test_client()
    answer = client.get(f"/ledger/handovers?key={MLDSA}")
    assert [MldsaHandover.parse(data).following for data in split_handovers(answer.data)] == [
        second,
        node.mldsa_verifier,
    ]
    assert client.get("/ledger/handovers").data == b"[]", "clients that pinned the other key ask for theirs"

    # What an inspector does with the file.
    file, policy = tmp_path / "handover.json", tmp_path / "policy.txt"
    file.write_bytes(handover.encode())
    policy.write_text(f"log {first}\nquorum none\n")
    assert main([str(file), "--policy", str(policy), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["present"], told["following"], told["log_trusted"]) == (str(first), str(second), True)
    policy.write_text(f"log {node.note_verifier}\nwitness long-term {first}\nquorum long-term\n")
    assert main([str(file), "--policy", str(policy)]) == 0
    assert capsys.readouterr().out.endswith(f"\nwitness long-term {second}\n")
    policy.write_text(f"log {node.mldsa_verifier}\nquorum none\n")
    assert main([str(file), "--policy", str(policy)]) == 1
    assert "REFUSED" in capsys.readouterr().out


def test_a_step_that_was_cut_off_goes_on(sqlite_node: Node) -> None:
    node = sqlite_node.services.node
    node.initialise()
    made = node.keys.make_following_mldsa()  # and there it ended
    with pytest.raises(Conflict):
        MldsaRotation(node).finish()
    MldsaRotation(fresh(sqlite_node)).begin()
    [handover] = mldsa_handovers(node.keys.folder)
    assert handover.following == made.cosigner.verifier
    path = node.keys.folder / f"{MLDSA}-handover-1.json"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(AppError) as damaged:
        MldsaRotation(node).finish()
    assert damaged.value.code == "node.key"
    assert NodeKeys(node.keys.folder, node.origin).following_mldsa() is not None, (
        "no key ends without its handover"
    )


def test_every_byte_counts_and_neither_key_leads_on_alone(sqlite_node: Node) -> None:
    node = sqlite_node.services.node
    node.initialise()
    MldsaRotation(node).begin()
    [handover] = mldsa_handovers(node.keys.folder)
    data, pinned = handover.encode(), handover.present
    for at in range(0, len(data), 97):
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        with pytest.raises(LedgerError):
            MldsaHandover.parse(changed).prove(pinned)
    for cut in (data[:-1], data + b" ", b"{}", b"[]", b""):
        with pytest.raises(LedgerError):
            MldsaHandover.parse(cut)
    with pytest.raises(LedgerError):
        Handover.parse(data)
    with pytest.raises(VerificationError):
        handover.prove(handover.following)

    # Who has no key but a new one of his own cosigns the head and signs for himself twice.
    thief = mldsa.generate()
    own = CosignatureSigner(node.origin, thief)
    head = handover.prove(pinned)
    kept = head.note.signatures[0]
    note = Note(head.note.text, (kept, own.sign(head.checkpoint, 1)))
    message = signed_bytes(pinned, own.verifier, head.checkpoint)
    signature = thief.sign(message)
    forged = MldsaHandover(pinned, own.verifier, note.encode(), (signature, signature))
    with pytest.raises(VerificationError, match="the key that is trusted here did not sign"):
        MldsaHandover.parse(forged.encode()).prove(pinned)
    # The old key's signature for another key is none for this one.
    borrowed = MldsaHandover(pinned, own.verifier, forged.checkpoint, (handover.signatures[0], signature))
    with pytest.raises(VerificationError, match="the key that is trusted here did not sign"):
        borrowed.prove(pinned)
    # And the old key alone does not give the log away to a key whose holder did not sign.
    given = MldsaHandover(
        pinned, own.verifier, forged.checkpoint, (node.keys.mldsa.private_key.sign(message),) * 2
    )
    with pytest.raises(VerificationError, match="the key that follows did not sign"):
        given.prove(pinned)
