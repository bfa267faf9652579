"""Which exceptions somebody asks for, in the same words on the page and over REST. What is left out does not choose.

    /exceptions?mine=true&partner=0399999000017&hda_class=Data%20Issue&root_cause=picking&state=closed

`partner` is a GLN, or `none`; a `root_cause` chooses among what is closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.cases.choice import NOBODY, Choice
from app.errors import Invalid
from app.exceptions.rules import ROOT_CAUSES, kinds_of
from app.exceptions.scenarios import HdaClass
from app.partners.service import checked_gln

STATES = ("open", "closed")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter of the queue. `state`: '' for what is open, with what was closed lately below it."""

    mine: bool = False
    partner: str = ""
    hda_class: str = ""
    root_cause: str = ""
    state: str = ""

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Chosen":
        """As a form or a query gives it. Raises `Invalid` for a word that is none of a parameter's."""
        partner = str(fields.get("partner") or "").strip()
        found = cls(
            mine=str(fields.get("mine") or "").lower() in ("true", "1", "yes", "on"),
            partner=partner if partner in ("", NOBODY) else checked_gln(partner),
            hda_class=_one_of("hda_class", fields, [each.value for each in HdaClass]),
            root_cause=_one_of("root_cause", fields, ROOT_CAUSES),
            state=_one_of("state", fields, STATES),
        )
        return (
            cls(found.mine, found.partner, found.hda_class, found.root_cause, "closed")
            if found.root_cause
            else found
        )

    def as_query(self) -> dict[str, str]:
        """What is chosen, as `parse` reads it: for links."""
        texts = {name: getattr(self, name) for name in ("partner", "hda_class", "root_cause", "state")}
        return {name: text for name, text in {"mine": "true" if self.mine else "", **texts}.items() if text}

    def choice(self, account_id: str | None) -> Choice:
        """The same as a choice among cases, for this account."""
        return Choice(
            owner_id=account_id if self.mine else None,
            partner_gln=self.partner or None,
            kinds=kinds_of(HdaClass(self.hda_class)) if self.hda_class else None,
            root_cause=self.root_cause or None,
        )


def _one_of(name: str, fields: Mapping[str, Any], known: Any) -> str:
    text = str(fields.get(name) or "").strip()
    if text and text not in known:
        raise Invalid(
            "query.parameter", "That cannot be asked for", f"{name}: {text[:100]!r}", ", ".join(known)
        )
    return text
