"""Whether those who signed the entries could sign there: the rules that the committer asks, asked again of the log.

The operator holds the program. He can leave out a check and record what a revoked key signed, or register a root of his
own for a party that has one, and everything stands afterwards as it was appended and signed. So every entry is taken in
the order of its index, keys as the rules of keys allow them (`ledger.signing.signers`), and who signed where it did not
count is named: each record of a key, and of acts the first of an author with their number.

One pass over all entries, a page at a time; the keys are in memory, the entries are not. It trusts that signatures fit
their bytes, which the ledger's own audit verifies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from app.shared.auditing import AuditContext
from ledger.errors import VerificationError
from ledger.log.entry import Entry, Kind
from ledger.signing.keyrecord import KeyRecord
from ledger.signing.keyring import KeyringError
from ledger.signing.signers import SignerAudit, SignerCode
from ledger.store.findings import MAX_FINDINGS
from ledger.store.sql import tables

_PAGE_ROWS = 1000
_EXPECTED = {
    SignerCode.KEY: "a record that the rules of keys allow there",
    SignerCode.SIGNER: "signatures by keys that count there",
}
_RESTS = {
    SignerCode.KEY: "every signature by this key from there on",
    SignerCode.SIGNER: "who vouched for it; evidence that shows it is refused",
}


@dataclass(slots=True)
class _Fault:
    """What is wrong with the signers of the entry `index`, and how many more there are of the kind."""

    index: int
    told: str
    more: int = 0


@dataclass(slots=True)
class _Audit:
    """`doubted`: keys of which a record cannot be read from its row, which is named already. What cannot be judged
    without it is not named beside it, once for every act of the key."""

    context: AuditContext
    records: Mapping[int, KeyRecord | None]
    signers: SignerAudit = field(default_factory=SignerAudit)
    doubted: set[bytes] = field(default_factory=set)
    faults: dict[tuple[SignerCode, bytes | int, str], _Fault] = field(default_factory=dict)

    def take(self, index: int, entry: Entry) -> None:
        signed = [each.key for each in entry.signatures]
        code = SignerCode.KEY if entry.kind is Kind.KEY else SignerCode.SIGNER
        try:
            if entry.kind is not Kind.KEY:
                self.signers.entry(index, entry.kind, signed)
            elif (record := self._record(index)) is not None:
                self.signers.key(index, record, signed)
            else:
                self.doubted.update(signed)
        except KeyringError as error:
            if self.doubted.isdisjoint(signed):
                # Keys are few: each of their records is named. Of acts the first of an author is.
                self._fault(code, signed[0] if code is SignerCode.SIGNER else index, error, index)
            elif entry.kind is Kind.KEY:
                self.doubted.update(signed)

    def _record(self, index: int) -> KeyRecord | None:
        if index not in self.records:
            self.context.add(
                "I9", "party_key", f"entry {index}", "idx", "the key record of its entry", "no row"
            )
        return self.records.get(index)

    def _fault(self, code: SignerCode, about: bytes | int, error: KeyringError, index: int) -> None:
        found = self.faults.get((code, about, error.code))
        if found is not None:
            found.more += 1
        elif len(self.faults) < MAX_FINDINGS:
            self.faults[code, about, error.code] = _Fault(index, error.message)
        else:
            self.context.report.suppressed += 1

    def tell(self) -> None:
        """Report what was found, in the order of the log."""
        for (code, _, _), fault in self.faults.items():
            more = f", and so it is with {fault.more} more entries of that author" if fault.more else ""
            self.context.add(
                code.value,
                "entry",
                str(fault.index),
                "body",
                _EXPECTED[code],
                fault.told + more,
                _RESTS[code],
            )


def check(context: AuditContext, records: Mapping[int, KeyRecord | None]) -> None:
    """Every entry's signers. `records`: what each key entry committed to, by index; None where its row does not say."""
    audit = _Audit(context, records)
    for index, entry in _entries(context):
        audit.take(index, entry)
    audit.tell()


def _entries(context: AuditContext) -> Iterator[tuple[int, Entry]]:
    """Every entry in its order; what is none is passed over, for the ledger's own audit has named it."""
    stored = tables.entry
    query = select(stored.c.idx, stored.c.body).where(stored.c.ledger == context.reader.ledger_id)
    query = query.order_by(stored.c.idx).limit(_PAGE_ROWS)
    total, done, after = context.counts["entries"], 0, -1
    while rows := context.connection.execute(query.where(stored.c.idx > after)).all():
        for index, body in rows:
            try:
                yield index, Entry.decode(bytes(body))
            except VerificationError:
                continue
        done, after = done + len(rows), rows[-1].idx
        context.tell("signers", done, total)
