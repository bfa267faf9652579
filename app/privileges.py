"""What a node does in its own database, table by table: on PostgreSQL its role is granted this and no more.

    SELECT           read                       SELECT, INSERT            append: a row stands as it was written
    + UPDATE         rows change                + DELETE                  rows go

`app.roles` grants it, as the owner of the tables, to the role that the node runs as. A table that is missing here fails
a test, and so does a privilege that no statement of the node asks for. Never one of TRUNCATE, REFERENCES, TRIGGER.
"""

from collections.abc import Mapping
from typing import Final

_READ: Final = frozenset({"SELECT"})
_APPEND: Final = _READ | {"INSERT"}
_CHANGE: Final = _APPEND | {"UPDATE"}
_REPLACE: Final = _APPEND | {"DELETE"}
_ALL: Final = _CHANGE | {"DELETE"}

APPEND_ONLY: Final = ("entry", "tile", "checkpoint", "audit_trail")
"""The tables whose rows are testimony: triggers refuse a change of theirs too, whoever asks."""

PRIVILEGES: Final[Mapping[str, frozenset[str]]] = {
    "alembic_version": _READ,
    # The ledger.
    "ledger_origin": _APPEND,
    "head": _CHANGE,
    "entry": _APPEND,
    "statement_index": _APPEND,
    "tile": _APPEND,
    "checkpoint": _APPEND,
    "cosig": _APPEND,
    "seed": _ALL,  # a redaction leaves salts in a seed's place, or nothing
    "wrap": _CHANGE,  # a redaction destroys the key
    "time_stamp": _APPEND,
    # What was captured. A redaction puts placeholders into documents and events.
    "document": _CHANGE,
    "event": _CHANGE,
    "event_epc": _APPEND,
    "endorsement": _APPEND,
    "erasable": _CHANGE,
    "redaction": _APPEND,
    "inbox": _CHANGE,
    "inbox_event": _ALL,
    "inbox_name": _REPLACE,
    # Projections, which `packproof rebuild` makes anew.
    "item": _CHANGE,
    "contained": _ALL,
    "lineage": _REPLACE,
    "finding": _REPLACE,
    # Parties, what is theirs, and their keys.
    "party": _CHANGE,
    "site": _CHANGE,
    "licence": _CHANGE,
    "exemption": _APPEND,
    "authorization_check": _APPEND,
    "company_prefix": _APPEND,
    "product": _CHANGE,
    "product_partner": _REPLACE,
    "party_key": _APPEND,
    "chain_link": _APPEND,
    "parked": _CHANGE,
    "challenge_used": _REPLACE,
    # People, and who saw what.
    "user_account": _CHANGE,
    "web_session": _CHANGE,
    "api_token": _CHANGE,
    "sign_in_failure": _ALL,
    "audit_trail": _APPEND,
    "disclosure": _APPEND,
    # Scans and verification.
    "scan_check": _APPEND,
    "set_aside": _CHANGE,
    "signal": _APPEND,
    "vrs_request": _APPEND,
    "vrs_directory": _REPLACE,
    "vrs_mark": _CHANGE,
    # The desks.
    "desk_case": _CHANGE,
    "desk_case_item": _REPLACE,
    "desk_note": _APPEND,
    "exception_case": _ALL,  # what is asked of the record again opens other cases, or none
    "exception_message": _APPEND,
    "receiving": _CHANGE,
    "receiving_line": _APPEND,
    "receiving_act": _CHANGE,
    "return_unit": _ALL,
    "recall_consignee": _CHANGE,
    "investigation_notice": _CHANGE,
    "form_3911": _APPEND,
    "professional_override": _CHANGE,
    "legal_hold": _CHANGE,
}
