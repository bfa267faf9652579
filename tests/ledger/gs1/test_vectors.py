"""GS1's own vectors: agreement, and every deviation named with its reason in `deviations`.

`linters.json` and `scan_data_generate.json` are not read: the first tests checks inside values of identifiers that no
medicine carries, the second tests an encoder.
"""

import json
import re

import pytest

from ledger.gs1 import ai_table, associations, digital_link
from ledger.gs1.charset import path_encode, percent_decode
from ledger.gs1.element_string import parse_scan, read_elements, read_human_form
from ledger.gs1.errors import Gs1Error
from tests.ledger.gs1 import deviations
from tests.support.shared import shared_path

FNC1 = "^"


def vectors(name: str) -> list[tuple[int, dict]]:
    """Each vector with the line of GS1's test it comes from."""
    loaded = json.loads(shared_path(f"data/gs1/{name}.json").read_text(encoding="utf-8"))
    return [(int(vector["source"].rpartition(":")[2]), vector) for vector in loaded]


def encoded(ais) -> str:
    """`ais` as GS1's engine writes them: FNC1 first and behind every variable value but the last."""
    parts = [code + value + ("" if ai_table.named(code).predefined else FNC1) for code, value in ais]
    return FNC1 + "".join(parts).removesuffix(FNC1)


def answer(call, *arguments):
    try:
        return call(*arguments)
    except Gs1Error:
        return None


def test_element_strings_agree_without_exception():
    for line, vector in vectors("element_string"):
        text = vector["input"]
        if not text.startswith(FNC1):  # the engine's own mark for "this is AI data"
            assert not vector["ok"], line
            continue
        assert (answer(read_elements, text[1:].replace(FNC1, "\x1d")) is not None) == vector["ok"], line


def test_the_human_form_agrees_without_exception():
    for line, vector in vectors("bracketed"):
        ais = answer(read_human_form, vector["input"])
        assert (encoded(ais) if ais is not None else None) == vector["expect"], line


def test_which_identifiers_need_which_agrees_but_for_those_named():
    def read(text):
        ais = read_human_form(text)
        associations.require(ais)
        return ais

    differing = {
        line for line, v in vectors("associations") if (answer(read, v["input"]) is not None) != v["ok"]
    }
    assert differing == set(deviations.ASSOCIATIONS)


def test_digital_links_are_read_alike_but_for_those_named():
    differing = set()
    for line, vector in vectors("digital_link_parse"):
        link = answer(digital_link.parse, vector["input"])
        ours = encoded(link.ais) if link is not None else None
        if ours != (vector["expect"] if vector["ok"] else None):
            differing.add(line)
    assert differing == set(deviations.LINK_PARSE)


def test_digital_links_are_written_alike_but_for_those_named():
    def write(vector):
        ais = read_human_form(vector["input"])
        associations.require(ais)
        return digital_link.format_link(
            digital_link.from_ais(ais), vector["stem"] or digital_link.CANONICAL_STEM
        )

    differing = {
        line
        for line, v in vectors("digital_link_generate")
        if answer(write, v) != (v["expect"] if v["ok"] else None)
    }
    assert differing == set(deviations.LINK_GENERATE)


def test_scans_of_every_symbology_agree_but_for_those_named():
    differing = set()
    for line, vector in vectors("scan_data"):
        scan = answer(parse_scan, vector["input"])
        agree = (scan is not None) == vector["ok"]
        if scan is not None and vector["ok"]:
            expected = vector["expect"]
            if expected.startswith(FNC1):
                agree = encoded(scan.ais) == expected
            elif expected.isdigit():
                agree = scan.gtin.digits == expected.zfill(14) and scan.epc is None
            else:
                agree = scan.ais == digital_link.parse(expected).ais
        if not agree:
            differing.add(line)
    assert differing == set(deviations.SCAN_DATA)


def test_percent_encoding_agrees_but_for_broken_escapes():
    for line, vector in vectors("uri_escape"):
        value, in_path, _ = vector["args"]
        assert path_encode(value) == in_path, line
    differing = {
        line for line, v in vectors("uri_unescape") if answer(percent_decode, v["args"][0]) != v["args"][1]
    }
    assert differing == set(deviations.URI_UNESCAPE)


def oracle() -> dict[str, dict]:
    lines = shared_path("data/gs1/scan_oracle_dev.jsonl").read_text(encoding="utf-8").splitlines()
    return {vector["id"]: vector for vector in map(json.loads, lines)}


def as_engine(vector) -> list[list[str]] | None:
    return vector["ai"] if vector["ok"] else None


def ours(vector) -> list[list[str]] | None:
    scan = answer(parse_scan, vector["input"])
    return None if scan is None else [list(element) for element in scan.ais]


def test_nine_hundred_scans_are_read_as_gs1s_engine_reads_them_but_for_those_named():
    named = {identity for _, identities in deviations.ORACLE.values() for identity in identities.split()}
    differing = {identity for identity, vector in oracle().items() if ours(vector) != as_engine(vector)}
    assert len(oracle()) == 900
    assert differing == named


@pytest.mark.parametrize(
    "reason", ["line_ending", "leading_separator", "doubled_separator", "spelled_separator"]
)
def test_what_is_tolerated_is_noted_and_loses_no_character(reason):
    for identity in deviations.ORACLE[reason][1].split():
        sent = oracle()[identity]["input"]
        scan = parse_scan(sent)
        assert reason in scan.notes, identity
        without_separators = re.sub(r"\x1d|\{GS\}|[\r\n\t]+$", "", sent[3:])
        assert "".join(code + value for code, value in scan.ais) == without_separators, identity


@pytest.mark.parametrize("reason", ["separator_missing", "not_ai_data"])
def test_what_is_refused_beyond_the_engine_is_refused_for_the_reason_named(reason):
    for identity in deviations.ORACLE[reason][1].split():
        with pytest.raises(Gs1Error) as caught:
            parse_scan(oracle()[identity]["input"])
        assert caught.value.code == reason, identity


def test_no_scan_is_read_with_other_values_than_the_engine_reads():
    for identity, vector in oracle().items():
        if vector["ok"]:
            assert ours(vector) in (None, as_engine(vector)), identity
