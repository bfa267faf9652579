"""Hypothesis strategies for event values: everything an EPCIS document may give, and some that none should."""

from datetime import UTC

from hypothesis import strategies as st

from ledger.custody.event import ErrorDeclaration, Event, Linked, Quantity, compact
from ledger.custody.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    Action,
    EventType,
)


def _encodable(value: object) -> bool:
    try:
        compact(value)
    except ValueError:
        return False
    return True


# No lone surrogates: they have no UTF-8, and readers refuse them.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
URIS = TEXT.map(lambda text: f"https://example.com/{text}")
TIMES = st.datetimes(timezones=st.just(UTC))  # years 1 to 9999
OFFSETS = st.builds(
    lambda sign, hours, minutes: f"{sign}{hours:02d}:{minutes:02d}",
    st.sampled_from("+-"),
    st.integers(0, 14),
    st.integers(0, 59),
)
GTINS = st.sampled_from(["00399999001014", "50312345678901"])
PACKAGES = st.builds(
    lambda gtin, serial: f"https://id.gs1.org/01/{gtin}/21/{serial}",
    GTINS,
    st.text("ABCabc019-", min_size=1, max_size=8),
)
LOTS = st.builds(
    lambda gtin, lot: f"https://id.gs1.org/01/{gtin}/10/{lot}", GTINS, st.text("AB12", min_size=1, max_size=4)
)
CONTAINERS = st.integers(0, 10**17 - 1).map(lambda number: f"https://id.gs1.org/00/{number:018d}")
EPCS = st.one_of(PACKAGES, CONTAINERS, URIS)
PLACES = st.integers(0, 10**12 - 1).map(lambda number: f"https://id.gs1.org/414/{number:013d}")

JSON_VALUES = st.recursive(
    TEXT | st.just(""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
).filter(_encodable)
NAMES = TEXT.filter(lambda text: "\0" not in text).map(lambda text: f"https://example.com/ns#{text}")
PAIRS = st.dictionaries(NAMES, JSON_VALUES.map(compact), max_size=3).map(
    lambda members: tuple(sorted(members.items()))
)
AMOUNTS = st.builds(
    Quantity, EPCS | LOTS, st.none() | st.integers(1, 999).map(str), st.none() | st.just("KGM")
)


def _some(strategy: st.SearchStrategy, most: int = 4) -> st.SearchStrategy[tuple]:
    return st.lists(strategy, max_size=most).map(tuple)


def _linked(kinds: frozenset[str], ids: st.SearchStrategy[str]) -> st.SearchStrategy[tuple]:
    return _some(st.builds(Linked, st.sampled_from(sorted(kinds)), ids))


DECLARATIONS = st.builds(
    ErrorDeclaration, TIMES, st.none() | st.sampled_from(sorted(ERROR_REASONS)), _some(URIS, 2)
)


def events(declared: st.SearchStrategy = DECLARATIONS) -> st.SearchStrategy[Event]:
    """Any event, its lists in any order and with elements twice; `declared` gives its error declaration."""
    return st.builds(
        Event,
        type=st.sampled_from(EventType),
        event_time=TIMES,
        time_zone_offset=OFFSETS,
        event_id=st.none() | st.uuids().map(lambda one: f"urn:uuid:{one}"),
        action=st.none() | st.sampled_from(Action),
        biz_step=st.none() | st.sampled_from(sorted(BIZ_STEPS)) | URIS,
        disposition=st.none() | st.sampled_from(sorted(DISPOSITIONS)) | URIS,
        persistent_set=_some(st.sampled_from(sorted(DISPOSITIONS))),
        persistent_unset=_some(st.sampled_from(sorted(DISPOSITIONS))),
        read_point=st.none() | PLACES,
        biz_location=st.none() | PLACES,
        parent=st.none() | EPCS,
        epcs=_some(EPCS),
        children=_some(EPCS),
        inputs=_some(EPCS),
        outputs=_some(EPCS),
        quantities=_some(AMOUNTS),
        child_quantities=_some(AMOUNTS),
        input_quantities=_some(AMOUNTS),
        output_quantities=_some(AMOUNTS),
        transactions=_linked(TRANSACTION_TYPES, URIS),
        sources=_linked(PARTY_TYPES, PLACES),
        destinations=_linked(PARTY_TYPES, PLACES),
        transformation_id=st.none() | URIS,
        declaration=st.none() | declared,
        sensors=_some(JSON_VALUES.map(compact)),
        ilmd=PAIRS,
        extensions=PAIRS,
    )
