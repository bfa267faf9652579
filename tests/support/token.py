"""A hardware token for tests: SoftHSM2, the real library over a folder of its own, one a session."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S
from tests.support.shared import missing

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)


@dataclass(frozen=True)
class Token:
    """An initialised token. `uri` names a key in it; its PIN lies in a file."""

    module: Path
    pin: str
    pin_file: Path

    def uri(self, label: str, pin: str | None = None) -> str:
        """The RFC 7512 URI of the key with this label."""
        source = pin or f"file:{self.pin_file}"
        return f"pkcs11:token=packproof;object={label}?module-path={self.module}&pin-source={source}"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A token of this session. The library reads its settings once a process, so there is one."""
    program = shutil.which("softhsm2-util")
    module = next((path for path in MODULES if path.exists()), None)
    if program is None or module is None:
        missing("SoftHSM2 is not installed (package softhsm2)")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    pin, before = "48151623", os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    subprocess.run(
        [program, "--init-token", "--free", "--label", "packproof", "--pin", pin, "--so-pin", "31415926"],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    (folder / "pin").write_text(pin + "\n")
    yield Token(module, pin, folder / "pin")
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before
