"""Pictures to bytes: the one decoder of the bench and of the node.

    from scanner.decode import decode_picture, load_picture
    for code in decode_picture(load_picture(Path("label.png"))):
        code.data, code.symbology          # b"0100399999001014...", "]d2"

Works with zxing-cpp and Pillow alone; zbar is a second opinion on retail codes where it is installed.
"""

from scanner.decode.consensus import Consensus, settle_still
from scanner.decode.picture import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, Picture, load_picture
from scanner.decode.port import GS1_CARRIERS, Decoded, Decoder
from scanner.decode.rescue import DEFAULT_BUDGET_S, Rescue
from scanner.decode.zbar import ZbarDecoder
from scanner.decode.zxing import ZxingDecoder

__all__ = [
    "GS1_CARRIERS",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "Consensus",
    "Decoded",
    "Decoder",
    "Picture",
    "decode_frame",
    "decode_picture",
    "load_picture",
    "settle_still",
]

_RETAIL = frozenset({"]E0", "]E4", "]I0", "]I1"})


def decode_frame(picture: Picture) -> list[Decoded]:
    """The codes of one frame of a moving picture: one quick look, since the next frame is the second one."""
    return ZxingDecoder().decode(picture)


def decode_picture(picture: Picture, *, rescue_s: float = DEFAULT_BUDGET_S) -> list[Decoded]:
    """The codes of a still picture, with a second look of at most about `rescue_s` seconds where it is needed.

    The second look follows when nothing was read, and, for matrix codes alone, when only a retail code (EAN, UPC,
    ITF) was: packs carry one beside the Data Matrix that names the package. Codes that carry element strings come
    first. Bad pictures have failed before (`load_picture`); content never raises.
    """
    codes = ZxingDecoder().decode(picture)
    if any(code.symbology in _RETAIL for code in codes):
        codes = settle_still(codes, ZbarDecoder().decode(picture))
    if rescue_s > 0:
        if not codes:
            codes = Rescue(rescue_s).decode(picture)
        elif all(code.symbology in _RETAIL for code in codes):
            codes = codes + Rescue(rescue_s, matrix_only=True).decode(picture)
    return sorted(codes, key=lambda code: (not code.carries_ais, code.position[0][1], code.position[0][0]))
