"""Linear codes from a moving picture are believed when two frames say the same.

An EAN or UPC misread passes its check digit one time in ten, in every decoder. Two equal readings from different
frames within a short while make that negligible; a matrix code (Reed-Solomon) needs no second. The same class keeps a
code that stays before the camera from being reported thirty times a second: it is reported once, and again only after
it has been out of sight for a while.

    consensus = Consensus()
    for frame in frames:
        for code in consensus.feed(decode(frame.picture), frame.at): ...   # each code once
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from scanner.decode.port import Decoded

_Key = tuple[bytes, str]


@dataclass(slots=True)
class _Seen:
    frames: int
    last_at: datetime
    reported: bool = False


@dataclass(slots=True)
class Consensus:
    """Counts equal readings from different frames.

    `needed`: frames that must agree on a linear code. `within`: how long one reading waits for the next.
    `rearm`: how long a reported code must be out of sight before it counts as a new scan.
    """

    needed: int = 2
    within: timedelta = timedelta(seconds=2)
    rearm: timedelta = timedelta(seconds=1.5)
    _seen: dict[_Key, _Seen] = field(default_factory=dict)

    def feed(self, codes: list[Decoded], at: datetime) -> list[Decoded]:
        """The codes of one frame in; those that are now believed and not yet reported out."""
        self._forget(at)
        believed: list[Decoded] = []
        for key, code in {(code.data, code.symbology): code for code in codes}.items():
            seen = self._seen.setdefault(key, _Seen(0, at))
            seen.frames += 1
            seen.last_at = at
            if not seen.reported and (code.is_matrix or seen.frames >= self.needed):
                seen.reported = True
                believed.append(replace(code, frames=seen.frames))
        return believed

    def _forget(self, at: datetime) -> None:
        self._seen = {
            key: seen
            for key, seen in self._seen.items()
            if abs(at - seen.last_at) <= (self.rearm if seen.reported else self.within)
        }


def settle_still(codes: list[Decoded], second_opinion: list[Decoded]) -> list[Decoded]:
    """Of one still picture: drop linear codes that a second engine reads otherwise at the same place.

    A still has one frame, so what remains is marked by ``frames=1`` (`Decoded.single_read`); a contradiction between
    two engines over the same ink means that neither is to be believed.
    """
    return [
        code
        for code in codes
        if code.is_matrix
        or any(other.same_code(code) for other in second_opinion)
        or not any(other.overlaps(code) and other.symbology == code.symbology for other in second_opinion)
    ]
