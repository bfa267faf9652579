"""The EPCISHeader of an XML document: SBDH, master data, and GS1 US's elements.

The Standard Business Document Header (UN/CEFACT, version 1.0, in GS1's profile) says who sends to whom. A 2.0
document has the same header; where a document has neither sender nor receiver there is no SBDH, and 1.2 then has no
place for a header at all but for the extensions that the guideline puts into it.
"""

from collections.abc import Callable

from lxml import etree

from ledger.custody.event import format_time
from ledger.epcis import header, masterdata
from ledger.epcis.document import Document, Form
from ledger.epcis.trees import Tree

_SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"

WriteTree = Callable[[etree._Element, str, Tree], None]


def write_header(
    root: etree._Element, document: Document, epc: Callable[[str], str], tree: WriteTree, form: Form
) -> None:
    """Append the header to the root, where the document has anything to say in it."""
    members = form is Form.XML12 and any(True for _ in header.members_of(document, epc))
    vocabularies = list(masterdata.vocabularies(document, epc))
    parties = document.sender or document.receiver or document.instance_id
    if not members and not vocabularies and not parties:
        return
    element = etree.SubElement(root, "EPCISHeader")
    if parties or form is Form.XML12:
        _sbdh(element, document, epc)
    if vocabularies:
        inner = etree.SubElement(element, "extension")
        listed = etree.SubElement(etree.SubElement(inner, "EPCISMasterData"), "VocabularyList")
        for kind, entries in vocabularies:
            vocabulary = etree.SubElement(listed, "Vocabulary", {"type": kind})
            elements = etree.SubElement(vocabulary, "VocabularyElementList")
            for identifier, attributes in entries:
                entry = etree.SubElement(elements, "VocabularyElement", {"id": identifier})
                for name, value in attributes:
                    _attribute(entry, name, value, tree)
    if members:
        write_members(element, document, epc, tree)


def write_members(
    parent: etree._Element, document: Document, epc: Callable[[str], str], tree: WriteTree
) -> None:
    """Append the transaction statement and the unknown members of the header."""
    for name, value in header.members_of(document, epc):
        tree(parent, name, value)


def _attribute(entry: etree._Element, name: str, value: Tree, tree: WriteTree) -> None:
    for item in value if isinstance(value, list) else [value]:
        tree(entry, "attribute", item)
        entry[-1].set("id", name)


def _sbdh(parent: etree._Element, document: Document, epc: Callable[[str], str]) -> None:
    element = etree.SubElement(parent, _SBDH + "StandardBusinessDocumentHeader")
    etree.SubElement(element, _SBDH + "HeaderVersion").text = "1.0"
    # GS1 US's R1.2 writes the bare number under the authority GLN; its mark is that it has no guideline version.
    bare = document.statement is not None and document.statement.guideline_version is None
    for name, gln in (("Sender", document.sender), ("Receiver", document.receiver)):
        party = etree.SubElement(element, _SBDH + name)
        authority = "GLN" if bare else "GS1"
        identifier = etree.SubElement(party, _SBDH + "Identifier", {"Authority": authority})
        identifier.text = (gln if bare else epc(f"https://id.gs1.org/414/{gln}")) if gln else ""
    what = etree.SubElement(element, _SBDH + "DocumentIdentification")
    created = format_time(document.created) if document.created else ""
    for name, text in (
        ("Standard", "EPCglobal"),
        ("TypeVersion", "1.0"),
        ("InstanceIdentifier", document.instance_id or ""),
        ("Type", "Events"),
        ("CreationDateAndTime", created),
    ):
        etree.SubElement(what, _SBDH + name).text = text
