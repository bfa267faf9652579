"""How long a scan waits for its verdict, another company for its verification, and a maker for the holders of a lot.

Eight clients ask a real gunicorn at once, each as soon as it has its last answer, about packages drawn at random from a
million. Every answer is looked at: one that is not what it must be ends the run. Beside each figure stands the bare
indexed look-up of the same packages in the same database, by eight threads through the same driver, in the same run::

    python -m benchmarks.verify                                      a million packages, both databases
    python -m benchmarks.verify --write                              the same, kept in docs/benchmarks/verify.md
    python -m benchmarks.verify --packages 20000 --database sqlite   in about a minute
"""

import argparse
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from sqlalchemy import select

from app.config import Settings
from app.custody.items import item_name
from app.custody.models import item
from app.labels.rules import element_string
from app.migrate import upgrade
from app.recalls import service as recalls
from app.shared.actor import Role, command_line
from app.wiring import Services, build
from benchmarks.bars import Bar, told
from benchmarks.ledger import with_run
from benchmarks.machine import ROOT, Stolen, machine
from benchmarks.stock import GTIN, Stock, epc, fill, pharmacy
from ledger.store.sql.engine import Database, open_engine
from tests.support.postgres import running_postgres

PAGE = ROOT / "docs" / "benchmarks" / "verify.md"
CLIENTS = 8
VERDICT_MS = 300
"""What a verdict may take, at the 95th percentile (the project's needs)."""
VRS_MS = 1_000
RECALL_S = 5
ASKER = pharmacy(0)
CONTEXT = "dscsaSaleableReturn"
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"

Ask = Callable[[http.client.HTTPConnection, random.Random], None]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much a run does. `asked`: by each client, of each question; `warm_up`: before that, not counted."""

    packages: int
    a_lot: int
    asked: int
    warm_up: int = 25


@dataclass(frozen=True, slots=True)
class Spent:
    """How long each question took, in milliseconds, the quickest first."""

    sorted_ms: Sequence[float]

    def at(self, share: float) -> float:
        """The time within which so many of a hundred were answered."""
        return self.sorted_ms[min(len(self.sorted_ms) - 1, int(len(self.sorted_ms) * share))]


class Served:
    """A node with a stock of packages, served by gunicorn; its clients ask for the first pharmacy."""

    def __init__(self, name: str, database: Database, folder: Path, amounts: Amounts, workers: int) -> None:
        self.name = name
        self.amounts = amounts
        self.stock = Stock(amounts.packages, amounts.a_lot)
        self._database = database
        self._workers = workers
        self._settings = Settings(
            environment="test",
            database_url=database.url.render_as_string(hide_password=False),
            data_dir=folder,
            ledger_origin="packproof.example/benchmark",
            verifications_per_minute=1_000_000,
        )
        upgrade(database)
        self.node: Services = build(self._settings)
        self.node.node.initialise()
        self.filled_s = fill(self.node, self.stock)
        self.node.node.checkpoint()
        if not database.is_sqlite:
            # What autovacuum does within a minute; a plan made on empty tables is no finding.
            with database.writing() as connection:
                connection.exec_driver_sql("ANALYZE")
        by = command_line("benchmark")
        made = self.node.tokens.create(by, "bench", Role.PARTNER_SYSTEM, party_gln=ASKER)
        self._bearer = {"Authorization": f"Bearer {made.secret}"}
        held = range(amounts.packages)
        # Packages that the first pharmacy has: every fiftieth case.
        self._held = [n for n in held if self.stock.pharmacy(n) == ASKER and self.stock.is_received(n)]

    # What is asked.

    def verdict(self, *, evidence: bool) -> Ask:
        """A scan of a package that the pharmacy has, by its whole label."""

        def ask(connection: http.client.HTTPConnection, chance: random.Random) -> None:
            number = chance.choice(self._held)
            label = element_string(
                (
                    ("01", GTIN),
                    ("17", "310531"),
                    ("21", self.stock.serial(number)),
                    ("10", self.stock.lot(number)),
                )
            )
            body = {"data": b64encode(label).decode(), "symbology": "]d2", "evidence": evidence}
            headers = {**self._bearer, "Content-Type": "application/json"}
            answer = _json(connection, "POST", "/verification/checks", json.dumps(body), headers)
            if answer["word"] != "OK" or bool(answer["evidence"]) is not evidence:
                raise SystemExit(f"the verdict is {answer['word']}: {answer['reason']}")

        return ask

    def verification(self, expected: str) -> Ask:
        """Another company's question; `expected`: verified, or the reason why not."""

        def ask(connection: http.client.HTTPConnection, chance: random.Random) -> None:
            number = chance.randrange(self.stock.packages)
            serial, lot = self.stock.serial(number), self.stock.lot(number)
            if expected == "No_match_GTIN_Serial":
                serial = serial.lower() + "x"
            elif expected == "No_match_GTIN_Serial_Lot":
                lot = "ANOTHER"
            path = f"/verify/gtin/{GTIN}/lot/{quote(lot)}/ser/{quote(serial, safe='')}"
            query = (
                f"?exp=310531&linkType=verificationService&context={CONTEXT}&reqGLN={ASKER}&corrUUID={UUID}"
            )
            data = _json(connection, "GET", path + query, None, self._bearer)["data"]
            if data.get("verificationFailureReason", "verified") != expected:
                raise SystemExit(f"the verification says {data}")

        return ask

    # How long it takes.

    def asked(self, ask: Ask) -> Spent:
        """Ask by all clients at once, each over a connection of its own."""

        def client(number: int) -> list[float]:
            chance = random.Random(number)
            spent: list[float] = []
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
                for n in range(self.amounts.warm_up + self.amounts.asked):
                    begun = time.perf_counter()
                    ask(connection, chance)
                    if n >= self.amounts.warm_up:
                        spent.append((time.perf_counter() - begun) * 1000)
            return spent

        return _together(client)

    def looked_up(self) -> Spent:
        """The yardstick: each package's row by its unique index, and nothing else."""

        def client(number: int) -> list[float]:
            chance = random.Random(number)
            spent: list[float] = []
            for n in range(self.amounts.warm_up + self.amounts.asked):
                name = item_name(epc(self.stock.serial(chance.randrange(self.stock.packages))))
                begun = time.perf_counter()
                with self._database.reading() as connection:
                    found = connection.execute(
                        select(item).where(
                            item.c.bucket == name.bucket, item.c.ns == name.ns, item.c.serial == name.serial
                        )
                    ).one()
                assert found.serial == name.serial
                if n >= self.amounts.warm_up:
                    spent.append((time.perf_counter() - begun) * 1000)
            return spent

        return _together(client)

    def bars(self) -> Iterator[Bar]:
        """Every bar of this database."""
        bare = self.looked_up()
        size = f"{self.amounts.packages:,} packages, {CLIENTS} clients"
        for question, ask, most in (
            ("verdict", self.verdict(evidence=False), VERDICT_MS),
            ("verdict with evidence", self.verdict(evidence=True), VERDICT_MS),
            ("VRS, verified", self.verification("verified"), VRS_MS),
            ("VRS, unknown serial", self.verification("No_match_GTIN_Serial"), VRS_MS),
            ("VRS, unknown lot", self.verification("No_match_GTIN_Serial_Lot"), VRS_MS),
        ):
            spent = self.asked(ask)
            for label, share in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
                yield Bar(
                    f"{question}, {label} ({size})", self.name, spent.at(share), "ms", "bare look-up", bare.at(share),
                    most=most,
                )  # fmt: skip
        yield self.recall()

    def recall(self) -> Bar:
        """Every holder of a lot, beside counting its rows by the index."""
        lot = recalls.lot_of(GTIN, self.stock.lot(0))
        with self._database.snapshot() as connection:
            begun = time.perf_counter()
            found = recalls.whereabouts(connection, lot)
            spent_s = time.perf_counter() - begun
            lot_id = connection.execute(
                select(item.c.item_id).where(item.c.ns == f"10/{GTIN}", item.c.serial == self.stock.lot(0))
            ).scalar_one()
            begun = time.perf_counter()
            rows = connection.execute(
                select(item.c.item_id, item.c.parent_id).where(item.c.lot_id == lot_id)
            ).all()
            bare_s = time.perf_counter() - begun
        expected = min(self.stock.a_lot, self.stock.packages)
        if found.packages != expected or len(rows) != expected:
            raise SystemExit(f"the recall found {found.packages} of {expected} packages")
        question = f"who has a lot of {expected:,}"
        return Bar(question, self.name, spent_s, "s", "its rows by the index", bare_s, most=RECALL_S)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve as `packproof serve` does, on a free port."""
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = int(probe.getsockname()[1])
        self.node.database.dispose()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PACKPROOF_")}
        given = self._settings
        environment = kept | {
            "PACKPROOF_ENVIRONMENT": given.environment,
            "PACKPROOF_DATABASE_URL": given.database_url,
            "PACKPROOF_DATA_DIR": str(given.data_dir),
            "PACKPROOF_LEDGER_ORIGIN": given.ledger_origin,
            "PACKPROOF_VERIFICATIONS_PER_MINUTE": str(given.verifications_per_minute),
            "PACKPROOF_LOG_LEVEL": "error",  # to standard error: what breaks is seen
        }
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        command += ["--workers", str(self._workers), "--threads", str(CLIENTS)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait_for(self.port, process)
            yield
        finally:
            process.terminate()
            process.wait(30)


def _together(client: Callable[[int], list[float]]) -> Spent:
    found: list[list[float]] = [[] for _ in range(CLIENTS)]
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            found[number] = client(number)
        except BaseException as error:  # told by the main thread
            failed.append(error)

    threads = [Thread(target=run, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return Spent(sorted(each for spent in found for each in spent))


def _json(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]
) -> dict[str, object]:
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise SystemExit(f"{method} {path}: {response.status} {data[:500]!r}")
    found: dict[str, object] = json.loads(data)
    return found


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
    raise SystemExit("the server did not start")


@contextmanager
def _databases(which: str, folder: Path) -> Iterator[list[tuple[str, Database]]]:
    with ExitStack() as stack:
        found: list[tuple[str, Database]] = []
        if which != "postgresql":
            found.append(("SQLite", open_engine(f"sqlite:///{folder / 'packproof.db'}")))
        if which != "sqlite":
            server = stack.enter_context(running_postgres())
            found.append(("PostgreSQL", open_engine(server.create())))
        for _, database in found:
            stack.callback(database.dispose)
        yield found


def measure(which: str, amounts: Amounts, workers: int) -> tuple[list[Bar], dict[str, str]]:
    """All bars, and the machine they were measured on."""
    before = Stolen.now()
    # In the project's folder: where /tmp lies in memory a commit would cost nothing.
    (ROOT / "var").mkdir(exist_ok=True)
    bars: list[Bar] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as name,
        _databases(which, Path(name)) as databases,
    ):
        found = machine([database for _, database in databases])
        found["server"] = f"gunicorn, {workers} processes of {CLIENTS} threads"
        for kind, database in databases:
            served = Served(kind, database, Path(name) / kind.lower(), amounts, workers)
            rate = amounts.packages / served.filled_s
            found[f"filled ({kind})"] = (
                f"{served.filled_s:,.0f} s, {rate:,.0f} packages a second, packed and shipped"
            )
            with served.serving():
                for bar in served.bars():
                    sys.stderr.write(bar.as_row() + "\n")
                    bars.append(bar)
            served.node.database.dispose()
    found["taken by other machines on its host"] = before.since()
    return bars, found


def main() -> None:
    """Measure, and print a table or JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--packages", type=int, default=1_000_000, help="default: a million")
    parser.add_argument("--lot", type=int, default=100_000, help="packages in a lot (default: 100,000)")
    parser.add_argument("--asked", type=int, default=500, help="questions by each client (default: 500)")
    parser.add_argument("--workers", type=int, default=2, help="processes of the server (default: 2)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a Markdown table")
    parser.add_argument(
        "--write", action="store_true", help=f"also put the table into docs/benchmarks/{PAGE.name}"
    )
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql", "both"), default="both", help="default: both"
    )
    arguments = parser.parse_args()
    amounts = Amounts(arguments.packages, arguments.lot, arguments.asked)
    bars, found = measure(arguments.database, amounts, arguments.workers)
    if arguments.write:
        remark = "Other programs that ran meanwhile, and the clients themselves, are in it: see the load and the cores."
        PAGE.write_text(with_run(PAGE.read_text(), remark, told(bars, found, as_json=False)))
    print(told(bars, found, arguments.json))


if __name__ == "__main__":
    main()
