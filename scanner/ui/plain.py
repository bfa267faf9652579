"""The plain screen: a terminal of 80 columns, with or without colours, read aloud in order.

    ✔ OK                                                     (green, where there are colours)
      Continue.
      product      Sonnenal 20 mg, 90 tablets (GTIN 00399999001014)
      ...

Each verdict is a shape, a word and a colour, and the next step stands right below it. Colours go by NO_COLOR and by
whether anybody watches; a terminal that cannot show the shapes gets ASCII. Nothing that a label or a node says can
move the cursor or forge a line.
"""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.custody.verdict import Word
from scanner.lookup.port import Answer, Contents, ProofKind, Record
from scanner.ui.words import FACES, counted, reason_words

_NAMES = 11


def console() -> Console:
    """Standard output as it is now."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=False)


def say(text: str) -> None:
    """One line for people. Not wrapped: it may hold something to copy."""
    console().print(Text(clean(text)), soft_wrap=True)


def complain(text: str) -> None:
    """One line of trouble, on standard error: it belongs to no answer."""
    sys.stderr.write(f"packproof-scan: {clean(text)}\n")


def clean(text: str) -> str:
    """`text` as one line in which nothing moves the cursor."""
    return "".join(char if char.isprintable() else "�" for char in text)


def show_answer(answer: Answer, name: str, screen: Console | None = None) -> None:
    """An answered scan of what is called `name` (a file, a place in line)."""
    out = screen or console()
    out.print(headline(answer.word, name, out, proven=answer.is_proven))
    out.print(Text(clean(answer.next_step)), style="bold", justify="left")
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(width=_NAMES, style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for title, value in facts(answer):
        rows.add_row(title, Text(clean(value)))
    out.print(rows)
    out.print()


def headline(word: Word, name: str, out: Console, *, proven: bool = True) -> Text:
    """The verdict as shape, word and colour, and what it is about. An OK that nothing proves looks another way."""
    face = FACES[word]
    if word is Word.OK and not proven:
        shape = "\u2713" if _can_show("\u2713", out) else "[ok?]"
        line = Text(f" {shape} {word.value}, not proven ", style="bold yellow")
        return line.append(f"  {clean(name)}", style="not bold default")
    shape = face.shape if _can_show(face.shape, out) else f"[{face.ascii}]"
    line = Text(f" {shape} {word.value} ", style=f"bold reverse {face.colour}")
    return line.append(f"  {clean(name)}", style="not bold not reverse default")


def facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """What stands below a verdict, line by line: a title and what it says."""
    yield "because", reason_words(answer.reason)
    if answer.others:
        yield "also", "; ".join(map(reason_words, answer.others))
    yield from _what(answer)
    if answer.contents is not None:
        yield "contents", _contents(answer.contents)
    if answer.record is not None:
        yield "custody", _custody(answer.record)
        yield "licence", _licence(answer.licensed)
    yield "proof", _proof(answer)
    yield "knowledge", _knowledge(answer)
    yield "check", answer.id


def _proof(answer: Answer) -> str:
    if answer.contents and answer.proof.kind is ProofKind.NONE:
        # A maker vouches for packages: who wants one of its proofs has to open the case.
        return "no proof: a container has none, each package in it has its own"
    return answer.proof.text


def _what(answer: Answer) -> Iterator[tuple[str, str]]:
    label, product, record = answer.label, answer.product, answer.record
    if product is not None:
        texts = (" ".join((product.name, product.strength)).strip(), product.dosage_form, product.net_content)
        yield "product", ", ".join(text for text in texts if text) or "not described"
        if product.manufacturer:
            yield "made by", product.manufacturer
    if label.gtin is not None:
        yield "GTIN", label.gtin
    if label.serial is not None:
        yield "serial", label.serial
    if label.sscc is not None:
        yield "SSCC", label.sscc
    if label.lot is not None:
        yield "lot", _beside(label.lot, record.lot if record else None, "lot_differs", answer)
    if label.expiry is not None:
        yield "expiry", _beside(label.expiry, record.expiry if record else None, "expiry_differs", answer)
    if label.error is not None:
        yield "label", label.error
        yield "raw", _raw(answer.raw)
    for note in label.notes:
        yield "reader", note.replace("_", " ")


def _beside(on_label: str, in_record: str | None, reason: str, answer: Answer) -> str:
    if reason not in (answer.reason, *answer.others):
        return on_label
    # The record's value is told only to whom it concerns; the node decides that.
    return f"{on_label} differs from the record" + (f", which says {in_record}" if in_record else "")


def _raw(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\x1d", "<GS>") or "(nothing)"


def _contents(found: Contents) -> str:
    words = ", ".join(f"{count} {word}" for word, count in found.by_word.items()) or "none judged"
    text = f"{counted(found.packages, 'package')}: {words}"
    if found.inferred:
        text += f"; {found.inferred} inferred from the container's label, not seen"
    return text + (f"; {found.missing} missing" if found.missing else "")


def _custody(record: Record) -> str:
    since = f" since {record.since:%Y-%m-%d %H:%M} UTC" if record.since else ""
    before = f"; last custodian {record.last_custodian}" if record.last_custodian else ""
    if record.in_transit:
        text = f"under way{since}" + (f" from {record.last_custodian}" if record.last_custodian else "")
    elif record.yours:
        text = f"yours{since}{before}"
    else:
        text = f"with {record.last_custodian or 'somebody else'}{since}"
    if record.yours and not record.owned:
        text += "; not your property"
    return text + ("; inferred from its container" if record.inferred else "")


def _licence(licensed: bool | None) -> str:
    if licensed is None:
        return "not known"
    return "whom it came from was licensed then" if licensed else "NO LICENCE known of whom it came from"


def _knowledge(answer: Answer) -> str:
    how = "offline" if answer.offline else "online"
    age = "as of now" if answer.knowledge_age_s == 0 else f"{_span(answer.knowledge_age_s)} old"
    return f"{age}, {how}, {answer.at:%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: int) -> str:
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, noun)
    return counted(seconds, "second")


def _can_show(text: str, out: Console) -> bool:
    try:
        text.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
