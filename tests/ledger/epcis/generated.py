"""Events as Hypothesis makes them: every field there is, in every event type, in the normal form that readers give."""

from datetime import UTC, datetime

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
from ledger.epcis.sensors import MEASUREMENTS
from ledger.gs1.check_digit import check_digit
from ledger.gs1.epc import Gln, Gtin, GtinClass, Lgtin, Pgln, Sgln, Sgtin, Sscc

SERIALS = st.text("!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz", min_size=1, max_size=20)
MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
OFFSETS = st.sampled_from(["+00:00", "-05:00", "+05:45", "+14:00", "-13:59"])
URIS = st.sampled_from(
    ["urn:uuid:0b6b3d6e-3c0c-4d7c-9b0e-1f7f9d3c2a11", "https://example.com/x?a=1&b=2#c", "urn:x-y:z"]
)
NAMESPACES = st.sampled_from(
    ["http://epcis.gs1us.org/hc/ns", "http://example.com/e1", "urn:example:e2", "urn:epcglobal:cbv:mda"]
)
LOCALS = st.sampled_from(["a", "lotNumber", "b-c.d", "_x", "Größe"])
NAMES = st.builds("{}#{}".format, NAMESPACES, LOCALS)

# Texts as an element can carry them: no white space round them, nothing that XML has no character for.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    max_size=12,
).map(lambda text: text.strip(" \t\r\n"))


def _with_check(digits: str) -> str:
    return digits + check_digit(digits)


GTINS = st.from_regex(r"[0-8][0-9]{12}", fullmatch=True).map(_with_check).map(Gtin)
GLNS = st.from_regex(r"[0-9]{12}", fullmatch=True).map(_with_check).map(Gln)
PACKAGES = st.builds(Sgtin, GTINS, SERIALS)
CONTAINERS = st.from_regex(r"[0-9]{17}", fullmatch=True).map(_with_check).map(Sscc)
EPCS = st.one_of(PACKAGES, CONTAINERS).map(lambda epc: epc.canonical) | st.sampled_from(
    ["urn:epc:id:grai:4012345.55555.98765", "urn:epc:id:giai:4000001.12345", "https://example.com/obj/1"]
)
CLASSES = st.one_of(st.builds(GtinClass, GTINS), st.builds(Lgtin, GTINS, SERIALS)).map(
    lambda epc: epc.canonical
)
EXTENSIONS = SERIALS.filter(lambda text: text != "0") | st.none()
PLACES = st.one_of(st.builds(Sgln, GLNS, EXTENSIONS), st.builds(Pgln, GLNS)).map(lambda epc: epc.canonical)
READ_POINTS = PLACES | st.just("geo:42.698334,23.319941")


def _unique(elements: st.SearchStrategy, least: int = 0) -> st.SearchStrategy:
    return st.lists(elements, unique=True, min_size=least, max_size=4).map(tuple)


def _object(children: st.SearchStrategy) -> st.SearchStrategy:
    names = st.one_of(NAMES, st.sampled_from(["part1", "inner"]))
    members = st.dictionaries(names, children, min_size=1, max_size=3)
    marks = st.sampled_from(["@unit", "@http://example.com/e1#mark"])
    attributes = st.just({}) | st.dictionaries(marks, TEXTS, min_size=1, max_size=2)
    text = TEXTS.filter(bool).map(lambda value: {"#text": value})
    some = st.dictionaries(marks, TEXTS, min_size=1, max_size=2)
    with_text = st.builds(lambda a, t: {**a, **t}, some, text)
    return st.builds(lambda a, m: {**a, **m}, attributes, members) | with_text


def _list(children: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(children.filter(lambda child: not isinstance(child, list)), min_size=2, max_size=3)


TREES = st.recursive(TEXTS, lambda children: _object(children) | _list(children), max_leaves=6)
PAIRS = st.dictionaries(NAMES, TREES.map(compact), max_size=3).map(lambda found: tuple(sorted(found.items())))
NUMBERS = st.sampled_from(["0", "5", "-3.25", "0.001", "12345678901234567890.5"])
REPORTS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(MEASUREMENTS)) | URIS},
    optional={
        "value": NUMBERS,
        "uom": st.just("CEL"),
        "component": st.sampled_from(["x", "northing"]),
        "exception": st.just("ALARM_CONDITION"),
        "booleanValue": st.sampled_from(["true", "false"]),
        "stringValue": TEXTS.filter(bool),
        "time": st.just("2026-06-01T10:00:00.000000Z"),
        "deviceID": URIS,
        "http://example.com/e1#more": TEXTS.filter(bool),
    },
)
SENSORS = st.fixed_dictionaries(
    {"sensorReport": st.lists(REPORTS, min_size=1, max_size=2)},
    optional={
        "sensorMetadata": st.fixed_dictionaries({}, optional={"deviceID": URIS, "bizRules": URIS}),
        "http://example.com/e1#about": TREES,
    },
).map(compact)
QUANTITIES = st.builds(
    Quantity, CLASSES, st.none() | st.sampled_from(["1", "0.5", "150", "0"]), st.none() | st.just("KGM")
)


def _linked(types: st.SearchStrategy, ids: st.SearchStrategy) -> st.SearchStrategy:
    return _unique(st.builds(Linked, types | URIS, ids))


PARTIES = _linked(st.sampled_from(sorted(PARTY_TYPES)), PLACES)
DECLARATIONS = st.builds(
    ErrorDeclaration, MOMENTS, st.none() | st.sampled_from(sorted(ERROR_REASONS)), _unique(URIS)
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One event of any type, with what its type demands."""
    kind = draw(st.sampled_from(list(EventType)))
    what: dict[str, object] = {}
    action = draw(st.sampled_from(list(Action)))
    if kind is EventType.TRANSFORMATION:
        what |= {"inputs": draw(_unique(EPCS)), "input_quantities": draw(_unique(QUANTITIES, 1))}
        what |= {"outputs": draw(_unique(EPCS, 1)), "output_quantities": draw(_unique(QUANTITIES))}
        what |= {"transformation_id": draw(st.none() | URIS), "ilmd": draw(PAIRS)}
    elif kind in (EventType.AGGREGATION, EventType.ASSOCIATION):
        what |= {"parent": draw(EPCS), "children": draw(_unique(EPCS, 1)), "action": action}
        what |= {"child_quantities": draw(_unique(QUANTITIES))}
    else:
        what |= {"epcs": draw(_unique(EPCS, 1)), "quantities": draw(_unique(QUANTITIES)), "action": action}
    types = st.sampled_from(sorted(TRANSACTION_TYPES))
    least = _linked(types, URIS).filter(bool) if kind is EventType.TRANSACTION else _linked(types, URIS)
    if kind is EventType.OBJECT and action is Action.ADD:
        what["ilmd"] = draw(PAIRS)
    declaration = draw(st.none() | DECLARATIONS)
    return Event(
        type=kind,
        event_time=draw(MOMENTS),
        time_zone_offset=draw(OFFSETS),
        event_id=draw(st.none() | URIS),
        biz_step=draw(st.none() | st.sampled_from(sorted(BIZ_STEPS)) | URIS),
        disposition=draw(st.none() | st.sampled_from(sorted(DISPOSITIONS)) | URIS),
        persistent_set=draw(_unique(st.sampled_from(sorted(DISPOSITIONS)))),
        persistent_unset=draw(_unique(st.sampled_from(sorted(DISPOSITIONS)))),
        read_point=draw(st.none() | READ_POINTS),
        biz_location=draw(st.none() | PLACES),
        transactions=draw(least),
        sources=draw(PARTIES),
        destinations=draw(PARTIES),
        declaration=declaration,
        sensors=draw(_unique(SENSORS)),
        extensions=draw(_extensions(declaration is not None)),
        **what,
    )


@st.composite
def _extensions(draw: st.DrawFn, declared: bool) -> tuple[tuple[str, str], ...]:
    found = dict(draw(PAIRS))
    epcis = "https://ref.gs1.org/epcis#"
    extras = st.dictionaries(NAMES, TREES, min_size=1, max_size=2).map(compact)
    if declared and draw(st.booleans()):
        found[epcis + "errorDeclaration"] = draw(extras)
    if draw(st.booleans()):
        found[epcis + "certificationInfo"] = draw(
            st.sampled_from(
                ['"https://example.com/c1"', '["https://example.com/c1","https://example.com/c2"]']
            )
        )
    return tuple(sorted(found.items()))
