"""Which fields of an event can be erased: what somebody wrote beside the regulated content, and nothing else.

What the law asks to be kept (what, where, when, why, who, lot, expiry) and what decides custody is never erasable.
Extensions are: nobody knows what a partner puts there, and contacts and free text are what they do put there::

    is_erasable("ext/http://example.com/ns#contact")               True
    is_erasable("ilmd/http://example.com/ns#remark")               True: no word of the standard
    is_erasable("ilmd/urn:epcglobal:cbv:mda#lotNumber")            False: the standard's, and regulated
    is_erasable("ext/https://ref.gs1.org/epcis#certificationInfo") False: a standard member
    is_erasable("ext/http://epcis.gs1us.org/hc/ns#transactionDate") False: what the DSCSA asks for

Two parties decide it alike, because it is a matter of the path alone (docs/formats/redaction.md).
"""

from typing import Final

EXTENSION: Final = "ext/"
ILMD: Final = "ilmd/"
_MASTER_DATA: Final = "ilmd/urn:epcglobal:cbv:mda#"
_STANDARD: Final = frozenset(("ext/https://ref.gs1.org/epcis#certificationInfo",))
# What the DSCSA asks for and EPCIS has no member for, GS1 US puts into a namespace of its own: transaction information,
# 21 U.S.C. 360eee(26), which is kept for six years.
_DSCSA: Final = ("ext/http://epcis.gs1us.org/hc/ns#", "ilmd/http://epcis.gs1us.org/hc/ns#")


def is_erasable(path: str) -> bool:
    """Whether the field at `path` (within an event, docs/formats/event.md) can be erased."""
    return may_be_sealed(path) and not path.startswith(_DSCSA)


def may_be_sealed(path: str) -> bool:
    """Whether a stored event may hold a placeholder there: also what only earlier versions kept encrypted."""
    if path.startswith(EXTENSION):
        return path not in _STANDARD
    return path.startswith(ILMD) and not path.startswith(_MASTER_DATA)


def why_not(path: str) -> str:
    """Why the field at `path` cannot be erased, for whoever asked for it."""
    if path.startswith(_DSCSA):
        return "it is part of the transaction information that the DSCSA asks to be kept for six years"
    if path in _STANDARD or path.startswith(_MASTER_DATA):
        return "it is a member of the standard, part of the transaction history that is kept for six years"
    return "it is regulated (what, where, when, why, who): the law asks for it to be kept for six years"
