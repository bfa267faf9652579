"""Who may do what: the one table. A route without a row here is refused to everybody, and fails a test.

A row says, for one endpoint, which roles may use it and whose data each then reaches: `NOBODYS` (it shows nobody's
data), `OWN` (their party's), `ANYBODYS` (all parties'). Where tokens may use it, `scope` is what the token needs::

    "history.package_page": may(OWN, *TRADE) | may(ANYBODYS, Role.INSPECTOR),

The operator runs the node and is not a reader of its customers' trade: being able to is not being allowed to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.shared.actor import PEOPLE, Role


class Whose(StrEnum):
    """Whose data a role reaches through a route."""

    NOBODYS = "nobody's"
    OWN = "own"
    ANYBODYS = "anybody's"


NOBODYS, OWN, ANYBODYS = Whose.NOBODYS, Whose.OWN, Whose.ANYBODYS


@dataclass(frozen=True, slots=True)
class Permission:
    """One row: the roles that may use a route, whose data each reaches, and the scope a token needs."""

    roles: Mapping[Role, Whose]
    scope: str = ""

    def __or__(self, other: "Permission") -> "Permission":
        return Permission({**self.roles, **other.roles}, self.scope or other.scope)


def may(whose: Whose, *roles: Role, scope: str = "") -> Permission:
    """A row, or a part of one, in which `roles` reach the data of `whose`."""
    return Permission(dict.fromkeys(roles, whose), scope)


TRADE = (Role.WAREHOUSE, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER)
# Who may hand a company's records to an authority.
ANSWERS = (Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER)
ANYONE = may(NOBODYS, *Role)
SIGNED_IN = may(NOBODYS, *PEOPLE)


def _desk(name: str, commands: tuple[str, ...] = (), *, reads: tuple[str, ...] = ()) -> dict[str, Permission]:
    """The rows of a desk's interface: reading by `query`, working at it by `desks`."""
    rows = dict.fromkeys(("queue", "one", *reads), may(OWN, Role.PARTNER_SYSTEM, scope="query"))
    rows |= dict.fromkeys(("take", "note", *commands), may(OWN, Role.PARTNER_SYSTEM, scope="desks"))
    return {f"{name}.{endpoint}": row for endpoint, row in rows.items()}


PERMISSIONS: dict[str, Permission] = {
    # the frame
    "static": ANYONE,
    "health.healthz": ANYONE,
    "api-docs.openapi_json": ANYONE,
    "start.start_page": SIGNED_IN,
    # people
    "people.sign_in": ANYONE,
    "people.sign_out": SIGNED_IN,
    # packages: people see what concerns their party, an inspector everything
    "verification.scan_page": may(OWN, *TRADE) | may(ANYBODYS, Role.INSPECTOR),
    "verification.dispense": may(OWN, Role.PHARMACIST),
    "verification.waiting_page": may(OWN, *TRADE),
    "verification.put_away": may(OWN, *TRADE),
    "verifications.maker_page": may(OWN, Role.MANUFACTURER, Role.QUALITY),
    "ahead.list_page": may(OWN, *TRADE),
    "history.package_page": may(OWN, *TRADE) | may(ANYBODYS, Role.INSPECTOR),
    "investigations.queue_page": may(OWN, *TRADE),
    "investigations.new_page": may(OWN, *TRADE),
    "investigations.holds_page": may(OWN, *TRADE),
    "investigations.case_page": may(OWN, *TRADE),
    "investigations.move": may(OWN, *TRADE),
    "investigations.inspect": may(OWN, *TRADE),
    "investigations.risk": may(OWN, Role.QUALITY, Role.MANUFACTURER),
    "investigations.close": may(OWN, *TRADE),
    "investigations.add_note": may(OWN, *TRADE),
    "investigations.take": may(OWN, *TRADE),
    "form3911.form_page": may(OWN, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER),
    "form3911.pdf": may(OWN, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER),
    "form3911.data": may(OWN, Role.PHARMACIST, Role.QUALITY, Role.MANUFACTURER),
    "form3911.export": may(OWN, *TRADE),
    "returns.queue_page": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.case_page": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.scan": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.book": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.close": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.add_note": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "returns.take": may(OWN, Role.WAREHOUSE, Role.QUALITY, Role.MANUFACTURER),
    "recalls.queue_page": may(OWN, *TRADE),
    "recalls.case_page": may(OWN, *TRADE),
    "recalls.new_page": may(OWN, Role.QUALITY, Role.MANUFACTURER),
    "recalls.describe": may(OWN, Role.QUALITY, Role.MANUFACTURER),
    "recalls.tell": may(OWN, Role.QUALITY, Role.MANUFACTURER),
    "recalls.end": may(OWN, Role.QUALITY, Role.MANUFACTURER),
    "recalls.acknowledge": may(OWN, *TRADE),
    "recalls.answer": may(OWN, *TRADE),
    "recalls.add_note": may(OWN, *TRADE),
    "recalls.take": may(OWN, *TRADE),
    **_desk("recall_api"),
    "recall_api.opened": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "recall_api.describe": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "recall_api.notify": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "recall_api.end": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "recall_api.acknowledge": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "recall_api.answer": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "overrides.ask_page": may(OWN, Role.PHARMACIST),
    "overrides.dispense": may(OWN, Role.PHARMACIST),
    "overrides.queue_page": may(OWN, Role.PHARMACIST, Role.QUALITY),
    "overrides.case_page": may(OWN, Role.PHARMACIST, Role.QUALITY),
    "overrides.close": may(OWN, Role.PHARMACIST, Role.QUALITY),
    "overrides.add_note": may(OWN, Role.PHARMACIST, Role.QUALITY),
    "overrides.take": may(OWN, Role.PHARMACIST, Role.QUALITY),
    "exceptions.queue_page": may(OWN, *TRADE),
    "exceptions.case_page": may(OWN, *TRADE),
    "exceptions.add_note": may(OWN, *TRADE),
    "exceptions.causes_page": may(OWN, *TRADE),
    "exceptions.open_by_hand": may(OWN, *TRADE),
    "exceptions.new_page": may(OWN, *TRADE),
    "exceptions.open_unscanned": may(OWN, *TRADE),
    "exceptions.take": may(OWN, *TRADE),
    "exceptions.send_message": may(OWN, *TRADE),
    "exceptions.close": may(OWN, *TRADE),
    "exceptions.reopen": may(OWN, *TRADE),
    "pdg.report": may(OWN, *TRADE),
    "pdg.group_report": may(OWN, *TRADE),
    "pdg.take_in": may(OWN, *TRADE),
    "pdg.response": may(OWN, *TRADE),
    **_desk("exception_api", ("opened", "send_message", "close", "reopen"), reads=("listing", "causes")),
    **_desk(
        "investigation_api",
        ("opened", "inspect", "move", "risk", "close", "make_form", "release"),
        reads=("one_form", "holds"),
    ),
    **_desk("return_api", ("opened", "scan", "book", "close")),
    **_desk("override_api", ("ask", "dispense", "close")),
    "exception_api.report_out": may(OWN, Role.PARTNER_SYSTEM, scope="exceptions"),
    "exception_api.report_in": may(OWN, Role.PARTNER_SYSTEM, scope="exceptions"),
    "exception_api.response_in": may(OWN, Role.PARTNER_SYSTEM, scope="exceptions"),
    "exception_api.response_out": may(OWN, Role.PARTNER_SYSTEM, scope="exceptions"),
    **dict.fromkeys(
        (
            *(
                "receivings.begin",
                "receivings.one",
                "receivings.scan",
                "receivings.opened",
                "receivings.apart",
                "receivings.missing",
            ),
            *("receivings.damaged", "receivings.undo", "receivings.finish", "receivings.give_up"),
            *("receivings.queue", "receivings.take", "receivings.note"),
        ),
        may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="receive"),
    ),
    **dict.fromkeys(
        (
            *("receiving.list_page", "receiving.begin", "receiving.delivery_page", "receiving.scan"),
            *(
                "receiving.opened",
                "receiving.apart",
                "receiving.missing",
                "receiving.damaged",
                "receiving.undo",
                "receiving.finish",
                "receiving.give_up",
                "receiving.take",
                "receiving.add_note",
            ),
        ),
        may(OWN, Role.WAREHOUSE, Role.PHARMACIST, Role.QUALITY),
    ),
    "regulator.search_page": may(ANYBODYS, Role.INSPECTOR),
    "regulator.evidence": may(ANYBODYS, Role.INSPECTOR),
    "regulator.wide_search_page": may(ANYBODYS, Role.INSPECTOR),
    "regulator.take": may(ANYBODYS, Role.INSPECTOR),
    "regulator.requests_page": may(ANYBODYS, Role.INSPECTOR),
    "regulator.ask": may(ANYBODYS, Role.INSPECTOR),
    "regulator.request_page": may(ANYBODYS, Role.INSPECTOR),
    "regulator.download": may(ANYBODYS, Role.INSPECTOR),
    "regulator.withdraw": may(ANYBODYS, Role.INSPECTOR),
    # authorities' requests at a company's desk: looked into by its trade, handed out by those who answer for it
    "requests.queue_page": may(OWN, *TRADE),
    "requests.open_by_hand": may(OWN, *ANSWERS),
    "requests.case_page": may(OWN, *TRADE),
    "requests.take": may(OWN, *ANSWERS),
    "requests.add_note": may(OWN, *TRADE),
    "requests.answer": may(OWN, *ANSWERS),
    "requests.download": may(OWN, *ANSWERS),
    **_desk("request_api"),
    "request_api.opened": may(OWN, Role.PARTNER_SYSTEM, scope="desks"),
    "request_api.answer": may(OWN, Role.PARTNER_SYSTEM, scope="desks"),
    "request_api.download": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    # the ledger: what anybody may check, and what a signature is the credential for
    "log.checkpoint": ANYONE,
    "log.consistency": ANYONE,
    "log.handovers": ANYONE,
    "witness.add_checkpoint": ANYONE,
    "witness.cosigned": ANYONE,
    "witness.policy": ANYONE,
    "log.tile": ANYONE,
    # entries show who wrote and when: whoever audits the whole log is given a token for it
    "log.entries": may(ANYBODYS, Role.INSPECTOR, Role.PARTNER_SYSTEM, scope="entries"),
    "captures.take_signed": ANYONE,
    "captures.long_capture": ANYONE,
    "devices.challenge": ANYONE,
    "devices.enrol": ANYONE,
    "devices.apply_record": ANYONE,
    "devices.give_up": ANYONE,
    "devices.parked_acts": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="capture"),
    "devices.parked_document": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="capture"),
    # EPCIS by partners' systems
    "ahead_api.listing": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    "ahead_api.adopt": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "epcis.capture": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="capture"),
    "epcis.capture_job": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="capture"),
    "epcis.query_events": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="query"),
    # scans by programs
    "checks.check": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="verify"),
    "checks.container_contents": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="verify"),
    "checks.shipped": may(OWN, Role.PARTNER_SYSTEM, Role.DEVICE, scope="verify"),
    # what leaves, and what was sold and bought
    "shipping.ship_page": may(OWN, Role.WAREHOUSE),
    "inventory.stock_page": may(OWN, *TRADE),
    "inventory.table": may(OWN, *TRADE),
    "inventory_api.listing": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    "sales.list_page": may(OWN, *TRADE),
    "sales.one_page": may(OWN, *TRADE),
    "sales.download": may(OWN, *TRADE),
    # transaction information, and the command to ship
    "shipments.ship": may(OWN, Role.PARTNER_SYSTEM, scope="capture"),
    "transactions.listing": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    "transactions.one": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    "transactions.document": may(OWN, Role.PARTNER_SYSTEM, scope="query"),
    # GS1 product verification by other companies' systems
    "vrs.verify": may(OWN, Role.PARTNER_SYSTEM, scope="verify"),
    "vrs.check_connectivity": may(OWN, Role.PARTNER_SYSTEM, scope="verify"),
}
