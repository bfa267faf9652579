"""Characters that show nothing and change what is read around them are shown by their number, on every page.

A name or a text from outside may hold U+202E, which turns what follows about: ``invoice[U+202E]gpj.exe`` would read
``invoiceexe.jpg``. What is kept stays as it was sent (the record is never edited); each page shows it as it is::

    shown("pay\\u202eload")        "pay[U+202E]load"

Separators of barcodes (ASCII 28 to 31, EOT) pass: a scan goes back with the form that it came from.
"""

import re
from typing import Any

from flask import Flask
from markupsafe import Markup

# Controls but for tab, line ends and barcodes' separators; marks, overrides and isolates of direction (Unicode UAX 9);
# what has no width or shows nothing, line and paragraph separators, tags, noncharacters and lone surrogates. A joiner
# is part of a word in many scripts; beside ASCII it only makes two names that look alike. A selector of a variation is
# one where it follows something else than ASCII.
_UNSEEN = re.compile(
    "[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1b\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    "|(?:(?<=[ -~])|^)[\u180b-\u180d\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]|[\u200c\u200d](?=[ -~]|$)"
)


def shown(text: str) -> str:
    """`text` with each such character as ``[U+202E]``; markup stays markup."""
    if _UNSEEN.search(text) is None:
        return text
    made = _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
    return Markup(made) if isinstance(text, Markup) else made  # noqa: S704 - brackets, letters and digits alone


def init(app: Flask) -> None:
    """Let every value that a template of `app` writes pass through `shown`."""

    def finalize(value: Any) -> Any:
        return shown(value) if isinstance(value, str) else value

    app.jinja_env.finalize = finalize
