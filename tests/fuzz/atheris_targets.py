"""The same parsers under atheris, which follows the code's coverage; run by hand (docs/testing/fuzzing.md).

In an environment of its own that has `atheris` and `cryptography`, from the root of the checkout::

    python -m tests.fuzz.atheris_targets --list
    python -m tests.fuzz.atheris_targets entry CORPUS -max_total_time=120

The first word names a target of `tests.fuzz.targets`; the rest is handed on to libFuzzer. Good samples are written
to the first corpus folder, which is made. A crash is a broken promise: `Broken` says which.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found, unused-ignore]

with atheris.instrument_imports(include=["ledger"]):
    from tests.fuzz.targets import Broken, targets


def main() -> None:
    """Fuzz one target until libFuzzer's limits end it."""
    if len(sys.argv) < 2 or sys.argv[1] == "--list":
        sys.stdout.write("\n".join(targets()) + "\n")
        return
    target = targets()[sys.argv.pop(1)]
    corpus = next((Path(word) for word in sys.argv[1:] if not word.startswith("-")), None)
    if corpus is not None:
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(target.seeds):
            (corpus / f"seed-{number}").write_bytes(seed)

    def one_input(data: bytes) -> None:
        target.run(data)

    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


__all__ = ["Broken", "main"]

if __name__ == "__main__":
    main()
