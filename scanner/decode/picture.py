"""A picture as decoders want it: luminance only, bounded, independent of who loaded it.

Files from phones, browsers and scanners arrive in many modes and sometimes with intent, so this is the one place that
opens them: bytes and pixels are bounded before anything is decompressed, the accepted formats are few, transparency
is laid on white (black modules on nothing would become black on black), and only the first frame is looked at.

    picture = load_picture(Path("label.png"))
    picture.width, picture.height, len(picture.luma)   # 640, 480, 307200
"""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scanner.errors import ImageError

MAX_IMAGE_BYTES = 32 * 1024 * 1024
MAX_IMAGE_PIXELS = 50_000_000
ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")

_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    struct.error,
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Picture:
    """One greyscale image: `luma` holds width * height bytes, row by row, 0 black to 255 white."""

    width: int
    height: int
    luma: bytes

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or len(self.luma) != self.width * self.height:
            raise ValueError(f"{len(self.luma)} bytes do not make a picture of {self.width} x {self.height}")

    @classmethod
    def of_image(cls, image: Image.Image) -> "Picture":
        """The luminance of a Pillow image, transparency laid on white."""
        grey = _luminance(image)
        return cls(grey.width, grey.height, grey.tobytes())

    def to_image(self) -> Image.Image:
        """The same picture as a Pillow image of mode ``L``."""
        return Image.frombytes("L", (self.width, self.height), self.luma)


def load_picture(source: Path | bytes, *, name: str = "") -> Picture:
    """Load a picture from a file or from bytes, within the limits.

    `name` is what messages call it (default: the path). Raises ImageError: ``file-unreadable``, ``image-too-large``
    (over 32 MiB or 50 megapixels), ``image-unreadable``.
    """
    called = name or (str(source) if isinstance(source, Path) else "the picture")
    data = _bounded_bytes(source, called)
    try:
        with Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS) as image:
            if image.width * image.height > MAX_IMAGE_PIXELS:
                raise _too_many_pixels(called, f"{image.width} x {image.height}")
            return Picture.of_image(image)
    except _BOMB as error:
        raise _too_many_pixels(called, "more") from error
    except _BROKEN as error:
        raise ImageError(
            "image-unreadable",
            f"{called} is not a picture that can be read ({_first_line(error)}); "
            f"accepted are {', '.join(ACCEPTED_FORMATS)}: take the picture again or save it anew",
        ) from error


def _bounded_bytes(source: Path | bytes, called: str) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_IMAGE_BYTES + 1)
        except OSError as error:
            raise ImageError(
                "file-unreadable", f"{called} cannot be opened: {error.strerror}; check the name"
            ) from error
    if len(data) > MAX_IMAGE_BYTES:
        raise ImageError(
            "image-too-large",
            f"{called} has more than {MAX_IMAGE_BYTES // 1024 // 1024} MiB; take a smaller picture",
        )
    return data


def _too_many_pixels(called: str, size: str) -> ImageError:
    return ImageError(
        "image-too-large",
        f"{called} has {size} pixels, over the limit of {MAX_IMAGE_PIXELS // 1_000_000} megapixels; "
        "take a smaller picture or cut out the label",
    )


def _luminance(image: Image.Image) -> Image.Image:
    if image.mode == "L":
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        # Deep greyscale: Pillow's own conversion clips at 255 and turns a 16-bit scan white.
        deep = image.convert("F")
        extrema = deep.getextrema()
        low, high = float(extrema[0]), float(extrema[1])  # type: ignore[arg-type]
        scale = 255.0 / (high - low) if high > low else 1.0
        return deep.point(lambda value: value * scale - low * scale).convert("L")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        ground = Image.new("RGBA", coloured.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, coloured).convert("L")
    return image.convert("L")


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    text = lines[0] if lines else type(error).__name__
    return text if "BytesIO" not in text else "format not recognised"
