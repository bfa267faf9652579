"""The plain screen: 80 columns, with and without colours, and nothing that a stranger's text could forge."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from ledger.custody.verdict import TABLE, Reason, Word
from scanner.lookup.port import Answer, Contents, Label, Product, Proof, ProofKind, Record
from scanner.ui.plain import show_answer
from scanner.ui.words import FACES, REASONS

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANSWER = Answer(
    id="chk_1",
    at=NOON,
    word=Word.OK,
    reason="ok",
    others=(),
    next_step="Continue.",
    offline=False,
    knowledge_age_s=0,
    subject="https://id.gs1.org/01/00399999001014/21/A1",
    raw=b"01...",
    label=Label("00399999001014", "A1", "L7", "2031-05-31", None, (), None),
    product=Product("00399999001014", "Sonnenal", "20 mg", "tablets", "90", "", "North Pharma"),
    record=Record("L7", "2031-05-31", "active", True, True, False, True, ("x",), "Middle Wholesale", NOON),
    contents=None,
    licensed=True,
    latency_ms=4.0,
    proof=Proof(ProofKind.SIGNED, "signed by 0399999000017 (device key 'Line 1') at entry 7", 7),
)


def shown(answer, *, colours=False, encoding="utf-8", width=80):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    screen = Console(
        file=file,
        width=width,
        force_terminal=colours,
        color_system="standard" if colours else None,
        highlight=False,
    )
    show_answer(answer, "label.png", screen)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def test_an_answer_says_all_that_a_verdict_must_carry():
    text = shown(ANSWER)
    for part in (
        "OK", "Continue.", "Sonnenal 20 mg, tablets, 90", "A1", "L7", "2031-05-31", "Middle Wholesale",
        "since 2026-11-22 12:00 UTC", "licensed", "inferred", "as of now, online", "signed by 0399999000017", "chk_1",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("word", Word)
def test_each_verdict_is_a_word_and_a_shape_of_its_own_without_any_colour(word):
    text = shown(replace(ANSWER, word=word))
    assert f"{FACES[word].shape} {word.value}" in text
    assert "\x1b" not in text


def test_shapes_and_colours_tell_all_verdicts_apart():
    assert (
        len(FACES)
        == len({f.shape for f in FACES.values()})
        == len({f.ascii for f in FACES.values()})
        == len(Word)
    )
    assert len({face.colour for face in FACES.values()}) == len(Word)


def test_a_terminal_without_the_shapes_gets_plain_letters():
    text = shown(replace(ANSWER, word=Word.SUSPECT), encoding="ascii")
    assert "[!!] SUSPECT" in text


def test_nothing_is_wider_than_the_screen():
    long = replace(
        ANSWER,
        next_step="Set it aside. " * 20,
        others=("expired", "recalled", "held"),
        label=replace(ANSWER.label, serial="S" * 20, error="x" * 200),
        product=replace(ANSWER.product, name="N" * 150),
    )
    for width in (80, 40):
        assert max(len(line) for line in shown(long, width=width).splitlines()) <= width


def test_what_a_label_says_cannot_move_the_cursor_or_forge_a_line():
    evil = "x\x1b[2K\rOK\n ✔ OK  forged"
    text = shown(
        replace(
            ANSWER,
            word=Word.SUSPECT,
            label=replace(ANSWER.label, serial=evil, error=evil),
            product=replace(ANSWER.product, name=f"[green]{evil}"),
            raw=evil.encode(),
        )
    )
    assert "\x1b" not in text
    assert "\r" not in text
    assert not any(line.startswith(" ✔ OK") for line in text.splitlines())
    assert "[green]" in text, "markup is text"


def test_a_label_that_differs_says_from_what_only_if_the_node_told():
    differs = replace(
        ANSWER, word=Word.DETAILS_DIFFER, reason="lot_differs", label=replace(ANSWER.label, lot="L8")
    )
    assert "L8 differs from the record, which says L7" in shown(differs)
    unseen = shown(replace(differs, record=None))
    assert "L8 differs from the record" in unseen
    assert "L7" not in unseen


def test_a_container_shows_its_counts_by_verdict():
    text = shown(replace(ANSWER, contents=Contents(240, {"OK": 239, "SUSPECT": 1}, 240, 0)))
    assert "240 packages: 239 OK, 1 SUSPECT; 240 inferred" in text


def test_a_proof_that_does_not_hold_is_shouted_and_is_not_clean():
    broken = replace(ANSWER, proof=Proof(ProofKind.BROKEN, "THE PROOF DOES NOT HOLD: step 3"))
    assert "THE PROOF DOES NOT HOLD" in shown(broken)
    assert not broken.is_clean
    assert ANSWER.is_clean


def test_an_ok_that_nothing_proves_looks_another_way():
    bare = replace(ANSWER, proof=Proof(ProofKind.NONE, "no proof"))
    assert "OK, not proven" in shown(bare)
    assert "not proven" not in shown(ANSWER)
    assert "[ok?] OK, not proven" in shown(bare, encoding="ascii")
    assert bare.is_clean
    assert not bare.is_proven
    why = "no proof: the lot is not shown, and fields are hidden at entry 7"
    assert why in " ".join(shown(replace(ANSWER, proof=Proof(ProofKind.NONE, why, 7))).split())
    pallet = replace(bare, contents=Contents(240, {"OK": 240}, 240, 0))
    assert "each package in it has its own" in " ".join(shown(pallet).split()), "nobody need be alarmed"


def test_a_label_that_differs_from_what_is_proven_is_suspect_whatever_the_node_says():
    text = "THE LABEL DIFFERS: lot L8 on it, lot L7 signed by 0399999000017"
    differs = replace(ANSWER, proof=Proof(ProofKind.DIFFERS, text, 7, Reason.LOT_DIFFERS)).judged()
    assert (differs.word, differs.reason) == (Word.SUSPECT, "lot_differs")
    assert not differs.is_clean
    assert "though the node said OK" in " ".join(shown(differs).split())
    # A node that warned already is not outdone.
    warned = replace(differs, word=Word.DO_NOT_USE, reason="recalled")
    assert warned.judged() == warned
    assert ANSWER.judged() == ANSWER


def test_every_reason_of_the_table_has_its_words():
    assert REASONS.keys() == set(Reason) == {reason for reason, *_ in TABLE}
