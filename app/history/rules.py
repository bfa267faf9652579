"""What a person may type for a package, and how it is shown to them. Pure."""

from app.errors import Invalid
from ledger.custody.vocabulary import Step
from ledger.gs1.epc import Sgtin, parse_any, parse_epc
from ledger.gs1.errors import Gs1Error
from ledger.gs1.sscc import Sscc

# What a step is called by people who have never heard of EPCIS.
SAID = {
    Step.COMMISSIONING: "made and given its serial number",
    Step.PACKING: "packed into a container",
    Step.UNPACKING: "taken out of its container",
    Step.SHIPPING: "shipped",
    Step.VOID_SHIPPING: "declared not shipped after all",
    Step.RECEIVING: "received",
    Step.ACCEPTING: "accepted into ownership",
    Step.HOLDING: "set apart",
    Step.INSPECTING: "inspected",
    Step.DISPENSING: "dispensed",
    Step.DECOMMISSIONING: "taken out of use",
    Step.DESTROYING: "destroyed",
    Step.REPACKAGING: "repackaged",
}


def subject_of(text: str) -> str:
    """The canonical EPC in what somebody typed: URN, Digital Link, element string or SSCC. Raises `Invalid`."""
    try:
        return parse_any(text.strip()).canonical
    except Gs1Error as error:
        raise Invalid(
            "epc.invalid",
            "That names no package",
            f"{text[:80]!r}: {error.message}",
            "Give an EPC URN, a Digital Link, what a scanner reads, or (01)GTIN(21)serial.",
        ) from error


def shown(subject: str) -> str:
    """A canonical EPC as people read it on a label."""
    epc = parse_epc(subject)
    if isinstance(epc, Sgtin):
        return f"(01){epc.gtin.digits} (21){epc.serial}"
    return f"(00){epc.digits}" if isinstance(epc, Sscc) else subject


def said(step: str | None) -> str:
    """A business step in everyday words."""
    return SAID.get(step or "", (step or "seen").replace("_", " "))  # type: ignore[call-overload, no-any-return]
