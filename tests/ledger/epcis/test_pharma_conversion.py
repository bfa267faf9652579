"""The acceptance file in every form: eight events, the same derived ids and digests, however it is written."""

import pytest
from lxml import etree

from ledger.epcis import json20, read, xml12, xml20
from ledger.epcis.spelling import DIGITAL_LINK, Spelling
from tests.ledger.epcis.test_pharma_example import example

SIX = Spelling(lambda canonical: 6)
SEVEN = Spelling(lambda canonical: 7)


def identity(body: bytes) -> list[tuple[str, bytes, int]]:
    return [(event.id, event.digest, event.position) for event in read(body).events]


def test_reindented_it_is_the_same():
    tree = etree.fromstring(example())
    etree.indent(tree, space="\t\t")
    assert identity(etree.tostring(tree)) == identity(example())
    for element in tree.iter():
        element.tail = None
        if len(element):
            element.text = None
    assert identity(etree.tostring(tree)) == identity(example())


@pytest.mark.parametrize("spelling", [DIGITAL_LINK, SIX, SEVEN], ids=["links", "urns of 6", "urns of 7"])
@pytest.mark.parametrize("write", [json20.write, xml12.write, xml20.write], ids=["json20", "xml12", "xml20"])
def test_converted_it_is_the_same(write, spelling):
    body = write(read(example()), spelling)
    assert len(identity(body)) == 8
    assert identity(body) == identity(example())


def test_converted_to_json_and_back_it_names_the_same_urns():
    again = xml12.write(read(json20.write(read(example()))), SIX)
    urns = sorted(element.text for element in etree.fromstring(example()).iter("epc"))
    assert sorted(element.text for element in etree.fromstring(again).iter("epc")) == urns
