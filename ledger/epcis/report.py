"""Collecting what is wrong with a document and what was tolerated in it, while it is read on."""

from collections.abc import Callable

from ledger.epcis.document import Note, NoteCode
from ledger.epcis.errors import DocumentError, Problem, ProblemCode, ValueProblem


class Report:
    """Problems and notes of one document. Gives up (raises `DocumentError`) when there are too many problems."""

    def __init__(self, most_problems: int) -> None:
        self._most = most_problems
        self._problems: list[Problem] = []
        self._notes: dict[NoteCode, tuple[str, str, int]] = {}

    def problem(self, code: ProblemCode, message: str, where: str = "") -> None:
        """Record one thing wrong."""
        self._problems.append(Problem(code, message, where))
        if len(self._problems) >= self._most:
            self.close()

    def caught(self, error: ValueProblem, where: str) -> None:
        """Record a value's problem, at `where` unless it knows better."""
        self.problem(error.code, error.message, error.where or where)

    def note(self, code: NoteCode, message: str, where: str | Callable[[], str]) -> None:
        """Record something tolerated; the first place and message stand for all of its kind."""
        known = self._notes.get(code)
        if known is None:
            self._notes[code] = (message, where if isinstance(where, str) else where(), 1)
        else:
            self._notes[code] = (known[0], known[1], known[2] + 1)

    def count(self, events: int) -> None:
        """Record how many events a document has: to have none is allowed, and seldom meant."""
        if not events:
            self.note(NoteCode.NO_EVENT, "no event in it", "")

    def close(self) -> tuple[Note, ...]:
        """The notes, in the order of their codes. Raises `DocumentError` with all problems, if there are any."""
        if self._problems:
            first = self._problems[0]
            raise DocumentError(first.code, first.message, first.where, self._problems)
        order = list(NoteCode)
        return tuple(Note(code, *self._notes[code]) for code in sorted(self._notes, key=order.index))
