"""The story of 240 packages, played through the product's own interfaces and told as it goes.

Seven chapters, each a function of the same name; what one finds out for the next is in `Told`. Every check raises
`StoryBroke`: a demo that does not do what it says is a fault.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from app.demo import documents, sheet
from app.demo.stage import Browser, Stage, StoryBroke
from app.demo.world import COMPANIES, HILLTOP, LOTS, MAKER, PHARMACY, WHOLESALER, Company, World
from ledger.gs1.epc import Sgtin

SHORT_CASE = 3  # of lot B: the clerk opens it and finds nine
Say = Callable[[str], None]


@dataclass
class Told:
    """What the story has found out so far."""

    sold: Sequence[Sgtin] = ()
    elsewhere: Sgtin | None = None
    missing: Sgtin | None = None
    table: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Story:
    """One telling. `say` prints a line."""

    stage: Stage
    world: World
    say: Say
    told: Told = field(default_factory=Told)

    def chapters(self) -> list[tuple[str, Callable[[], None]]]:
        """The chapters with their titles."""
        return [
            ("Four companies and an inspector", self.founding),
            ("Alder Pharma makes 240 packages and ships them", self.making),
            ("Harbor Drug receives a pallet with one scan, and finds one package short", self.receiving),
            ("Three packages are sold on, and one is dispensed", self.dispensing),
            ("A sheet of labels, and what the pharmacist is told", self.labels),
            ("A recall", self.recalling),
            ("The inspector takes proofs home", self.inspecting),
        ]

    def _must(self, holds: bool, what: str, told: object = "") -> None:
        if not holds:
            raise StoryBroke(what, str(told)[:600])

    # -- 1

    def founding(self) -> None:
        stage = self.stage
        made = stage.packproof("init")
        self.say(f"A node is made. Its ledger is called {made['origin']}.")
        stage.serve()
        for company in COMPANIES:
            self._join(company)
        for gtin in (self.world.gtin, self.world.case_gtin):
            stage.packproof("product", "add", gtin.digits, "--maker", MAKER.gln, *_texts())
        stage.person(
            "pharmacist", "pharmacist", "--gln", PHARMACY.gln, "--full-name", "Pat at Corner Pharmacy"
        )
        stage.person("hilltop", "pharmacist", "--gln", HILLTOP.gln, "--full-name", "Hal at Hilltop Pharmacy")
        stage.person("clerk", "warehouse", "--gln", WHOLESALER.gln, "--full-name", "Kim at the dock")
        stage.person("quality", "quality", "--gln", WHOLESALER.gln, "--full-name", "Quinn in quality")
        stage.person("maker", "manufacturer", "--gln", MAKER.gln, "--full-name", f"Mo at {MAKER.name}")
        stage.person("inspector", "inspector", "--expires", "30d", "--full-name", "State inspector")
        self.say("Each made its keys at its own place; the node has only the public halves.")
        self.say("The state inspector has an account that ends by itself in 30 days.")

    def _join(self, company: Company) -> None:
        stage, home = self.stage, self.stage.home(company)
        home.mkdir(parents=True)
        made = stage.scan(
            company,
            "root",
            "--party",
            company.gln,
            "--name",
            company.name,
            "--node",
            stage.url,
            "--out",
            home / "root",
        )
        authority, number = company.licence.split(":")
        stage.packproof(
            "party",
            "add",
            company.gln,
            "--name",
            company.name,
            "--kind",
            company.kind,
            "--address",
            company.address,
            "--licence",
            f"{authority}:{number}:2020-01-01",
            "--root",
            made["registration"],
        )
        stage.scan(
            company,
            "enrol",
            "--node",
            stage.url,
            "--root-key",
            home / "root",
            "--label",
            f"{company.name}, bench 1",
        )
        self.say(f"{company.name} ({company.kind}) joins, with its licence, its own root key and a scanner.")

    # -- 2

    def making(self) -> None:
        stage, world = self.stage, self.world
        home = stage.home(MAKER)
        begun = home / "commissioning.json"
        begun.write_bytes(documents.commissioning(world))
        receipt = stage.packproof("capture", begun, "--key", stage.key(MAKER), "--node", stage.url)
        self._must(receipt["signed"] is True, "The maker's commissioning is not signed", receipt)
        self.say(f"240 serial numbers in 3 lots, signed by the maker's own key: entry {receipt['index']}.")
        printed = stage.packproof("labels", begun, "--out", home / "labels", "--dpi", "203")
        self.say(f"{printed['labels']} labels printed, each read back before it left the printer.")
        self._must(printed["labels"] == 240 + 2 + 24 + 1, "Labels are missing", printed)
        sent = home / "shipment.xml"
        sent.write_bytes(documents.shipment(world, WHOLESALER))
        answer = self._post_epcis(MAKER, sent.read_bytes(), "application/xml")
        self.say(
            "Packed 10 to a case, 24 cases to a pallet, and shipped. The maker's old system sends that as EPCIS 1.2"
        )
        self.say(
            f"XML, unsigned: the ledger says 'received from the maker, not signed by it' (entry {answer['index']})."
        )

    def _post_epcis(self, company: Company, raw: bytes, content_type: str) -> dict[str, Any]:
        """What a partner's system does: a bearer token and a document."""
        token = self.stage.packproof("token", company.gln, "--name", f"{company.key}-erp")["token"]
        answer = requests.post(
            f"{self.stage.url}/epcis/capture",
            data=raw,
            headers={"Authorization": f"Bearer {token}", "Content-Type": content_type},
            timeout=60,
        )
        self._must(answer.status_code == 202, f"The node answered {answer.status_code}", answer.text)
        found: dict[str, Any] = answer.json()
        return found.get("receipt", found)

    # -- 3

    def receiving(self) -> None:
        stage, world = self.stage, self.world
        label = stage.home(MAKER) / "labels" / f"{world.pallet.digits}.png"
        got = stage.scan(WHOLESALER, "receive", label, may_fail=True)["answers"][0]
        seen = stage.scan(WHOLESALER, "check", label)["answers"][0]
        contents = seen["contents"]
        self._must(contents["packages"] == 240, "The pallet does not hold 240 packages", seen)
        self.say(
            f"The dock scans the picture of the pallet's label: {contents['packages']} packages in Harbor Drug's "
            f"custody, {contents['inferred']} of them inferred (entry {got['receipt']['index']})."
        )
        refs = got["refers_to"]
        self._must(len(refs) == 1, "The receiving refers to no statement of the shipper's", got)
        self.say(f"What the dock signed refers to the shipper's own statement (leaf {refs[0][:16]}...).")
        stage.copy_database(stage.root / "yesterday.db")
        lot = LOTS[1]
        packages = world.in_case(lot, SHORT_CASE)
        self.told.missing = packages[4]
        found = [self._label(p) for p in packages if p != self.told.missing]
        counted = stage.scan(
            WHOLESALER,
            "count",
            self._label(world.case(lot, SHORT_CASE)),
            *found,
            may_fail=True,
        )
        held = self._held(WHOLESALER)
        self._must(held == 239, f"The wholesaler holds {held}, not 239", counted)
        self.say(
            f"Opening a case the clerk finds 9 of 10: {held} of 240, 1 short. An exception opens by itself."
        )
        queue = Browser(stage.url, "quality", stage.passwords["quality"])
        self._must("Open (1)" in queue.get("/exceptions"), "The shortage is not in the queue")
        correction = documents.correction(world, lot, SHORT_CASE, self.told.missing, WHOLESALER)
        mended = self._post_epcis(MAKER, correction, "application/xml")
        held = self._held(WHOLESALER)
        self._must(held == 239, f"The wholesaler holds {held}, not 239", mended)
        self._must("Nothing is open" in queue.get("/exceptions"), "The shortage did not close by itself")
        self.say(
            f"The maker corrects its packing and voids the missing one: the exception closes by itself, {held} stay."
        )

    def _label(self, package: Sgtin) -> Path:
        return self.stage.home(MAKER) / "labels" / f"{package.gtin.digits}-{package.serial}.png"

    def _held(self, company: Company) -> int:
        """How many packages of the three lots a company holds, by the holders that a recall would list."""
        total = 0
        for lot in LOTS:
            answer = self.stage.packproof("recall", self.world.gtin.digits, lot, "--where")
            total += sum(
                h["packages"] for h in answer["holders"] if h["gln"] == company.gln and h["state"] == "held"
            )
        return total

    # -- 4

    def dispensing(self) -> None:
        stage, world, told = self.stage, self.world, self.told
        packages = world.in_case(LOTS[0], 0)
        told.sold, told.elsewhere = packages[:3], packages[3]
        shipments = ((PHARMACY, told.sold), (HILLTOP, [told.elsewhere]))
        sent = stage.home(WHOLESALER) / "onward.json"
        sent.write_bytes(documents.onward(world, _now(), WHOLESALER, world.case(LOTS[0], 0), shipments))
        receipt = stage.packproof("capture", sent, "--key", stage.key(WHOLESALER), "--node", stage.url)
        self._must(not receipt["findings"], "The onward shipment does not fit", receipt)
        stage.scan(PHARMACY, "receive", *[self._label(p) for p in told.sold], may_fail=True)
        stage.scan(HILLTOP, "receive", self._label(told.elsewhere), may_fail=True)
        self.say(
            "Harbor Drug opens a case, ships 3 packages to Corner Pharmacy and one to Hilltop Pharmacy; signed."
        )
        answer = stage.scan(PHARMACY, "check", self._label(told.sold[0]))["answers"][0]
        self._must(answer["word"] == "OK", "The first package is not OK", answer)
        self._must(answer["proof"]["kind"] == "signed", "The answer came without proof", answer)
        product, record = answer["product"], answer["record"]
        self.say(
            f"The pharmacist scans one: OK. {product['name']} {product['strength']}, lot {record['lot']},"
        )
        self.say(f"expires {record['expiry']}. Proof: {answer['proof']['text']}.")
        self._dispense("pharmacist", told.sold[0], PHARMACY)
        self._dispense("hilltop", told.elsewhere, HILLTOP)
        self.say("It is dispensed from the pharmacist's page. From now on this serial is closed.")

    def _dispense(self, who: str, package: Sgtin, company: Company) -> None:
        browser = Browser(self.stage.url, who, self.stage.passwords[who])
        text = sheet.element_text(package, self.world.expiry(LOTS[0]), LOTS[0])
        browser.submit("/dispense", {"code": text})
        answer = self.stage.scan(company, "check", "--text", text, may_fail=True)["answers"][0]
        self._must(answer["reason"] == "ended_here", "The package was not dispensed", answer)

    # -- 5

    def labels(self) -> None:
        stage, world, told = self.stage, self.world, self.told
        cases = [world.case(LOTS[0], 1), world.case(LOTS[1], 0)]
        sent = stage.home(WHOLESALER) / "second.json"
        sent.write_bytes(documents.second_delivery(world, _now(), WHOLESALER, PHARMACY, cases))
        stage.packproof("capture", sent, "--key", stage.key(WHOLESALER), "--node", stage.url)
        self.say("A second delivery is on its way to the pharmacy, two cases on a small pallet.")
        self._recall_quietly()
        assert told.elsewhere is not None
        expected = sheet.write(
            world, stage.labels, ok=told.sold[1], wrong=told.sold[2], elsewhere=told.elsewhere
        )
        answers = stage.scan(PHARMACY, "check", *[stage.labels / name for name in expected], may_fail=True)[
            "answers"
        ]
        for (name, word), answer in zip(expected.items(), answers, strict=True):
            self._must(answer["word"] == word, f"{name} should be {word}", answer)
            inside = answer.get("contents")
            counts = (
                "; ".join(f"{count} {what}" for what, count in inside["by_word"].items()) if inside else ""
            )
            told.table.append(
                (name, answer["word"] + (f" ({counts})" if counts else ""), answer["next_step"])
            )

    def _recall_quietly(self) -> None:
        """Lot B is recalled, signed by its maker, before the sheet is scanned; the next chapter tells of it."""
        stage, world = self.stage, self.world
        self._recall = stage.packproof(
            "recall", world.gtin.digits, LOTS[1], "--key", stage.key(MAKER), "--node", stage.url
        )

    # -- 6

    def recalling(self) -> None:
        answer = self._recall
        self._must(answer["took_ms"] < 1000, "Finding the holders took more than a second", answer)
        self.say(
            f"Alder Pharma has called lot {LOTS[1]} back (entry {answer['entry']}, signed). Every holder of its "
            f"{answer['packages']} packages, found in {answer['took_ms']:.0f} ms:"
        )
        for holder in answer["holders"]:
            inferred = (
                f", {holder['inferred']} of them inside closed containers" if holder["inferred"] else ""
            )
            self.say(f"  {holder['packages']:4} {holder['state']:10} {holder['name']}{inferred}")

    # -- 7

    def inspecting(self) -> None:
        stage, told = self.stage, self.told
        browser = Browser(stage.url, "inspector", stage.passwords["inspector"])
        subject = told.sold[0].canonical
        page = browser.get("/inspector", q=subject)
        self._must(told.sold[0].serial in page, "The inspector does not find the package", page)
        file = stage.root / "evidence.json"
        file.write_bytes(browser.fetch("/inspector/evidence", epc=subject))
        accepted = _verify(file)
        self._must(
            accepted.returncode == 0, "The evidence file was refused", accepted.stdout + accepted.stderr
        )
        size = file.stat().st_size
        self.say(
            f"The inspector finds the dispensed package, reads its timeline, takes {file.name} ({size} bytes)."
        )
        self.say("python -m ledger verify accepts it, with no node and no network.")
        spoilt = stage.root / "evidence-one-byte-changed.json"
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        spoilt.write_bytes(bytes(data))
        refused = _verify(spoilt)
        self._must(refused.returncode == 1, "A changed file was accepted", refused.stdout)
        why = [line.strip() for line in (refused.stdout + refused.stderr).splitlines() if line.strip()]
        self.say(f"One byte changed, and it says: {why[0]} {' '.join(why[1:2])}")
        spoilt.unlink()


def _now() -> datetime:
    return datetime.now(UTC)


def _texts() -> list[str]:
    return [
        "--name",
        "Examplinib",
        "--ndc",
        "99999-001-01",
        "--strength",
        "50 mg",
        "--dosage-form",
        "TABLET",
        "--net-content",
        "30 tablets",
        "--manufacturer",
        MAKER.name,
    ]


def _verify(file: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "ledger", "verify", str(file)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
