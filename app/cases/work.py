"""What anybody may do with a case at any desk, from its page or over REST: take it, and write into its thread.

Both may be asked for again, because an answer was lost or a button was pressed twice: whoever has taken a case already
has it, and a note that is the thread's last line already is not written a second time.
"""

from app.cases import service as cases
from app.cases.rules import Desk, NoteKind
from app.errors import Invalid
from app.shared.actor import Actor
from app.shared.audit import record
from app.shared.clock import Clock
from ledger.store.sql.engine import Database


def take(
    database: Database, clock: Clock, actor: Actor, desk: Desk, case_id: str, party_gln: str | None
) -> None:
    """Make the actor the owner of a case of this party's. Raises `NotFound`, `Conflict` where it is closed."""
    with database.writing() as connection:
        found = cases.case(connection, desk, case_id, party_gln)
        if found.is_open and found.owner_id == actor.id:
            return
        cases.take(connection, clock, case_id, actor)
        record(connection, clock, actor, f"{desk.word}.take", subject=case_id, whose=found.party_gln)


def note(
    database: Database,
    clock: Clock,
    actor: Actor,
    desk: Desk,
    case_id: str,
    party_gln: str | None,
    text: str,
    kind: NoteKind = NoteKind.NOTE,
) -> None:
    """Add a line to the thread of a case of this party's. Raises `NotFound`, and `Invalid` for nothing or too much."""
    text = checked(text)
    with database.writing() as connection:
        found = cases.case(connection, desk, case_id, party_gln)
        last = found.thread[-1] if found.thread else None
        if last is not None and (last.who, last.kind, last.text) == (actor.name, kind, text):
            return
        cases.say(connection, clock, case_id, actor.name, text, kind)
        record(connection, clock, actor, f"{desk.word}.note", subject=case_id, whose=found.party_gln)


def checked(text: str) -> str:
    """What somebody wrote, as a thread keeps it: 1 to 2,000 characters. Raises `Invalid`."""
    # Browsers send a line's end as two characters.
    text = text.replace("\r\n", "\n").strip()
    if not 1 <= len(text) <= cases.LONGEST_NOTE:
        raise Invalid("note.length", "Write something", f"A note has 1 to {cases.LONGEST_NOTE} characters.")
    return text
