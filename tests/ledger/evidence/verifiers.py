"""Both verifiers on one file, in Python and in a page that is open in a browser: verdict, step, entry and field."""

import base64
from collections import Counter
from typing import TYPE_CHECKING, Any

from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, verify

if TYPE_CHECKING:
    from playwright.sync_api import Page

_JUDGE = """async ([cases, policy, authors]) => {
    const bytes = (text) => (text === null ? null : packproof.fromBase64(text));
    const found = [];
    for (const each of cases) {
        const { report, ...rest } = await packproof.judge(bytes(each), bytes(policy), bytes(authors));
        found.push({ ...rest, told: report ?? null });
    }
    return found;
}"""


def encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def in_browser(opened: "Page", cases: list[bytes], *policy: bytes | None) -> list[dict[str, Any]]:
    mine, authors = (*policy, None, None)[:2]
    found: list[dict[str, Any]] = opened.evaluate(
        _JUDGE, [[encoded(case) for case in cases], encoded(mine), encoded(authors)]
    )
    return found


def in_python(case: bytes, *policy: bytes | None) -> tuple[object, ...]:
    mine, authors = (*policy, None, None)[:2]
    try:
        verify(case, Policy.parse(mine, authors) if mine or authors else None)
    except EvidenceRefused as refusal:
        return told(
            refusal.step, refusal.code, None if refusal.index is None else str(refusal.index), refusal.path
        )
    return ("accepted",)


def told(step: int, code: str, entry: str | None, path: str | None) -> tuple[object, ...]:
    # In step 1 a browser's own JSON reader words things otherwise; the verdict and the step are what count there.
    return ("refused", int(step)) if step == 1 else ("refused", int(step), code, entry, path)


def from_browser(found: dict[str, Any]) -> tuple[object, ...]:
    if found["verdict"] != "refused":
        return (found["verdict"],)
    return told(found["step"], found["code"], found["entry"], found["path"])


def compare(opened: "Page", cases: list[bytes], *policy: bytes | None) -> Counter[object]:
    """Both verifiers on all cases; how many were refused in each step, and accepted (0)."""
    found = in_browser(opened, cases, *policy)
    for case, seen in zip(cases, found, strict=True):
        assert from_browser(seen) == in_python(case, *policy), (seen, case[:300])
    return Counter(seen.get("step", 0) for seen in found)
