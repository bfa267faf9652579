"""The scan page keeps the last head of the ledger, in a real Chromium, and refuses one that does not continue it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.shared.actor import Role
from ledger.__main__ import main
from ledger.log.checkpoint import Checkpoint
from ledger.log.note import NoteSigner
from tests.app.node.test_keys import append
from tests.app.node.test_provable import roll_back
from tests.support.app import PASSWORD, Node

if TYPE_CHECKING:
    from playwright.sync_api import Page

NEVER = "(01)00399999000017(21)NEVER"


@pytest.fixture
def site(sqlite_node: Node, live, page: "Page") -> str:
    """An inspector's page, signed in; the ledger has two entries."""
    sqlite_node.services.node.initialise()
    sqlite_node.person("iris", Role.INSPECTOR)
    found: str = live(sqlite_node.app)
    page.goto(found + "/sign-in")
    page.fill("#name", "iris")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".who")
    return found


def told(page: "Page", site: str, path: str = "/scan") -> str:
    """What the scan page says of the ledger, once it has looked."""
    page.goto(site + path)
    page.wait_for_selector("#trust[data-trust]")
    return page.inner_text("#trust")


def kept(page: "Page") -> dict[str, str]:
    value: dict[str, str] = json.loads(page.evaluate("localStorage.getItem('packproof.trust')"))
    return value


def keep(page: "Page", **values: str) -> None:
    """As if the browser had seen that before."""
    page.evaluate("value => localStorage.setItem('packproof.trust', value)", json.dumps(kept(page) | values))


def forged(node: Node, size: int) -> str:
    """A head of another history, by the log's own key."""
    own = node.services.node
    signer = NoteSigner(own.origin, own.keys.checkpoint.private_key)
    return Checkpoint(own.origin, size, bytes(32)).sign(signer).encode().decode()


def test_it_remembers_the_head_and_asks_for_the_proof_that_the_next_continues_it(
    site: str, page: "Page", sqlite_node: Node
) -> None:
    assert told(page, site) == "From now on this browser remembers the ledger: 2 entries."
    for size in (2, 3, 7, 8, 20, 21):  # powers of two and not, an even and an odd edge
        append(sqlite_node, size - int(kept(page)["note"].split("\n")[1]), size * 100)
        said = told(page, site)
        assert said == f"The ledger, of {size} entries, continues what this browser saw before."
        assert kept(page)["note"].startswith(f"{sqlite_node.services.node.origin}\n{size}\n")
    # Another key in the policy than the one it knows: what was seen must be continued all the same.
    other = NoteSigner(sqlite_node.services.node.origin, Ed25519PrivateKey.generate())
    keep(page, log=str(other.verifier))
    append(sqlite_node, 1, 9000)
    assert "continues what this browser saw before. It is signed by another key" in told(page, site)
    assert kept(page)["log"] == sqlite_node.services.node.verifier_key
    # A node that signs nothing now is not taken for one that agrees.
    roll_back(sqlite_node, 99)
    assert "was not compared with the one this browser remembers" in told(page, site)


def test_another_past_takes_the_answer_away_and_gives_both_heads_as_a_file(
    site: str, page: "Page", sqlite_node: Node, tmp_path: Path
) -> None:
    own = sqlite_node.services.node
    policy, file = tmp_path / "policy", tmp_path / "conflict.json"
    policy.write_text(f"log {own.verifier_key}\nquorum none\n")
    append(sqlite_node, 7)
    told(page, site)
    assert "continues" in told(page, site, f"/scan?code={NEVER}")
    assert page.locator(".verdict").count() == 1, "an answer of a ledger that goes on stays"
    assert page.locator("[data-alarm]").is_hidden()
    for size, why, proof in (
        (9, "It signed two different heads of 9 entries.", True),
        (5, "Its 9 entries do not continue the 5 that this browser saw.", True),
        (4, "Its 9 entries do not continue the 4 that this browser saw.", False),
        (99, "It has 9 entries now, and showed this browser 99 before.", False),
    ):
        keep(page, note=forged(sqlite_node, size))
        before = kept(page)
        said = told(page, site, f"/scan?code={NEVER}")
        assert "Do not rely on this node." in said and why in said
        assert page.locator(".verdict").count() == 0
        assert kept(page) == before, "what was seen first is what it goes on comparing with"
        with page.expect_download() as download:
            page.click("#trust a")
        download.value.save_as(file)
        assert main([str(file), "--policy", str(policy)]) == (0 if proof else 1)
