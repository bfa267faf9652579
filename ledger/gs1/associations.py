"""Which Application Identifiers need or exclude which others (GS1 General Specifications, section 4.13).

Only those a medicine's label or a shipping label carries; others stand alone freely. A serial without its GTIN names
nothing, and (01) beside (02) leaves open what was scanned::

    (21) needs (01)       (02) needs (37), and (37) needs (00) with (02)       (01) excludes (02) and (37)
"""

from ledger.gs1.errors import Gs1Code, Gs1Error

_TRADE_ITEM = (("01",), ("02",), ("03",), ("8006",), ("8026",))
_SERIALIZED_ITEM = (("01",), ("03",), ("8006",))

# Each value lists alternatives; one of them must be there in full.
_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "02": (("37",),),
    "10": _TRADE_ITEM,
    "11": _TRADE_ITEM,
    "13": _TRADE_ITEM,
    "15": _TRADE_ITEM,
    "17": (*_TRADE_ITEM, ("255",)),
    "20": _TRADE_ITEM,
    "21": _SERIALIZED_ITEM,
    "22": (("01",),),
    "30": (("01",), ("02",)),
    "37": (("00", "02"), ("00", "8026")),
    "235": (("01",),),
    "240": _TRADE_ITEM,
    "250": (("01", "21"), ("03", "21"), ("8006", "21")),
    "254": (("414",),),
    "7003": (("01",), ("02",), ("03",)),
    **{f"71{n}": (("01",),) for n in range(8)},
}
_EXCLUDES: dict[str, tuple[str, ...]] = {
    "01": ("02", "03", "37", "255", "8006"),
    "02": ("03",),
    "21": ("235",),
}


def require(ais: tuple[tuple[str, str], ...]) -> None:
    """Hold the identifiers of one message against each other.

    Raises:
        Gs1Error: ``ai_conflict`` or ``ai_required``.
    """
    present = {code for code, _ in ais}
    for code in _EXCLUDES.keys() & present:
        for other in _EXCLUDES[code]:
            if other in present:
                raise Gs1Error(Gs1Code.AI_CONFLICT, f"({code}) and ({other}) cannot stand in one barcode")
    for code in _NEEDS.keys() & present:
        if not any(present.issuperset(alternative) for alternative in _NEEDS[code]):
            choices = " or ".join("+".join(f"({other})" for other in each) for each in _NEEDS[code])
            raise Gs1Error(
                Gs1Code.AI_REQUIRED, f"({code}) means nothing without {choices}: scan the whole label"
            )
