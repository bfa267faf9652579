"""What an authority is handed: files, the manifest that names each with its digest, and the ledger's entry about it.

    answer.zip
      manifest.json      what was asked, what was found, SHA-256 of every file
      events.csv  events.pdf  events.json (EPCIS 2.0)  evidence.json and evidence.html (for one package)

The manifest's SHA-256 is in the ledger (docs/formats/statement.md, audit record `disclosed`), so that nobody can say
later that another answer was given, or none.
"""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MOST_BYTES = 60_000_000  # of one answer's files together
# A zip's own times would make two equal answers differ.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out. `digest`: SHA-256 of the manifest."""

    manifest: bytes
    archive: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.manifest).digest()


def bundle(about: Mapping[str, Any], files: Mapping[str, bytes], now: datetime) -> Answer:
    """Put files under a manifest and both into one archive."""
    listed = [
        {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
    ]
    content = {**about, "made_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "files": listed}
    manifest = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("manifest.json", manifest), *sorted(files.items())):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return Answer(manifest, out.getvalue())


def fits(manifest: bytes, archive: bytes) -> str:
    """What is wrong with an archive that should be of this manifest; '' where nothing is."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
        if files.pop("manifest.json", None) != manifest:
            return "another manifest is in it"
        listed = {each["name"]: each["sha256"] for each in json.loads(manifest)["files"]}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        LookupError,
        TypeError,
        NotImplementedError,  # compressed in a way that zipfile does not know
    ) as error:
        return f"it cannot be read: {error}"
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return "" if found == listed else "other files are in it"
