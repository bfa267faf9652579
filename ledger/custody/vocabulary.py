"""The CBV words that carry meaning here, and the one way each is written inside the kernel.

GS1's Core Business Vocabulary 2.0 (sections 7.1 to 7.5) writes a business step as ``shipping`` in 2.0 JSON,
as ``urn:epcglobal:cbv:bizstep:shipping`` in 1.2 XML and as ``https://ref.gs1.org/cbv/BizStep-shipping`` on
the web. Inside the kernel it is the bare word; a word of somebody else's vocabulary stays the URI it was.
"""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    """The five event types of EPCIS 2.0 (section 7.4)."""

    OBJECT = "ObjectEvent"
    AGGREGATION = "AggregationEvent"
    TRANSACTION = "TransactionEvent"
    TRANSFORMATION = "TransformationEvent"
    ASSOCIATION = "AssociationEvent"


class Action(StrEnum):
    """What an event says about the life or the grouping of its objects (EPCIS 2.0, 7.3.2)."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


class Step(StrEnum):
    """The business steps that change custody, ownership, containment or status."""

    COMMISSIONING = "commissioning"
    PACKING = "packing"
    UNPACKING = "unpacking"
    SHIPPING = "shipping"
    VOID_SHIPPING = "void_shipping"
    RECEIVING = "receiving"
    ACCEPTING = "accepting"
    HOLDING = "holding"
    INSPECTING = "inspecting"
    DISPENSING = "dispensing"
    DECOMMISSIONING = "decommissioning"
    DESTROYING = "destroying"
    REPACKAGING = "repackaging"


BIZ_STEPS = frozenset(
    """
    accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
    decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
    installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
    retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
    unloading unpacking void_shipping
    """.split()
)
DISPOSITIONS = frozenset(
    """
    active available completeness_inferred completeness_verified conformant container_closed container_open damaged
    destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
    mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
    recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown
    """.split()
)
TRANSACTION_TYPES = frozenset(
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt".split()
)
PARTY_TYPES = frozenset("owning_party possessing_party location".split())
ERROR_REASONS = frozenset("did_not_occur incorrect_data".split())

# Each vocabulary with the prefixes its words are known to be written with.
_PREFIXES = {
    "bizStep": (
        "urn:epcglobal:cbv:bizstep:",
        "https://ref.gs1.org/cbv/BizStep-",
        "https://ns.gs1.org/cbv/BizStep-",
        "cbv:BizStep-",
    ),
    "disposition": (
        "urn:epcglobal:cbv:disp:",
        "https://ref.gs1.org/cbv/Disp-",
        "https://ns.gs1.org/cbv/Disp-",
        "cbv:Disp-",
    ),
    "transaction": (
        "urn:epcglobal:cbv:btt:",
        "https://ref.gs1.org/cbv/BTT-",
        "https://ns.gs1.org/cbv/BTT-",
        "cbv:BTT-",
    ),
    "party": (
        "urn:epcglobal:cbv:sdt:",
        "https://ref.gs1.org/cbv/SDT-",
        "https://ns.gs1.org/cbv/SDT-",
        "cbv:SDT-",
    ),
    "reason": (
        "urn:epcglobal:cbv:er:",
        "https://ref.gs1.org/cbv/ER-",
        "https://ns.gs1.org/cbv/ER-",
        "cbv:ER-",
    ),
}
_WORDS = {
    "bizStep": BIZ_STEPS,
    "disposition": DISPOSITIONS,
    "transaction": TRANSACTION_TYPES,
    "party": PARTY_TYPES,
    "reason": ERROR_REASONS,
}


def bare_word(vocabulary: str, text: str) -> str:
    """`text` as the kernel writes it: the bare CBV word, or the foreign URI unchanged.

    `vocabulary` is one of ``bizStep``, ``disposition``, ``transaction``, ``party``, ``reason``. Raises
    ValueError for a bare word or a CBV URI whose word the CBV does not have: it is a slip of the writer's,
    and would otherwise become a step that no rule knows.
    """
    for prefix in _PREFIXES[vocabulary]:
        if text.startswith(prefix):
            text = text[len(prefix) :]
            break
    else:
        if ":" in text:
            return text
    if text not in _WORDS[vocabulary]:
        raise ValueError(
            f"{text!r} is no {vocabulary} of the CBV; words of other vocabularies are written as a URI"
        )
    return text


# Custody's order within one microsecond (docs/formats/event.md, Order). Anything not named ranks with the
# observations.
_RANK: dict[str, int] = {
    Step.COMMISSIONING: 0,
    Step.UNPACKING: 1,
    Step.PACKING: 2,
    Step.SHIPPING: 3,
    Step.VOID_SHIPPING: 3,
    Step.RECEIVING: 4,
    Step.ACCEPTING: 4,
    Step.DECOMMISSIONING: 6,
    Step.DISPENSING: 6,
    Step.DESTROYING: 6,
}
OBSERVATION_RANK = 5


def step_rank(biz_step: str | None) -> int:
    """The rank of a business step in custody's order, 0 to 6."""
    return _RANK.get(biz_step, OBSERVATION_RANK) if biz_step else OBSERVATION_RANK
