"""What strangers wrote, told so that it can be taken for nothing of the report's own.

A label, a field's name and a step are text of whoever signed them; beside them a report has words of its own, on which
the reader relies: 'root pinned by your policy'. So a stranger's text stands in quotation marks, and none in it ends
them::

    quoted("Dock 3")                     'Dock 3'
    quoted("x', root pinned")            'x\\', root pinned'
    field_name("epcList")                packages
    field_name("ext/x#vouched for")      'ext/x#vouched for'

The page has the same in its own language (page/words.js).
"""

import re
from typing import Final

# Backslash, and what looks like a quotation mark in some font; by code point, as no verifier's Unicode version matters.
_MARKS: Final = re.compile(
    "[\\\\'\"`\u00ab\u00b4\u00bb\u02b9-\u02bf\u02c8\u02ca\u02cb\u2018-\u201f\u2032-\u2037\u2039\u203a\u275b-\u275e\uff02\uff07\uff40]"
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_:/.#%~+-]{1,200}")
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})\.([0-9]{1,9})Z")

# Whole paths of docs/formats/event.md, and what people call them.
_NAMES: Final = {
    "epcList": "packages",
    "childEPCs": "contents",
    "parentID": "container",
    "inputEPCList": "went in",
    "outputEPCList": "came out",
    "readPoint": "read at",
    "bizLocation": "stays at",
    "bizTransactionList": "documents",
    "sourceList": "from",
    "destinationList": "to",
    "ilmd/urn:epcglobal:cbv:mda#lotNumber": "lot",
    "ilmd/urn:epcglobal:cbv:mda#itemExpirationDate": "expires",
    "persistentDisposition/set": "stays",
    "persistentDisposition/unset": "no longer",
    "disposition": "disposition",
    "transformationID": "transformation",
    "quantityList": "quantities",
    "childQuantityList": "quantities in it",
    "inputQuantityList": "quantities in",
    "outputQuantityList": "quantities out",
    "sensorElementList": "measured",
    "errorDeclaration/declarationTime": "declared wrong at",
    "errorDeclaration/reason": "wrong because",
    "errorDeclaration/correctiveEventIDs": "corrected by",
}


def quoted(text: str) -> str:
    """A stranger's text between quotation marks; each mark in it, and each backslash, has a backslash before it."""
    return f"'{_MARKS.sub(lambda mark: chr(92) + mark[0], text)}'"


def plain(text: str) -> str:
    """A word or a URI as it is, which can be taken for no sentence; anything else quoted."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def field_name(path: str) -> str:
    """A field of docs/formats/event.md in everyday words; of any other the whole path, quoted."""
    return _NAMES.get(path) or quoted(path)


def moment(text: str) -> str:
    """2026-03-01T10:00:00.000000Z as 2026-03-01 10:00:00 UTC; what is written otherwise is quoted."""
    match = _TIME.fullmatch(text)
    if not match:
        return plain(text)
    fraction = match[3].rstrip("0") and f".{match[3]}"
    return f"{match[1]} {match[2]}{fraction} UTC"
