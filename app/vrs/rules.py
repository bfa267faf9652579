"""What is noticed at verification: who guesses serials, which serial is asked about too much, which is nearly another.

Pure: what was asked goes in, signs come out; a sign opens no case and refuses nobody. Each has its heading in
docs/reference/findings.md, under 'Detection at verification', with the rule's number in the domain reference (D16...).
The thresholds are defaults of our own: the domain reference names the patterns, not their numbers.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ledger.custody.findings import Severity


class SignalKind(StrEnum):
    """What was noticed."""

    SERIAL_GUESSING = "serial_guessing"
    VERIFICATION_HEAT = "verification_heat"
    NO_MATCH = "no_match"
    NEAR_DUPLICATE = "near_duplicate"
    VOLUME_ANOMALY = "volume_anomaly"
    UNSOLD_RETURN = "unsold_return"
    IMPOSSIBLE_SCAN = "impossible_scan"


INNOCENT = {
    SignalKind.SERIAL_GUESSING: "a scanner that drops separators or types with another keyboard's layout",
    SignalKind.VERIFICATION_HEAT: "a returns centre, or one pack asked about again after time-outs",
    SignalKind.NO_MATCH: "a misread or mistyped label, or the maker's data of that lot is late",
    SignalKind.NEAR_DUPLICATE: "caps lock, another keyboard's layout, or a letter read for a digit",
    SignalKind.VOLUME_ANOMALY: "the lot's data is here in part, its sales among them, or serials were mistyped",
    SignalKind.IMPOSSIBLE_SCAN: "a wrong clock, a scan entered elsewhere by hand, or a site that nobody has told of",
    SignalKind.UNSOLD_RETURN: "a sister site of the customer bought it, or our own data of the sale is missing",
}

GUESSING_WINDOW = timedelta(hours=1)
MANY_MISSES = 5
VERY_MANY_MISSES = 20
LEAST_SHARE = 0.2
"""Of a requester's questions, how many must miss before it is guessing: who asks much, also errs more."""
RUN = 4
SWEEP = 5
HEAT_WINDOW = timedelta(hours=24)
HEAT_REQUESTERS = 3

_TAIL = re.compile(r"(.*?)([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a requester, as it was claimed. `missed`: GTIN, serial, lot and expiry did not go together."""

    at: datetime
    gtin: str
    serial: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Sign:
    """What a rule noticed: how grave it is, and in words why."""

    kind: SignalKind
    severity: Severity
    explanation: str

    @property
    def innocent(self) -> str:
        """Its usual innocent cause."""
        return INNOCENT[self.kind]


def guessing(asked: Sequence[Asked], now: datetime, *, has_traded: bool) -> Sign | None:
    """D16: whether a requester's questions of the last hour look like guessing.

    Many that miss make an exception; together with a pattern in the serials, with many GTINs, with nothing ever
    traded here, or very many of them, they make a hold.
    """
    recent = [each for each in asked if each.at > now - GUESSING_WINDOW]
    missed = [each for each in recent if each.missed]
    if len(missed) < MANY_MISSES or len(missed) < LEAST_SHARE * len(recent):
        return None
    signs = [f"{len(missed)} of {len(recent)} questions within an hour matched nothing"]
    serials = {(each.gtin, each.serial) for each in missed}
    if (run := longest_run(serials)) >= RUN:
        signs.append(f"{run} serials in a row")
    if (simple := sum(is_low_entropy(serial) for _, serial in serials)) >= MANY_MISSES:
        signs.append(f"{simple} serials too simple to be random")
    if (gtins := len({gtin for gtin, _ in serials})) >= SWEEP:
        signs.append(f"{gtins} different GTINs")
    if not has_traded:
        signs.append("the requester has never had a pack here")
    grave = len(signs) > 1 or len(missed) >= VERY_MANY_MISSES
    severity = Severity.HOLD if grave else Severity.EXCEPTION
    return Sign(SignalKind.SERIAL_GUESSING, severity, "; ".join(signs))


def longest_run(serials: Iterable[tuple[str, str]]) -> int:
    """The most serials of one GTIN that count up by one: `A17, A18, A19` are three."""
    numbers: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    for gtin, serial in serials:
        if (found := _TAIL.fullmatch(serial)) is not None:
            numbers[gtin, found[1], len(found[2])].add(int(found[2]))
    return max((_run(found) for found in numbers.values()), default=0)


def _run(numbers: set[int]) -> int:
    longest = 0
    for first in numbers:
        if first - 1 not in numbers:
            length = 1
            while first + length in numbers:
                length += 1
            longest = max(longest, length)
    return longest


def is_low_entropy(serial: str) -> bool:
    """Whether a serial is one that people make up: very short, or of hardly more than one character."""
    return len(serial) <= 3 or len(set(serial.upper())) <= 2


def heat(requesters: Iterable[str]) -> Sign | None:
    """D17: whether one serial was asked about by more parties within a day than a pack can pass through."""
    count = len(set(requesters))
    if count < HEAT_REQUESTERS:
        return None
    said = f"{count} parties asked about this serial within {HEAT_WINDOW.total_seconds() / 3600:.0f} hours"
    return Sign(SignalKind.VERIFICATION_HEAT, Severity.HOLD, said)


def volume(made: int, about: int, back: int, sold: int | None = None) -> Sign | None:
    """D18: whether more of a lot is about than was made of it, or more comes back than was sold.

    `made`: packages commissioned; `about`: serials asked about as of this lot; `back`: those asked about as returns;
    `sold`: packages that their maker has shipped to others, None where nobody has counted.
    """
    if max(about, back) <= made and (sold is None or back <= sold):
        return None
    said = f"{about} serials of this lot were asked about, {made} packages were made of it"
    if sold is not None and back > sold:
        said += f"; {back} as returns, and {sold} were shipped"
    elif back > made:
        said += f"; {back} of them as returns"
    return Sign(SignalKind.VOLUME_ANOMALY, Severity.HOLD, said)


def no_match(*, serial: bool, lot: bool = False, expiry: bool = False) -> Sign | None:
    """D7, and D5 where the serial itself is wrong: what was asked about does not go together in the maker's record."""
    what = " and ".join(name for name, wrong in (("lot", lot), ("expiry", expiry)) if wrong)
    if serial:
        said = "asked about a serial that its maker has not given"
    elif what:
        said = f"the serial is known, and the {what} asked about differs from the record"
    else:
        return None
    return Sign(SignalKind.NO_MATCH, Severity.EXCEPTION, said)


# What people and scanners take for one another: O and 0, I or l and 1, Y and Z (on keyboards of another country).
_ALIKE = {"O": "0", "o": "0", "0": "O", "I": "1", "l": "1", "1": "I"}
_KEYBOARD = str.maketrans("YZyz", "ZYzy")
MOST_NEAR = 400


def near(serial: str) -> dict[str, str]:
    """D20: serials that `serial` may have been meant for, and how each differs, the likeliest first; at most 400.

    The case of all letters or of one, Y and Z exchanged, and up to four of O/0 and I/1: what caps lock, another
    keyboard and a worn label do. Each of these alone and together.
    """
    found: dict[str, str] = {}
    for changed, how in _by_keyboard(serial):
        for near_one, also in _by_eye(changed):
            said = ", ".join(filter(None, (how, also)))
            if near_one != serial:
                found.setdefault(near_one, said)
            if len(found) == MOST_NEAR:
                return found
    return found


def _by_keyboard(serial: str) -> Iterator[tuple[str, str]]:
    yield serial, ""
    exchanged = serial.translate(_KEYBOARD)
    for base, how in ((serial, ""), (exchanged, "Y and Z")):
        if how and base == serial:
            continue
        if how:
            yield base, how
        said = ", ".join(filter(None, ("case", how)))
        for other in (base.swapcase(), base.upper(), base.lower()):
            if other != base:
                yield other, said
    for place, char in enumerate(serial):
        if char.isalpha():
            yield serial[:place] + char.swapcase() + serial[place + 1 :], "case"


def _by_eye(serial: str) -> Iterator[tuple[str, str]]:
    places = [place for place, char in enumerate(serial) if char in _ALIKE][:4]
    for chosen in range(1 << len(places)):
        chars = list(serial)
        for bit, place in enumerate(places):
            if chosen >> bit & 1:
                chars[place] = _ALIKE[chars[place]]
        yield "".join(chars), "O and 0, or I and 1" if chosen else ""
