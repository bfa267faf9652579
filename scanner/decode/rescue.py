"""The second look: what to try when a picture gave nothing useful, within a fixed time.

A ladder of renderings of the same picture - larger, stretched in contrast, sharpened, turned, other thresholds, crops
- each given to the decoder until something is read or the time is used up. Cheap rungs and those that help most often
come first. Measured on the public corpus: pictures that read at once are untouched; of those that do not, the ladder
reads about one in three, and never anything in a picture without codes.

A matrix code found on any rung is believed: Reed-Solomon does not turn one serial into another. A linear code has a
check digit at most, and a sharpened blur can satisfy it, so it is believed when two rungs (or zbar and one rung) agree
and nothing contradicts it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImageFilter, ImageOps

from scanner.decode.picture import Picture
from scanner.decode.port import Decoded, Quad
from scanner.decode.zbar import ZbarDecoder
from scanner.decode.zxing import ZxingDecoder

DEFAULT_BUDGET_S = 1.0
# A rung is not begun on more pixels than this: it could not be stopped in time.
MAX_RUNG_PIXELS = 12_000_000
_AGREEING_RUNGS = 2


@dataclass(frozen=True, slots=True)
class _Rung:
    name: str
    scale: float
    change: Callable[[Image.Image], Image.Image]
    binarizer: str = "local"
    slow: bool = False


def _as_is(image: Image.Image) -> Image.Image:
    return image


def _stretched(image: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(image, cutoff=2)


def _sharpened(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(6, 300, 2))


def _turned(degrees: float) -> Callable[[Image.Image], Image.Image]:
    def turn(image: Image.Image) -> Image.Image:
        return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)

    return turn


LADDER = (
    _Rung("stretched", 1, _stretched),
    _Rung("global threshold", 1, _as_is, "global"),
    _Rung("double", 2, _as_is),
    _Rung("equalized", 1, ImageOps.equalize),
    _Rung("double, global threshold", 2, _as_is, "global"),
    _Rung("fixed threshold", 1, _as_is, "fixed"),
    _Rung("half", 0.5, _as_is),
    _Rung("double, sharpened", 2, _sharpened, slow=True),
    _Rung("turned 20", 1, _turned(20)),
    _Rung("turned -10", 1, _turned(-10)),
    _Rung("triple, sharpened", 3, _sharpened, slow=True),
)


@dataclass(frozen=True, slots=True)
class Rescue:
    """The ladder with its time limit in seconds; `matrix_only` where a retail code was read and 2D is still sought."""

    budget_s: float = DEFAULT_BUDGET_S
    matrix_only: bool = False
    now: Callable[[], float] = time.monotonic

    def decode(self, picture: Picture) -> list[Decoded]:
        """What the ladder reads; stops at the first rung that settles it, begins no rung after the time is used up."""
        deadline = self.now() + self.budget_s
        heard: list[Decoded] = [] if self.matrix_only else ZbarDecoder().decode(picture)
        image = picture.to_image()
        for rung, rendered in self._renderings(image, deadline):
            decoder = ZxingDecoder(matrix_only=self.matrix_only, binarizer=rung.binarizer)
            found = [_placed(code, rung, picture) for code in decoder.decode(rendered)]
            matrix = [code for code in found if code.is_matrix]
            if matrix:
                return matrix
            heard += found
            agreed = _agreed(heard, _AGREEING_RUNGS)
            if agreed:
                return agreed
        return _only_opinion(heard)

    def _renderings(self, image: Image.Image, deadline: float) -> Iterator[tuple[_Rung, Picture]]:
        last_s = 0.0
        for rung in LADDER:
            began = self.now()
            # The dearest rung so far tells what the next may cost: stopping late is worse than missing one.
            if began + last_s >= deadline:
                return
            width, height = max(1, round(image.width * rung.scale)), max(1, round(image.height * rung.scale))
            if width * height > (MAX_RUNG_PIXELS // 3 if rung.slow else MAX_RUNG_PIXELS):
                continue
            if rung.scale == 1:
                sized = image
            else:
                sized = image.resize(
                    (width, height), Image.Resampling.BICUBIC if rung.scale > 1 else Image.Resampling.BOX
                )
            yield rung, Picture.of_image(rung.change(sized))
            last_s = max(last_s, self.now() - began)


def _placed(code: Decoded, rung: _Rung, picture: Picture) -> Decoded:
    """The reading with its position in the original picture; a turned rung tells only 'somewhere in it'."""
    if rung.name.startswith("turned"):
        right, bottom = picture.width - 1, picture.height - 1
        quad: Quad = ((0, 0), (right, 0), (right, bottom), (0, bottom))
    else:
        corners = [(round(x / rung.scale), round(y / rung.scale)) for x, y in code.position]
        quad = (corners[0], corners[1], corners[2], corners[3])
    return replace(code, position=quad, engine=f"zxing, {rung.name}")


def _only_opinion(heard: list[Decoded]) -> list[Decoded]:
    """zbar's clean reading where nobody, zbar included, read anything else: it stays marked as a single read.

    Seen: of two EAN-13 that zbar found in one bad picture, the second was invented.
    """
    if heard and heard[0].engine == "zbar" and all(code.same_code(heard[0]) for code in heard):
        return heard[:1]
    return []


def _agreed(heard: list[Decoded], needed: int) -> list[Decoded]:
    """Readings heard `needed` times that no other reading of the same ink contradicts."""
    agreed: list[Decoded] = []
    for code in heard:
        votes = {other.engine for other in heard if other.same_code(code)}
        contradicted = any(not other.same_code(code) and other.overlaps(code) for other in heard)
        if len(votes) >= needed and not contradicted and not any(code.same_code(kept) for kept in agreed):
            agreed.append(code)
    return agreed
