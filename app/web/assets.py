"""Static files are addressed by their content, so that a browser may keep them for a year and never shows an old one.

``url_for("static", filename="app.css")`` gives ``/static/app.css?v=1c9a...``.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask


def init(app: Flask) -> None:
    """Add the content's digest to every static address of `app`."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def _version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values and "v" not in values:
            path = folder / values["filename"]
            if path.is_file():
                values["v"] = _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, _modified_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
