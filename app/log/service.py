"""What is taken out of the log for strangers: where an event stands, its proof, its bytes, and whom to trust for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.devices.models import party_key
from app.errors import Invalid, NotFound
from app.events.models import document, endorsement, event
from app.node.service import Node, Provable
from app.partners.models import party
from ledger.errors import VerificationError
from ledger.log.logproof import LogProof
from ledger.log.policy import LogPolicy, PolicyLog
from ledger.log.proof import inclusion_proof
from ledger.log.tree import MAX_SIZE
from ledger.signing.keyrecord import Role
from ledger.store.port import NoSuchEntry
from ledger.store.sql.engine import Database

LONG_TERM = "long-term"
"""In a policy, the node's ML-DSA-44 key where it is demanded."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry by its index, and in words what it holds of the event that was asked for."""

    index: int
    what: str


@dataclass(frozen=True, slots=True)
class Log:
    """The use cases. `database` and `node` are the node's own."""

    database: Database
    node: Node

    def places(self, named: str) -> list[Place]:
        """Where what is named stands: an index stands for itself, an event's id for all entries that speak of it.

        The event's own entry comes first. Raises `NotFound`.
        """
        if named.isascii() and named.isdigit():
            if len(named) > 19 or int(named) > MAX_SIZE:
                raise _beyond(named)
            return [Place(int(named), "entry")]
        with self.database.reading() as connection:
            found = _places(connection, named)
        if not found:
            raise NotFound(
                "No such event", named, "Give the event's id as it was captured, or an entry's index."
            )
        return found

    def entry(self, index: int) -> bytes:
        """An entry's bytes. Raises `NotFound`."""
        try:
            with self.node.ledger.reading() as reader:
                return reader.entry(index)
        except NoSuchEntry:
            raise _beyond(str(index)) from None

    def proof(self, index: int, head: Provable) -> LogProof:
        """The proof that an entry is in the tree of `head`. Raises `NotFound`."""
        if index >= head.size:
            raise _beyond(str(index)) if head.refusal is None else _unsigned(index, head)
        with self.node.ledger.reading() as reader:
            return LogProof(index, tuple(inclusion_proof(reader, index, head.size)), head.note)

    def policy(self, url: str, witnesses: bytes | None, *, mldsa: bool = False) -> str:
        """This node as a C2SP tlog-policy: its log under the keys that sign now, and its own witnesses.

        Logs are alternatives in a policy: an ML-DSA-44 key among them would let a head count that the log's Ed25519
        key never signed. With `mldsa` it is demanded beside that one, as a witness in the quorum.
        """
        try:
            trusted = LogPolicy.parse(witnesses) if witnesses is not None else LogPolicy()
            logs = tuple(PolicyLog(key, url) for key in self.node.present_verifiers)
            policy = LogPolicy(logs, trusted.witnesses, trusted.groups, trusted.quorum)
            return (policy.demanding(LONG_TERM, self.node.mldsa_verifiers) if mldsa else policy).text()
        except VerificationError as error:
            raise Invalid("witness.policy", "The file of witnesses is no policy", error.message) from error

    def authors(self) -> Mapping[str, Sequence[str]]:
        """The root keys of each party by its GLN, as this node knows them: hex thumbprints."""
        query = (
            select(party.c.gln, party_key.c.thumbprint)
            .join_from(party_key, party, party.c.party_id == party_key.c.party_id)
            .where(party_key.c.role == Role.ROOT.value, party_key.c.action == "register")
            .order_by(party.c.gln, party_key.c.idx)
        )
        roots: dict[str, list[str]] = {}
        with self.database.reading() as connection:
            for gln, thumbprint in connection.execute(query):
                known = roots.setdefault(gln, [])
                if thumbprint.hex() not in known:
                    known.append(thumbprint.hex())
        return roots


def _places(connection: Connection, event_id: str) -> list[Place]:
    """The entries of the events with this id, of declarations that they were wrong, of signatures that came later."""
    told = select(event.c.idx, event.c.declared_at).where(event.c.event_id == event_id)
    over_it = select(endorsement.c.idx, document.c.signer).join(event, event.c.seq == endorsement.c.seq)
    over_it = over_it.join(document, document.c.idx == endorsement.c.idx)
    rows = [(row.declared_at > 0, int(row.idx)) for row in connection.execute(told)]
    found = [
        Place(index, "declaration that it was wrong" if declared else "event")
        for declared, index in sorted(rows)
    ]
    later = {
        int(row.idx): row.signer for row in connection.execute(over_it.where(event.c.event_id == event_id))
    }
    words = {False: "later signature over it", True: "adoption: its time was right"}
    return [*found, *(Place(index, words[later[index] is None]) for index in sorted(later))]


def _unsigned(index: int, head: Provable) -> NotFound:
    return NotFound("Nothing that was signed covers this entry", f"Entry {index}. {head.warning}")


def _beyond(index: str) -> NotFound:
    return NotFound("No such entry", f"{index[:30]} is beyond the ledger's end")
