"""The evidence as one HTML page: the file, and a verifier that runs in the reader's browser without any network.

The scripts in `page/` are the nine steps once more, by WebCrypto alone; they and the verifier in Python must agree,
which `tests/ledger/evidence/test_page.py` holds in a real browser. The page's own policy lets it run this one script,
named by its hash, use this one style, and load nothing::

    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-...'; ...">
    <script type="text/plain" id="evidence">base64 of the file</script>
    <script>the verifier</script>
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from ledger.log.encoding import to_base64

SCRIPTS: Final = (
    "bytes", "crypto", "log", "entry", "fields", "keys", "subject", "policy", "verify", "words", "report", "page",
)  # fmt: skip
"""The scripts in the order in which they stand in the page."""


def page(evidence: bytes) -> bytes:
    """The page that carries `evidence`, UTF-8. Whether it holds is what the page finds out: it is taken as it is."""
    return _template().replace("{{evidence}}", to_base64(evidence)).encode()


@cache
def _template() -> str:
    style, code = _read("page.css"), script()
    filled = (
        _read("page.html").replace("{{style-hash}}", _hash(style)).replace("{{script-hash}}", _hash(code))
    )
    return filled.replace("{{style}}", style).replace("{{script}}", code)


@cache
def script() -> str:
    """The verifier's scripts as one, in a scope of its own."""
    parts = "\n".join(_read(f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n{{\n{parts}}}\n'


def _read(name: str) -> str:
    return files("ledger.evidence").joinpath("page", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{to_base64(sha256(text.encode()).digest())}"
