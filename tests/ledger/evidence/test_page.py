"""The page in a real browser: the same verdict, step, entry and field as the verifier in Python, and no network.

One Chromium, pages from disk. What is compared: good files of every kind, bytes changed anywhere, and members changed
by somebody who makes the digest fit.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from ledger.evidence.bundle import build
from ledger.evidence.html import SCRIPTS, page, script
from ledger.evidence.verify import verify
from ledger.signing.commitment import Leaf
from ledger.signing.keyrecord import Role, register_key, register_root
from ledger.signing.keys import generate
from tests.fuzz.mutations import mutants, nudged, places, replaced, sealed
from tests.ledger.evidence.verifiers import compare, encoded, in_browser, in_python
from tests.ledger.evidence.world import CASE, MAKER, ORIGIN, PACK, PALLET, World, made, packed, shipped
from tests.support.shared import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VECTORS = Path(__file__).parent / "vectors"


@pytest.fixture(scope="module")
def world() -> World:
    """A story with a list that is shown in part, an unsigned packing, and a P-256 device."""
    world = World("p256")
    world.capture(made(PACK, *(f"https://id.gs1.org/01/09506000134352/21/{n}" for n in range(50, 60))))
    world.capture(packed(CASE, PACK, minute=1), packed(PALLET, CASE, minute=2), received=True)
    world.capture(shipped(PALLET, 5))
    return world


@pytest.fixture(scope="module")
def story(world: World) -> bytes:
    return world.bundle([4, 5, 6], [PACK, CASE, PALLET])


def files(world: World) -> tuple[bytes, bytes]:
    """A policy and an author policy under which the world's files are accepted."""
    roots = {"roots": {MAKER: [world.root.thumbprint.hex()]}}
    return f"log {world.log.verifier}\nquorum none\n".encode(), json.dumps(roots).encode()


@pytest.fixture(scope="module")
def opened(browser: "Browser", story: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Page"]:
    """The page of the story, opened from disk in a browser that may ask nobody anything."""
    path = tmp_path_factory.mktemp("page") / "evidence.html"
    path.write_bytes(page(story))
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    found = context.new_page()
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on("console", lambda message: faults.append(message.text))
    asked: list[str] = []
    found.on("request", lambda request: asked.append(request.url))
    found.goto(path.as_uri())
    found.wait_for_selector('body:not([data-verdict="working"])')
    yield found
    context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []


def test_it_shows_the_verdict_the_nine_steps_and_the_report(opened: "Page") -> None:
    assert opened.inner_text("#word") == "Accepted"
    assert opened.locator("#steps li.holds").count() == 9
    told = opened.inner_text("main")
    for words in (
        "(01) 09506000134352 (21) 11",
        f"signed by {MAKER} (by this node's word, device key 'Packing line 3')",
        f"received from {MAKER} (by rest), NOT signed by it; that it came is signed by the node",
        "registered in entry 3, not shown to be revoked",
        "entries 4, 5, 6 of packproof.example/ledger, sealed at 7 entries",
        "10 list elements, each sealed",
        "Completeness cannot be proven here: compare with the counterparties.",
    ):
        assert words in told, words
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_button_changes_one_byte_and_the_step_that_refuses_is_shown(opened: "Page") -> None:
    seen = set()
    for _ in range(4):
        opened.click("#flip")
        opened.wait_for_selector('body[data-verdict="refused"]')
        assert "Byte " in opened.inner_text("#flipped")
        seen.add(re.match(r"Step (\d), ", opened.inner_text("#why"))[1])  # type: ignore[index]
        assert opened.locator("#steps li.fails").count() == 1
        assert opened.locator("#report").is_hidden()
        opened.click("#flip")
        opened.wait_for_selector('body[data-verdict="accepted"]')
    assert seen <= {"3", "5", "7"}


def test_both_verifiers_agree_on_good_files_and_on_policies(
    opened: "Page", world: World, story: bytes
) -> None:
    policy, authors = files(world)
    kept = (VECTORS / "story.evidence.json").read_bytes()
    good = [story, kept, world.bundle([4], [PACK])]
    strangers = build(
        PACK,
        str(world.log.verifier),
        world.checkpoint(),
        [world.material(4, [PACK], signers=(world.device.spki,))],
    )
    assert compare(opened, [*good, strangers]) == {0: 4}
    assert compare(opened, [story], policy, authors) == {0: 1}
    assert compare(
        opened, [kept], (VECTORS / "policy").read_bytes(), (VECTORS / "authors.json").read_bytes()
    ) == {0: 1}
    assert compare(opened, [kept], policy) == {2: 1}
    other = json.dumps({"roots": {MAKER: ["00" * 32]}}).encode()
    assert compare(opened, [story], policy, other) == {5: 1}
    seen = in_browser(opened, [story], policy, authors)[0]["told"]
    assert seen["facts"][0][1][0] == "2 events signed by its author"
    assert not seen["byWord"]


def test_both_verifiers_agree_on_bytes_changed_anywhere(opened: "Page", story: bytes) -> None:
    random = Random("bytes")
    cases = list(mutants(story, random, 150))
    assert compare(opened, cases).keys() >= {1}


def test_both_verifiers_agree_on_members_changed_with_the_digest_made_right(
    opened: "Page", world: World, story: bytes
) -> None:
    random = Random("members")
    value = json.loads(story)
    paths = [path for path in places(value) if path != ("digest",)]
    cases = [sealed(replaced(value, path, nudged(value, path, random))) for path in random.sample(paths, 250)]
    steps = compare(opened, cases, *files(world))
    assert steps.keys() >= {1, 2, 3, 5, 7}


def test_both_verifiers_agree_on_a_false_node(opened: "Page") -> None:
    """Everything well-formed, and wrong where only one step can see it."""
    revoked = World()
    revoked.revoke_device()
    late = revoked.capture(made(PACK))
    liar = World()
    foreign = liar.capture(made("https://id.gs1.org/01/09506000134352/21/99"))
    root_signed = liar.capture(made(PACK), signer=liar.root)
    elsewhere = liar.capture(made(PACK), ledger="other.example/ledger")
    cases = [
        revoked.bundle([late], [PACK]),
        liar.bundle([foreign], ["https://id.gs1.org/01/09506000134352/21/99"]),
        liar.bundle([root_signed], [PACK]),
        liar.bundle([elsewhere], [PACK]),
        liar.bundle([], [PACK]),
        liar.bundle([foreign], [PACK], keys=[2, 3]),
        *(
            build(
                PACK,
                str(liar.log.verifier),
                liar.checkpoint(),
                [*named, liar.material(5, [PACK], signers=spkis)],
            )
            for named, spkis in (
                ([], (liar.device.spki,)),
                ([], (liar.root.spki, liar.root.spki)),
                ([], (b"no key",)),
                ([liar.material(2, [])], (liar.root.spki,)),
            )
        ),
    ]
    assert compare(opened, cases) == {6: 6, 8: 3, 4: 1}


def test_both_verifiers_take_what_was_signed_once_for_one(opened: "Page") -> None:
    twice, suspended = World(), World()
    first = twice.capture(shipped(PACK, 1))
    again = twice.repeat(first)
    suspended.suspend_device()
    suspended.repeat(suspended.device_entry)
    late = suspended.capture(shipped(PACK, 1))
    cases = [
        twice.bundle([again], [PACK]),
        twice.bundle([first, again], [PACK]),
        suspended.bundle([late], [PACK]),
    ]
    assert compare(opened, cases) == {0: 1, 4: 2}


def test_both_verifiers_show_which_entry_a_receiving_refers_to(opened: "Page") -> None:
    world = World()
    first = world.capture(shipped(PACK, 1))
    leaf = world.kept[first].entry.leaf
    second = world.capture(shipped(PACK, 2), refs=(bytes(32), leaf))
    data = world.bundle([first, second], [PACK])
    assert compare(opened, [data]) == {0: 1}
    assert [event.refers_to for event in verify(data).events] == [(), (first,)]
    told = in_browser(opened, [data])[0]["told"]["events"]
    assert [event["refersTo"] for event in told] == [[], [str(first)]]
    assert f"entry {first}, by its author's own words" in verify(data).text()


def rotated(*, after_its_end: bool = False) -> tuple[World, int]:
    """A device's key that came in the place of another, and what it signed."""
    world, following = World(), generate("p256")
    if after_its_end:
        world.revoke_device()
    world.add_key(
        register_key(ORIGIN, world.root, following, Role.DEVICE, MAKER, "Line 3b", replaces=world.device)
    )
    return world, world.capture(made(PACK), signer=following)


def test_both_verifiers_ask_a_rotation_for_the_old_keys_signature(opened: "Page") -> None:
    good, event = rotated()
    late, late_event = rotated(after_its_end=True)
    cases = [
        good.bundle([event], [PACK]),
        good.bundle([event], [PACK], keys=[0, 2, 4]),
        late.bundle([late_event], [PACK]),
    ]
    assert compare(opened, cases) == {0: 1, 5: 2}


def test_both_verifiers_ask_the_same_of_each_signature_of_an_act(opened: "Page") -> None:
    """A device and the person at it sign together; a root, or another party's device, signs no act along."""
    world, mia, theirs, till = World(), generate("p256"), generate(), generate()
    world.add_key(register_key(ORIGIN, world.root, mia, Role.PERSON, MAKER, "Mia"))
    world.add_key(register_root(ORIGIN, theirs, "9506000140001", "root"))
    world.add_key(register_key(ORIGIN, theirs, till, Role.DEVICE, "9506000140001", "Till"), theirs)
    acts = [world.capture(made(PACK), also=also) for also in ((mia,), (mia, world.root), (till,))]
    keys = world.key_entries()
    cases = [world.bundle([act], [PACK], keys=keys) for act in acts]
    assert compare(opened, cases) == {0: 1, 6: 2}
    assert [in_python(case)[2:3] for case in cases] == [(), ("role",), ("party",)]
    told = in_browser(opened, cases[:1])[0]["told"]["events"][0]["vouched"]["text"]
    assert told.count(MAKER) == 2, told
    assert "person key 'Mia'" in told


@pytest.mark.parametrize(
    "policy",
    [
        b"",
        b"quorum none",
        b"quorum none\n",
        b"log x\nquorum none\n",
        b"log {log}\n",
        b"log {log}\nlog {log}\nquorum none\n",
        b"log {log}\nquorum none\nquorum none\n",
        b"log {log}\nquorum w\n",
        b"log {log}\ngroup g 1 w\nquorum g\n",
        b"log {log}\nwitness w {log}\nquorum w\n",
        b"log {log}\nquorum none\n\x01",
        b"log {log} a b\nquorum none\n",
    ],
)
def test_a_policy_that_cannot_be_used_judges_nothing(
    opened: "Page", world: World, story: bytes, policy: bytes
) -> None:
    written = policy.replace(b"{log}", str(world.log.verifier).encode())
    found = in_browser(opened, [story], written or b"\n")[0]
    assert found["verdict"] == "cannot-judge"
    assert "policy" in found["message"]


def test_without_ed25519_it_says_that_it_cannot_judge(
    browser: "Browser", story: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "evidence.html"
    path.write_bytes(page(story))
    context = browser.new_context(viewport={"width": 390, "height": 844})
    found = context.new_page()
    found.add_init_script(
        "const take = crypto.subtle.importKey.bind(crypto.subtle);"
        "crypto.subtle.importKey = (format, key, how, ...rest) => how.name === 'Ed25519'"
        " ? Promise.reject(new DOMException('no', 'NotSupportedError')) : take(format, key, how, ...rest);"
    )
    found.goto(path.as_uri())
    found.wait_for_selector('body:not([data-verdict="working"])')
    assert found.inner_text("#word") == "Cannot judge"
    assert "no Ed25519" in found.inner_text("#why")
    assert found.locator("#steps li.holds").count() == 0
    assert found.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_another_file_and_a_policy_are_taken_by_a_drop(
    opened: "Page", world: World, story: bytes, tmp_path: Path
) -> None:
    policy, authors = files(world)
    for name, data in (
        ("policy", policy),
        ("authors.json", authors),
        ("spoilt.json", story.replace(b"LOT", b"TOL")),
    ):
        (tmp_path / name).write_bytes(data)
    bent = bytearray(story)
    bent[-40] ^= 1
    (tmp_path / "spoilt.json").write_bytes(bytes(bent))
    opened.set_input_files("#other", tmp_path / "policy")
    opened.locator("#trusting", has_text="ledgers").wait_for()
    opened.set_input_files("#other", tmp_path / "authors.json")
    opened.locator(".badge.signed").nth(1).wait_for()
    opened.set_input_files("#other", tmp_path / "spoilt.json")
    opened.wait_for_selector('body[data-verdict="refused"]')
    dropped = opened.evaluate_handle(
        "text => { const t = new DataTransfer();"
        " t.items.add(new File([packproof.fromBase64(text)], 'good.json')); return t; }",
        encoded(story),
    )
    opened.dispatch_event("main", "drop", {"dataTransfer": dropped})
    opened.wait_for_selector('body[data-verdict="accepted"]')
    assert opened.inner_text("#name") == "good.json"


def test_what_a_file_says_never_becomes_markup(opened: "Page") -> None:
    world = World()
    hostile = '"<img src=x onerror=document.body.remove()>\u202e"'
    record = [Leaf(f.path, hostile.encode()) if f.path.startswith("ilmd/") else f for f in made(PACK)]
    data = world.bundle([world.capture(record)], [PACK])
    opened.reload()  # forget whom the test before trusted
    other = opened.evaluate_handle(
        "text => { const t = new DataTransfer();"
        " t.items.add(new File([packproof.fromBase64(text)], 'hostile.json')); return t; }",
        encoded(data),
    )
    opened.dispatch_event("main", "drop", {"dataTransfer": other})
    opened.locator("#events", has_text="onerror").wait_for()
    assert "\u202e" not in opened.inner_text("#events")
    assert opened.locator("#events img").count() == 0


@pytest.mark.parametrize("serial", ["A%E2%80%AE21", "A\u202e21", "A%1B%5B2J"])
def test_a_packages_name_does_not_turn_the_line_it_stands_in(opened: "Page", serial: str) -> None:
    world, package = World(), f"{PACK.partition('/21/')[0]}/21/{serial}"
    data = world.bundle([world.capture(made(package))], [package], package)
    opened.reload()
    for case, verdict in ((data, "accepted"), (data.replace(b'"i":0', b'"i":1'), "refused")):
        other = opened.evaluate_handle(
            "text => { const t = new DataTransfer();"
            " t.items.add(new File([packproof.fromBase64(text)], 'named.json')); return t; }",
            encoded(case),
        )
        opened.dispatch_event("main", "drop", {"dataTransfer": other})
        opened.wait_for_selector(f'body[data-verdict="{verdict}"]')
        told = opened.evaluate("document.querySelector('section.verdict').textContent")
        assert not set(told) & {"\u202e", "\x1b"}
        assert ("\ufffd" in told) is (verdict == "accepted")


def test_the_page_is_one_file_under_a_policy_that_loads_nothing(story: bytes) -> None:
    written = page(story).decode()
    assert "default-src 'none'; script-src 'sha256-" in written
    assert not re.search(r'(?:src|href)\s*=\s*"', written)
    assert "unsafe" not in written
    assert "{{" not in written.replace("${{", "")
    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "importScripts", "innerHTML", "eval("):
        assert word not in script()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_short_enough_to_read(name: str) -> None:
    text = (ROOT / "ledger" / "evidence" / "page" / f"{name}.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    assert max(map(len, text.splitlines())) <= 180
