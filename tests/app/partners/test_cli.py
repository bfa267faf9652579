"""The operator's first hour at the command line: init, party, product, capture. Errors say what to do."""

import json
from datetime import UTC, datetime

import pytest

from app import wiring
from app.cli import main
from app.config import Settings
from app.partners import service as partners
from app.products import service as products
from ledger.signing.client import KeyFolder, make_root
from tests.support.shared import shared_path

EXAMPLE = (
    "data/epcis/openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/GS1_US_Pharma_Example_2_2_1_1.xml"
)
GS1_PHARMA, DISTRIBUTOR = "0300011111116", "0399999999991"
ORIGIN = "packproof.example/cli"


class Operator:
    """Runs commands on a node of their own, and reads what they say."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *arguments, fails=0):
        status = main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert status == fails, out + err
        return err if fails else out

    def json(self, *arguments):
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    for name in ("DATABASE_URL", "DATA_DIR", "LEDGER_ORIGIN"):
        monkeypatch.delenv(f"PACKPROOF_{name}", raising=False)
    monkeypatch.setenv("PACKPROOF_DATABASE_URL", f"sqlite:///{tmp_path / 'node' / 'packproof.db'}")
    monkeypatch.setenv("PACKPROOF_DATA_DIR", str(tmp_path / "node"))
    monkeypatch.setenv("PACKPROOF_LEDGER_ORIGIN", ORIGIN)
    return Operator(capsys)


@pytest.fixture
def node(run):
    run("init")
    return run


def test_init_makes_a_node_once_and_says_what_to_keep(run, tmp_path):
    first = run.json("init")
    assert (first["new"], first["origin"]) == (True, ORIGIN)
    assert first["verifier_key"].startswith(f"{ORIGIN}+")
    assert (tmp_path / "node" / "mark").exists()
    again = run.json("init")
    assert again == {**first, "new": False}
    assert first["verifier_key"] in run("init")


def test_before_init_every_command_says_so(run):
    assert "run: packproof db upgrade" in run("party", "list", fails=1)


def test_gs1s_own_message_is_taken_in_and_told_kindly(node):
    path = shared_path(EXAMPLE)
    said = node("capture", path, "--as", GS1_PHARMA)
    assert "8 events taken in, as entry 2 of packproof.example/cli." in said
    assert f"Received from GS1 Pharma ({GS1_PHARMA}), not signed by it." in said
    assert "Tolerated: an event has no eventID; its id is derived from its content (8 times)" in said
    assert "lot A123 expired on 2025-03-27" in said
    again = node("capture", path, "--as", GS1_PHARMA)
    assert "8 events, already here since entry 2" in again
    assert "the same receipt" in again
    assert said.splitlines()[2] == again.splitlines()[2], "the leaf"
    listed = {each["gln"]: each for each in node.json("party", "list")}
    assert listed[GS1_PHARMA]["verified"] is False
    assert listed[DISTRIBUTOR]["verified"] is False
    found = node.json("capture", path, "--as", GS1_PHARMA)
    assert found["expired"] == [{"lot": "A123", "on": "2025-03-27", "packages": 15}]


def test_a_party_named_by_a_document_is_completed(node):
    node("capture", shared_path(EXAMPLE), "--as", GS1_PHARMA)
    node("party", "add", GS1_PHARMA, "--name", "GS1 Pharma LLC", "--kind", "maker")
    [found] = [each for each in node.json("party", "list") if each["gln"] == GS1_PHARMA]
    assert (found["name"], found["kind"], found["verified"]) == ("GS1 Pharma LLC", "maker", True)
    refused = node("party", "add", GS1_PHARMA, "--name", "Other", "--kind", "maker", fails=1)
    assert "registered already" in refused


def test_sites_and_licences_are_kept(node):
    node(
        *("party", "add", DISTRIBUTOR, "--name", "North", "--kind", "wholesaler"),
        *("--site", "0399999999915=Dock Street", "--site", "0399999999922=Harbour"),
        *("--licence", "NJ-BOP:WD-1:2024-01-01:2025-12-31", "--licence", "FDA:X:2020-01-01"),
    )
    services = wiring.build(Settings.from_env())
    try:
        with services.database.reading() as connection:
            assert partners.owners_of(connection, ["0399999999915"]) == {"0399999999915": DISTRIBUTOR}
            assert partners.names(connection, ["0399999999922"]) == {"0399999999922": "Harbour"}
            party = partners.by_gln(connection, DISTRIBUTOR)
            assert partners.is_licensed(connection, party.party_id, datetime(2026, 6, 1, tzinfo=UTC))
            assert not partners.is_licensed(connection, party.party_id, datetime(2019, 6, 1, tzinfo=UTC))
    finally:
        services.database.dispose()


def test_licences_are_followed_ended_and_shown_as_of_a_day(node):
    add = ("party", "add", DISTRIBUTOR, "--name", "North", "--kind", "wholesaler")
    node(*add, "--licence", "KY-BOP:W-1:2024-01-01:2025-12-31")
    show = ("party", "licences", DISTRIBUTOR, "--at")
    assert node.json(*show, "2025-12-31")["authorized"], "the last day is a day of it"
    assert not node.json(*show, "2026-01-01")["authorized"]
    number = node.json(
        "party", "licence", DISTRIBUTOR, "KY-BOP:W-2:2026-02-01", "--source", "the board's list"
    )["licence"]
    assert node.json(*show, "2026-02-01")["authorized"]
    node("party", "end-licence", number, "--on", "2026-03-01", "--why", "revoked")
    assert "revoked" in node.json(*show, "2026-03-01")["why"]
    assert "ended already" in node(
        "party", "end-licence", number, "--on", "2026-03-02", "--why", "x", fails=1
    )
    exempt = ("party", "exempt", DISTRIBUTOR, "--covers", "authorization", "--from", "2026-03-01")
    node(*exempt, "--until", "2026-03-31", "--reason", "waiver", "--evidence", "https://example.com/w")
    found = node.json(*show, "2026-03-31")
    assert (found["authorized"], found["why"]) == (True, "exempt: waiver")
    assert "was NOT authorized on 2026-04-01" in node(*show, "2026-04-01")


def test_places_addresses_and_markets_are_entered(node):
    node(
        "party",
        "add",
        DISTRIBUTOR,
        "--name",
        "North",
        "--kind",
        "maker",
        "--city",
        "Trenton",
        "--country",
        "us",
    )
    described = node.json(
        "party", "describe", DISTRIBUTOR, "--address", "1 Plant Road", "--contact", "+1 555 0100"
    )
    assert (described["address"], described["city"]) == ("1 Plant Road", "Trenton"), "what is not given stays"
    assert described["contact"] == "+1 555 0100"
    site = ("party", "site", "0399999999915", "--of", DISTRIBUTOR, "--name", "Dock")
    assert node.json(*site, "--position", "38.2527,-85.7585")["position"] == [38.2527, -85.7585]
    assert "place of North's at 38.2527" in node("party", "site", DISTRIBUTOR, "--of", DISTRIBUTOR, "--name", "HQ",
                                                 "--position", "38.2527,-85.7585")  # fmt: skip
    node("product", "add", "00300010123455", "--maker", DISTRIBUTOR)
    allowed = node.json("product", "allow", "00300010123455", "--country", "us", "--party", DISTRIBUTOR)
    assert allowed["countries"] == ["US"]
    assert "is no country" in node("product", "allow", "00300010123455", "--country", "USA", fails=1)
    services = wiring.build(Settings.from_env())
    try:
        with services.database.reading() as connection:
            assert set(partners.positions(connection, ["0399999999915", DISTRIBUTOR, "x"])) == {
                "0399999999915",
                DISTRIBUTOR,
            }
            market = products.markets(connection, ["00300010123455"])["00300010123455"]
            assert (market.countries, market.companies) == ({"US"}, {DISTRIBUTOR})
            called = partners.called(connection, [DISTRIBUTOR, "0399999999915"])
            assert called["0399999999915"].company == DISTRIBUTOR
    finally:
        services.database.dispose()


def test_a_root_made_at_the_partys_own_place_is_registered(node, tmp_path):
    make_root(tmp_path / "root", DISTRIBUTOR, ORIGIN)
    file = tmp_path / "root" / "registration.json"
    add = ("party", "add", DISTRIBUTOR, "--name", "North", "--kind", "wholesaler")
    found = node.json(*add, "--root", file)
    assert found["root"] == KeyFolder.open(tmp_path / "root").thumbprint.hex()
    assert found["root"] in node("party", "add", DISTRIBUTOR, "--root", file), "again it is the same key"
    node("party", "add", GS1_PHARMA, "--name", "GS1 Pharma", "--kind", "maker")
    refused = node("party", "add", GS1_PHARMA, "--root", file, fails=1)
    assert f"This key is for {DISTRIBUTOR}, not for {GS1_PHARMA}" in refused
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert "no key registration" in node("party", "add", GS1_PHARMA, "--root", other, fails=1)


def test_a_product_is_registered_and_changed(node):
    node("party", "add", GS1_PHARMA, "--name", "GS1 Pharma", "--kind", "maker")
    add = ("product", "add", "00300010123455", "--maker", GS1_PHARMA)
    node(*add, "--name", "Epcistra", "--strength", "10 mg", "--ndc", "0001-0123-45")
    found = node.json(*add, "--dosage-form", "tablet")
    assert (found["name"], found["strength"], found["dosage_form"]) == ("Epcistra", "10 mg", "tablet")
    assert "is no GTIN" in node("product", "add", "00300010123456", "--maker", GS1_PHARMA, fails=1)
    assert "packproof party add" in node("product", "add", "00300010123455", "--maker", DISTRIBUTOR, fails=1)


def test_a_bad_file_is_told_in_full_and_nothing_is_stored(node, tmp_path):
    file = tmp_path / "bad.json"
    events = [{"type": "ObjectEvent", "action": "ADD", "epcList": ["not-an-epc"]}]
    file.write_text(
        json.dumps(
            {
                "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
                "type": "EPCISDocument",
                "schemaVersion": "2.0",
                "creationDate": "2026-01-01T00:00:00Z",
                "epcisBody": {"eventList": events},
            }
        )
    )
    said = node("capture", file, "--as", GS1_PHARMA, fails=1)
    assert "The document cannot be used" in said
    assert "also: " in said
    assert "not-an-epc" in said
    assert node.json("party", "list") == []
    assert "No such file" in node("capture", tmp_path / "nothing.json", "--as", GS1_PHARMA, fails=1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("capture", "FILE", "--as", "12"), "is no GLN"),
        (("capture", "FILE", "--as", GS1_PHARMA, "--node", "http://127.0.0.1"), "--node goes with --key"),
        (("capture", "FILE", "--key", "nowhere"), "--key needs --node"),
        (("capture", "FILE", "--key", "nowhere", "--node", "http://127.0.0.1:9"), "is no key folder"),
        (("party", "add", DISTRIBUTOR), "needs --name and --kind"),
    ],
)
def test_a_slip_of_the_hand_is_told(node, tmp_path, arguments, says):
    file = tmp_path / "empty.json"
    file.write_text(
        '{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", "type": "EPCISDocument", '
        '"schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z", "epcisBody": {"eventList": []}}'
    )
    assert says in node(*(file if each == "FILE" else each for each in arguments), fails=1)


@pytest.mark.parametrize("command", [("init",), ("party", "add"), ("product",), ("capture",)])
def test_help_shows_an_example_or_says_what_it_does(run, capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert len(capsys.readouterr().out) > 200
