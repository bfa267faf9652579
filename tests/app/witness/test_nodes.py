"""Nodes that watch one another, each a process of its own; and the operator who rewrites his ledger."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.witness.gather import Asked, Gatherer
from ledger.__main__ import main as verify
from ledger.log.checkpoint import Checkpoint
from ledger.log.conflict import Conflict
from ledger.log.note import Note, NoteSigner, NoteVerifier
from ledger.witness.state import origin_hash
from tests.scanner.story import GTIN, MAKER, commissioning
from tests.support import programs
from tests.support.live import LiveNode, closing_database
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port


class Pair:
    """Two nodes that follow each other's ledgers; `a` has a maker that captures."""

    def __init__(self, folder: Path) -> None:
        self.a = WatchingNode(folder / "a", "packproof.example/a")
        self.b = WatchingNode(folder / "b", "packproof.example/b")
        for node in (self.a, self.b):
            node.initialise()
        for node, other in ((self.a, self.b), (self.b, self.a)):
            node.follow(other)
            node.ask(other)
            node.start()
        self.maker = self.a.party(MAKER, "North Pharma", "maker", makes=[GTIN])


class WatchingNode(LiveNode):
    """A node with witnesses, and with logs that it is a witness of."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "PACKPROOF_WITNESSES": str(self.folder / "witnesses"),
            "PACKPROOF_WITNESSED_LOGS": str(self.folder / "logs"),
            "PACKPROOF_COSIGN_SECONDS": "0",
        }

    def keys(self) -> tuple[str, list[str]]:
        """The log's key, and the witness's."""
        node = self.services()
        with closing_database(node):
            return node.node.verifier_key, [str(signer.verifier) for signer in node.witness.signers]

    def follow(self, other: "WatchingNode") -> None:
        (self.folder / "logs").write_text(f"log {other.keys()[0]}\nquorum none\n")

    def ask(self, other: "WatchingNode", url: str | None = None) -> None:
        lines = [f"witness {n} {key} {url or other.url}/ledger" for n, key in enumerate(other.keys()[1])]
        (self.folder / "witnesses").write_text("\n".join((*lines, "group both all 0 1", "quorum both", "")))

    def cosign(self) -> list[Asked]:
        """Have the newest head cosigned, as ``packproof ledger cosign`` does."""
        node = self.services()
        with closing_database(node):
            return Gatherer(node.node, node.cosigned).gather()

    def evidence(self, serial: str) -> bytes:
        """The evidence of a package, as an inspector gets it."""
        node = self.services()
        with closing_database(node):
            return node.evidence.of_package(f"https://id.gs1.org/01/{GTIN}/21/{serial}", reader=None)

    def copy(self, folder: Path) -> "WatchingNode":
        """This node, which is down, once more."""
        return WatchingNode(self.twin(folder).folder, self.origin, self.port)

    def packproof(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return programs.run("-m", "app.cli", *words, "--json", cwd=self.folder, env=self.environment())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both serve, and nothing was captured yet."""
    found = Pair(tmp_path_factory.mktemp("pair"))
    yield found
    found.a.kill()
    found.b.kill()


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, WatchingNode]]:
    """A pair whose `a` is down, cosigned as it was last; and `a` as it was one capture before."""
    folder = tmp_path_factory.mktemp("past")
    found = Pair(folder)
    found.a.kill()
    before = found.a.twin(folder / "before")
    found.a.start()
    found.a.capture(found.maker, commissioning("A1"))
    [asked] = found.a.cosign()
    assert asked.ok, asked
    found.a.kill()
    yield found, WatchingNode(before.folder, found.a.origin, found.a.port)
    found.b.kill()


def test_counterparties_cosign_and_evidence_shows_who_saw_it_and_when(
    pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair.a.capture(pair.maker, commissioning("A1"))
    fresh = requests.get(f"{pair.a.url}/ledger/checkpoint", timeout=PATIENCE_S)
    assert requests.get(f"{pair.a.url}/ledger/checkpoint?witnessed=1", timeout=PATIENCE_S).status_code == 404
    done = pair.a.packproof("ledger", "cosign")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["quorum"]
    assert [(each["names"], each["code"]) for each in told["witnesses"]] == [(["0", "1"], "cosigned")]
    cosigned = requests.get(f"{pair.a.url}/ledger/checkpoint", timeout=PATIENCE_S).content
    assert cosigned.startswith(fresh.content)
    witnesses = [NoteVerifier.parse(key) for key in pair.b.keys()[1]]
    assert Note.parse(cosigned).verify(witnesses) == witnesses
    assert pair.a.packproof("ledger", "export", "--tiles", tmp_path / "log").returncode == 0
    assert (tmp_path / "log" / "checkpoint").read_bytes() == cosigned
    size = int(cosigned.split(b"\n")[1])

    # The ledger goes on. What was witnessed covers the package: its evidence says by whom it was seen, and when.
    pair.a.capture(pair.maker, commissioning("A2"))
    newest = requests.get(f"{pair.a.url}/ledger/checkpoint", timeout=PATIENCE_S).content
    witnessed = requests.get(f"{pair.a.url}/ledger/checkpoint?witnessed=1", timeout=PATIENCE_S).content
    assert (len(Note.parse(newest).verify([NoteVerifier.parse(pair.a.keys()[0])])), witnessed) == (
        1,
        cosigned,
    )
    assert newest != cosigned
    for index, note in ((size - 1, cosigned), (size, newest)):
        proof = tmp_path / f"proof-{index}.txt"
        assert pair.a.packproof("ledger", "proof", str(index), "-o", proof).returncode == 0
        assert proof.read_bytes().endswith(note), (
            "by the newest head over it that is witnessed, else by the present"
        )
    evidence, policy = tmp_path / "evidence.json", tmp_path / "policy"
    evidence.write_bytes(pair.a.evidence("A1"))
    policy.write_text(
        f"log {pair.a.keys()[0]}\nwitness ed {witnesses[0]}\nwitness ml {witnesses[1]}\n"
        "group both all ed ml\nquorum both\n"
    )
    capsys.readouterr()
    assert verify([str(evidence), "--policy", str(policy), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in report["witnesses"]] == [witnesses[0].name] * 2
    assert all(abs(each["seconds"] - time.time()) < 300 for each in report["witnesses"])
    # Of the package that came later nobody has seen anything yet, and the policy says that this is not enough.
    evidence.write_bytes(pair.a.evidence("A2"))
    assert verify([str(evidence), "--policy", str(policy)]) == 1
    assert verify([str(evidence)]) == 0


@pytest.mark.parametrize("serials", [("X1",), ("X1", "X2", "X3")], ids=["to the same size", "beyond it"])
def test_a_ledger_rewritten_with_its_own_keys_is_not_cosigned_and_convicts_itself(
    past: tuple[Pair, WatchingNode], tmp_path: Path, serials: tuple[str, ...]
) -> None:
    pair, before = past
    known = pair.b.folder / "data" / "witness" / "heads" / origin_hash(pair.a.origin)
    mark = known.read_bytes()
    # The operator puts database, mark and keys of yesterday back and writes another history, which all verifies.
    liar = before.copy(tmp_path / "liar")
    liar.start()
    maker = liar.known(MAKER)
    for serial in serials:
        liar.capture(maker, commissioning(serial))
    [asked] = liar.cosign()
    liar.kill()
    assert asked.code == "inconsistent", asked
    assert known.read_bytes() == mark
    policy = tmp_path / "policy"
    policy.write_text(f"log {pair.a.keys()[0]}\nquorum none\n")
    kind = "log-forked" if len(serials) == 1 else "log-rewritten"
    [kept] = [
        path
        for path in (pair.b.folder / "data" / "witness" / "conflicts").iterdir()
        if Conflict.parse(path.read_bytes()).prove().kind == kind
    ]
    assert verify([str(kept), "--policy", str(policy)]) == 0
    # The true one is cosigned as before: the same head again.
    assert all(each.ok for each in pair.a.cosign())


def test_a_witness_that_knows_more_entries_than_there_are_says_that_a_database_was_put_back(
    past: tuple[Pair, WatchingNode],
) -> None:
    [asked] = past[1].cosign()
    assert asked.code == "witness-ahead"
    assert "ledger recover" in asked.message


def test_the_server_gathers_by_itself_and_a_dead_witness_stops_nothing(pair: Pair) -> None:
    pair.a.kill()
    policy = pair.a.folder / "witnesses"
    nobody = f"http://127.0.0.1:{free_port()}"
    key = NoteVerifier.parse(pair.b.keys()[1][0])
    gone = NoteVerifier("gone.example", bytes((key.public_key[0] ^ 1,)) + key.public_key[1:], key.type)
    policy.write_text(f"witness gone {gone} {nobody}\n" + policy.read_text())
    environment = pair.a.environment
    pair.a.environment = lambda: environment() | {"PACKPROOF_COSIGN_SECONDS": "1"}  # type: ignore[method-assign]
    pair.a.start()
    pair.a.capture(pair.maker, commissioning("A1"))
    deadline = time.monotonic() + PATIENCE_S
    while requests.get(f"{pair.a.url}/ledger/checkpoint?witnessed=1", timeout=PATIENCE_S).status_code != 200:
        assert time.monotonic() < deadline, pair.a.log.read_text()
        time.sleep(0.1)


def test_a_node_that_follows_nobody_is_no_witness(live_node: LiveNode) -> None:
    answer = requests.post(f"{live_node.url}/ledger/add-checkpoint", data=b"old 0\n\n", timeout=PATIENCE_S)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert answer.text == "this node is no witness: it follows no log\n"
    kept = requests.get(f"{live_node.url}/ledger/{'0' * 64}/checkpoint", timeout=PATIENCE_S)
    assert (kept.status_code, kept.headers["Content-Type"]) == (404, "text/plain; charset=utf-8")


def test_the_statuses_and_types_over_http(pair: Pair) -> None:
    url = f"{pair.b.url}/ledger/add-checkpoint"
    note = requests.get(f"{pair.a.url}/ledger/checkpoint", timeout=PATIENCE_S).content
    stranger = requests.get(f"{pair.b.url}/ledger/checkpoint", timeout=PATIENCE_S).content
    assert any(asked.ok for asked in pair.a.cosign())
    conflict = requests.post(url, data=b"old 1\n\n" + note, timeout=PATIENCE_S)
    assert (conflict.status_code, conflict.headers["Content-Type"]) == (409, "text/x.tlog.size")
    size = conflict.content
    assert size == note.split(b"\n")[1] + b"\n"
    nobody = NoteSigner(pair.a.origin, Ed25519PrivateKey.generate())
    for body, status in (
        (b"old 0\n\n" + stranger, 404),
        (b"old " + size + b"\n" + Checkpoint(pair.a.origin, 9, bytes(32)).sign(nobody).encode(), 403),
        (b"nonsense", 400),
        (b"", 400),
        (b"x" * 1_000_000, 400),
        (b"old 99\n\n" + note, 400),
        (b"old " + size + b"A" * 43 + b"=\n\n" + note, 422),
    ):
        answer = requests.post(url, data=body, timeout=PATIENCE_S)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"].startswith("text/plain")
    shown = requests.get(f"{pair.b.url}/ledger/{origin_hash(pair.a.origin)}/checkpoint", timeout=PATIENCE_S)
    assert len(Note.parse(shown.content).verify([NoteVerifier.parse(key) for key in pair.b.keys()[1]])) == 2
    assert requests.get(f"{pair.b.url}/ledger/{'0' * 64}/checkpoint", timeout=PATIENCE_S).status_code == 404
    assert (
        requests.get(f"{pair.b.url}/ledger/..%2f..%2fetc/checkpoint", timeout=PATIENCE_S).status_code == 404
    )
