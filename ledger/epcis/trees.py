"""Values with structure: ILMD, extensions, sensors, unknown headers, in the one shape that JSON and XML both have.

XML has only text, has no arrays, and cannot tell a list of one from its element; so neither does a tree::

    5, true             -> "5", "true"           as written
    " A "               -> "A"                   white space round a text is layout
    ["x"], [["x"]]      -> "x"                   a list of one is its element; lists in lists are one list
    [], null            -> absent
    {}, {"#text": "x"}  -> "", "x"

Attributes are members ``@name``, and the text beside them is ``#text``. Member names are expanded (ledger.epcis.names).
"""

from collections.abc import Iterable
from typing import TypeAlias, Union

Tree: TypeAlias = Union[str, list["Tree"], dict[str, "Tree"]]  # noqa: UP007 - a string has no | at run time

WHITE = " \t\r\n"


def add(members: dict[str, Tree], name: str, value: Tree | None) -> None:
    """Put `value` under `name`; what is already there becomes a list with it, as repeated elements do."""
    if value is None:
        return
    there = members.get(name)
    if there is None:
        members[name] = value
        return
    values: list[Tree] = list(there) if isinstance(there, list) else [there]
    values.extend(value if isinstance(value, list) else [value])
    members[name] = values


def joined(values: Iterable[Tree | None]) -> Tree | None:
    """The values of an array: None if empty, the element if there is one."""
    flat: list[Tree] = []
    for value in values:
        if isinstance(value, list):
            flat.extend(value)
        elif value is not None:
            flat.append(value)
    if not flat:
        return None
    return flat[0] if len(flat) == 1 else flat


def plain(members: dict[str, Tree]) -> Tree:
    """An object's members in normal form: no members are an empty text, text alone is text."""
    if not members:
        return ""
    if len(members) == 1 and "#text" in members:
        return members["#text"]
    return members


def elements(value: Tree | None) -> list[Tree]:
    """`value` as the list it stands for."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text_of(value: Tree | None) -> str | None:
    """The text of `value`, with or without attributes; None for anything else."""
    if isinstance(value, dict):
        value = value.get("#text")
    return value if isinstance(value, str) else None
