"""Capture beside its yardsticks, on SQLite and PostgreSQL, in about a minute: ``make bench-quick``.

Ours is the whole way of a signed document through the node, without HTTP: read, validate, resolve the parties, verify
the signature, recompute the commitment, append, index, project, commit. The yardstick is the bare insert of the very
rows that it left (`benchmarks.rows`), with one signature verified or with one SHA-256 for each event and item. They
take turns, round by round, and medians are compared; the bars are those of the project's design.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from app.config import Settings
from app.migrate import upgrade
from app.partners import service as partners
from app.wiring import Services, build
from benchmarks.report import Answer, rate, seconds, told
from benchmarks.rows import Rows, Watched, insert, twin
from ledger.epcis.read import read
from ledger.signing.client import KeyFolder, SignedCapture, make_device, make_root, sign_capture
from ledger.signing.envelope import Envelope, pae
from ledger.signing.keys import load_verifier
from ledger.store.sql.engine import Database, open_engine
from tests.support.postgres import running_postgres

ROOT = Path(__file__).resolve().parent.parent
ORIGIN = "packproof.example/benchmark"
COMPANY = "0399999"
MAKER = "0399999000017"
ROUNDS = 3
SMALL_A_ROUND = 40
MANY_EVENTS = 1_000
MANY_ITEMS = 10_000


class Line:
    """A packaging line of the maker: commissions packages in its own key, each serial once, time going on."""

    def __init__(self, keys: KeyFolder) -> None:
        self._keys = keys
        self._serial = 0
        self._time = datetime.now(UTC) - timedelta(days=30)

    def capture(self, events: int, items: int) -> SignedCapture:
        """A signed EPCIS 2.0 document of so many commissioning events of so many packages each."""
        document = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": self._time.isoformat(),
            "epcisBody": {"eventList": [self._event(items) for _ in range(events)]},
        }
        raw = json.dumps(document).encode()
        signed = sign_capture(
            self._keys,
            raw,
            "application/json",
            [event.fields() for event in read(raw, "application/json").events],
        )
        self._keys.acknowledged(signed, {})
        return signed

    def _event(self, items: int) -> dict[str, object]:
        self._time += timedelta(seconds=1)
        first, self._serial = self._serial, self._serial + items
        place = {"id": f"urn:epc:id:sgln:{COMPANY}.00001.0"}
        return {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{uuid4()}",
            "eventTime": self._time.isoformat(timespec="milliseconds"),
            "eventTimeZoneOffset": "+00:00",
            "epcList": [f"urn:epc:id:sgtin:{COMPANY}.012345.{n:08d}" for n in range(first, first + items)],
            "action": "ADD",
            "bizStep": "commissioning",
            "disposition": "active",
            "readPoint": place,
            "bizLocation": place,
            "ilmd": {"cbvmda:lotNumber": "A1", "cbvmda:itemExpirationDate": "2029-12-31"},
        }


class Bench:
    """A node on one database, and beside it a database of the same schema that takes the rows bare."""

    def __init__(self, name: str, ours: Database, beside: Database, folder: Path) -> None:
        self.name = name
        settings = Settings(
            environment="test",
            database_url=ours.url.render_as_string(hide_password=False),
            data_dir=folder / "node",
            ledger_origin=ORIGIN,
        )
        upgrade(ours)
        self._node = build(settings)
        keys = _enrolled(self._node, folder)
        self._line = Line(keys)
        self._public_key = load_verifier(keys.signer.spki)
        self._watched = Watched(ours)
        self._beside = twin(beside, self._watched.new_rows())

    def close(self) -> None:
        self._node.database.dispose()
        self._beside.dispose()

    def small(self) -> Answer:
        """One event of one package in each document; the yardstick verifies a signature and commits the rows."""

        def beside(captures: list[SignedCapture], rows: Rows) -> Callable[[], None]:
            envelopes = [Envelope.parse(capture.envelope) for capture in captures]
            signed = [(each.signatures[0].sig, pae(each.statement)) for each in envelopes]
            shares = _shares(rows, len(captures))

            def act() -> None:
                for (signature, data), share in zip(signed, shares, strict=True):
                    self._public_key.verify(signature, data)
                    insert(self._beside, share)

            return act

        ours, bare = self._rounds(SMALL_A_ROUND, 1, 1, beside)
        return self._answer("1 signed event of 1 pack a commit", "captures/s", SMALL_A_ROUND, ours, bare, 0.6)

    def many_events(self) -> Answer:
        """One document of 1,000 events; the yardstick inserts the rows and hashes as many pieces of it."""
        ours, bare = self._rounds(1, MANY_EVENTS, 1, partial(self._hash_and_insert, MANY_EVENTS))
        question = f"{MANY_EVENTS:,} events of 1 pack in a document"
        return self._answer(question, "events/s", MANY_EVENTS, ours, bare, 0.4)

    def many_items(self) -> Answer:
        """One event of 10,000 packages; the yardstick inserts the rows and hashes as many pieces of it."""
        ours, bare = self._rounds(1, 1, MANY_ITEMS, partial(self._hash_and_insert, MANY_ITEMS))
        return self._answer(f"1 event of {MANY_ITEMS:,} packs", "packs/s", MANY_ITEMS, ours, bare, 0.6)

    def _hash_and_insert(self, pieces: int, captures: list[SignedCapture], rows: Rows) -> Callable[[], None]:
        [capture] = captures
        size = len(capture.document) // pieces

        def act() -> None:
            for start in range(0, len(capture.document), size):
                sha256(capture.document[start : start + size]).digest()
            insert(self._beside, rows)

        return act

    def _rounds(
        self,
        documents: int,
        events: int,
        items: int,
        beside: Callable[[list[SignedCapture], Rows], Callable[[], None]],
    ) -> tuple[list[float], list[float]]:
        """Seconds of each round, ours and the yardstick's, after one round that only warms up."""
        ours, bare = [], []
        for _ in range(ROUNDS + 1):
            captures = [self._line.capture(events, items) for _ in range(documents)]
            ours.append(seconds(partial(self._take, captures, events)))
            rows = self._watched.new_rows()
            bare.append(seconds(beside(captures, rows)))
        return ours[1:], bare[1:]

    def _take(self, captures: list[SignedCapture], events: int) -> None:
        for capture in captures:
            receipt = self._node.capture.take_signed(
                capture.envelope, capture.seed, capture.document, capture.content_type
            )
            # A finding or a duplicate would be another path than the one that is measured.
            if receipt.known or receipt.findings or len(receipt.events) != events:
                raise SystemExit(f"the node did not simply take it: {receipt.as_json()}")

    def _answer(
        self, question: str, unit: str, amount: int, ours: list[float], bare: list[float], bar: float
    ) -> Answer:
        return Answer(f"{self.name}: {question}", rate(amount, ours), unit, rate(amount, bare), bar)


def _enrolled(node: Services, folder: Path) -> KeyFolder:
    """A key of the maker, made outside the node and registered there as any device is."""
    node.node.initialise()
    with node.database.writing() as connection:
        partners.register(connection, node.clock, MAKER, "Maker", "maker")
    root = make_root(folder / "root", MAKER, ORIGIN)
    device = make_device(folder / "line", folder / "root", "Line 1")
    for registration in (root, device):
        node.keys.register(registration.envelope, registration.document, registration.seed)
    return KeyFolder.open(folder / "line")


def _shares(rows: Rows, captures: int) -> list[Rows]:
    """The rows of so many like captures, split: each left as many in every table."""
    return [
        [
            (table, values[n * len(values) // captures : (n + 1) * len(values) // captures])
            for table, values in rows
        ]
        for n in range(captures)
    ]


@contextmanager
def _benches(folder: Path) -> Iterator[Iterator[Bench]]:
    """A bench on each database that this machine has, one after the other."""
    with ExitStack() as stack:

        def made() -> Iterator[Bench]:
            urls = [f"sqlite:///{folder / name}.db" for name in ("ours", "beside")]
            yield Bench("SQLite", *map(open_engine, urls), folder / "sqlite")
            try:
                server = stack.enter_context(running_postgres())
            except OSError as error:
                sys.stderr.write(f"PostgreSQL is left out: {error}\n")
                return
            urls = [server.create(), server.create()]
            yield Bench("PostgreSQL", *map(open_engine, urls), folder / "postgresql")

        yield made()


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print a list of {question, ours, unit, ...}")
    arguments = parser.parse_args()
    # In the project's folder: where /tmp lies in memory a commit would cost nothing.
    (ROOT / "var").mkdir(exist_ok=True)
    answers = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name,
        _benches(Path(name)) as benches,
    ):
        for bench in benches:
            answers += [bench.small(), bench.many_events(), bench.many_items()]
            bench.close()
    print(told(answers, arguments.json))


if __name__ == "__main__":
    main()
