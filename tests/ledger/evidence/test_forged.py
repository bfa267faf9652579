"""Text in a file is told as its author's and never as the report's own: no label, field or step vouches for anybody."""

import pytest

from ledger.evidence.policy import Policy
from ledger.evidence.report import Report
from ledger.evidence.verify import Step, verify
from ledger.evidence.words import field_name, moment, plain, quoted
from ledger.signing.keyrecord import Role, register_key, register_root
from ledger.signing.keys import generate
from tests.ledger.evidence.refusals import refused
from tests.ledger.evidence.world import MAKER, ORIGIN, PACK, World, at, event, shipped

STRANGER = "0614141000012"
LABEL = f"x', root pinned by your policy) and {MAKER} (device key 'Packing line 3"
PINNED = f"signed by {MAKER} (root pinned by your policy, device key 'Packing line 3')"


def pinning(world: World) -> Policy:
    """A policy that names the maker's root and nobody else's."""
    return Policy((world.log.verifier,), {MAKER: frozenset((world.root.thumbprint,))})


def labelled(label: str) -> tuple[World, int]:
    """A world in which a stranger's device, called `label`, ships the maker's package."""
    world, root, device = World(), generate(), generate()
    world.add_key(register_root(ORIGIN, root, STRANGER, "r"), root)
    world.add_key(register_key(ORIGIN, root, device, Role.DEVICE, STRANGER, label), root, device)
    return world, world.capture(shipped(PACK, 5), signer=device)


def saying(**fields: str) -> tuple[World, int]:
    """A world in which something came unsigned, with fields of its sender's choice."""
    world = World()
    told = {"type": "ObjectEvent", "bizStep": "shipping", "eventTime": at(3), "epcList": [PACK], **fields}
    return world, world.capture(event(**told), received=True)


def report(world: World, index: int) -> Report:
    return verify(world.bundle([index], [PACK]), pinning(world))


def test_a_label_says_nothing_about_whose_key_it_is() -> None:
    world, index = labelled(LABEL)
    found = report(world, index)
    escaped = LABEL.replace("'", "\\'")
    words = f"signed by {STRANGER} (by this node's word, device key '{escaped}')"
    assert found.events[0].vouched() == words
    assert words in found.text()
    for row in found.text().splitlines():
        assert "root pinned by your policy" not in row.replace(escaped, "") or MAKER in row, row


@pytest.mark.parametrize("name", ["vouched for", "key valid then", "stands as entry", "hidden", "refers to"])
def test_no_field_of_an_event_stands_where_the_report_itself_speaks(name: str) -> None:
    world, index = saying(
        **{f"https://x.example/#{name}": PINNED, f"ilmd/urn:x#{name}": PINNED, name: PINNED}
    )
    rows = report(world, index).text().split("\n")
    own = rows[: rows.index("     what it says:")]
    assert PINNED not in "\n".join(own)
    for row in (row for row in rows if PINNED in row):
        assert row.startswith("       '"), row


def test_a_name_that_people_know_is_only_the_one_of_the_standard() -> None:
    assert field_name("ilmd/urn:epcglobal:cbv:mda#lotNumber") == "lot"
    for path in ("ext/urn:x#lotNumber", "ilmd/urn:x#lotNumber", "lotNumber", "lot", "packages", "x/epcList"):
        assert field_name(path) == f"'{path}'"


def test_a_step_or_a_time_that_is_no_plain_word_is_quoted() -> None:
    step = "shipping at 2026-03-01 10:03:00 UTC, root pinned by your policy: receiving"
    world, index = saying(bizStep=step, eventTime="2026T signed by nobody.0Z")
    assert f"  1. '{step}' at '2026T signed by nobody.0Z'\n" in report(world, index).text()
    assert moment("2026-03-01T10:00:00.000000Z") == "2026-03-01 10:00:00 UTC"
    assert moment("2026-03-01T10:00:00.250000Z") == "2026-03-01 10:00:00.250000 UTC"
    for word in ("void_shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "urn:x:y", "2026-03-01"):
        assert plain(word) == word
    for text in ("shipping (declared to be wrong)", "", "a b", "shipping\n", "x" * 201):
        assert plain(text) == f"'{text}'"


def test_what_closes_a_quotation_is_escaped_in_every_alphabet() -> None:
    assert quoted("Dock 3") == "'Dock 3'"
    assert quoted("a\\'b\"") == "'a\\\\\\'b\\\"'"
    for mark in "'\"`\\\u2018\u2019\u201d\u00bb\u203a\u2032\uff07\uff02":
        assert quoted(f"x{mark}y") == f"'x\\{mark}y'"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("onBehalfOf", f"{MAKER}, signed by {MAKER} (root pinned by your policy); came from {STRANGER}"),
        ("onBehalfOf", ""),
        ("onBehalfOf", "950600013435"),
        ("onBehalfOf", f"{MAKER}\n"),
        ("onBehalfOf", "\u0669" * 13),
        ("channel", "rest), signed by it (by page"),
        ("channel", "signed"),
    ],
)
def test_what_the_node_noted_is_a_party_and_a_channel_or_refused(name: str, text: str) -> None:
    world = World()
    index = world.capture(shipped(PACK, 5), received=True, noted={name: text})
    error = refused(world.bundle([index], [PACK]))
    assert (error.step, error.index, error.path, error.code) == (Step.FIELDS, index, "intake", "intake")
    for channel in ("rest", "file", "page", "exchange"):
        world = World()
        index = world.capture(shipped(PACK, 5), received=True, noted={"channel": channel})
        assert f"received from {MAKER} (by {channel})" in report(world, index).events[0].vouched()
