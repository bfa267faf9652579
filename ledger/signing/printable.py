"""Which characters may stand in a label or a reason: a fixed list, the same in every language and for ever.

'Printable' in a programming language follows its Unicode version: a letter that is new today would be refused by an old
verifier and accepted by a new one. So what is refused is named here, by code point, and all else may stand, assigned or
not: control characters, what turns or breaks a line, what nobody sees, halves of surrogate pairs. The page's
``keys.js`` has the same list, docs/formats/statement.md too.
"""

import re
from typing import Final

REFUSED: Final = (
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),
    (0x061C, 0x061C),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xD800, 0xDFFF),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
)
_ANY: Final = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in REFUSED) + "]")


def is_printable(text: str) -> bool:
    """Whether `text` has none of the characters in `REFUSED`."""
    return _ANY.search(text) is None
