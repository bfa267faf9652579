"""With only the node's files nobody signs as the maker: no private key of a party is among them, and what is forged
with the node's own keys is refused by the interface and by whoever checks evidence."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text

from app.devices import service as devices
from app.partners import service as partners
from ledger.epcis.read import read
from ledger.evidence.policy import Policy
from ledger.evidence.verify import EvidenceRefused, Step, verify
from ledger.log.encoding import from_base64, from_json
from ledger.log.entry import Kind
from ledger.log.note import NoteVerifier
from ledger.signing.client import KeyFolder
from ledger.signing.commitment import commit
from ledger.signing.envelope import sign
from ledger.signing.keyfile import load_key
from ledger.signing.keyrecord import Role, register_key
from ledger.signing.keys import generate, load_verifier
from ledger.signing.registration import Registration
from ledger.signing.statement import Chain, Commit, Statement
from ledger.store.port import Draft
from ledger.store.sql.metadata import metadata
from ledger.store.sql.writer import SqlWriter
from tests.support.ledgers import SOME_MS
from tests.support.trade import problem
from tests.support.world import MAKER, package


def secrets_of(folder):
    """Every spelling in which a folder's private key could lie about."""
    signer = load_key(folder / "key.pem")
    raw = signer.private_key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    pem = signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {raw, raw.hex().encode(), pem.splitlines()[1][20:60]}


def files_of(trade):
    """All that the node has: its data folder, and the database's files or every row of it."""
    services = trade.node.services
    for path in services.settings.data_dir.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
    if services.database.is_sqlite:
        yield from (path.read_bytes() for path in services.settings.data_dir.parent.glob("packproof.db*"))
    with services.database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                yield b"\x00".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    for value in row
                )


def forged(trade, signer, author, raw):
    """A `captured` statement over `raw` that names `author`, signed by `signer`."""
    seed = bytes(range(32))
    events = read(raw).events
    root = commit(sha256(raw).digest(), [], [each.fields() for each in events], seed)
    statement = Statement.new(
        trade.node.services.node.origin,
        author,
        Kind.CAPTURED,
        Commit(root, len(events)),
        chain=Chain(bytes(16), 1, bytes(32)),
    )
    envelope = sign(statement.encode(), [signer])
    return envelope, {"envelope": envelope.encode(), "seed": seed, "document": raw}


def test_no_private_key_of_a_party_is_among_the_nodes_files(trade):
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    wanted = secrets_of(trade.folder / "root") | secrets_of(trade.folder / "device")
    data_dir = trade.node.services.settings.data_dir
    own = load_key(data_dir / "keys" / "intake.pem")
    control = own.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    seen_control, pieces = False, 0
    for piece in files_of(trade):
        pieces += 1
        assert not any(secret in piece for secret in wanted)
        seen_control = seen_control or control.splitlines()[1] in piece
    assert seen_control, "the search finds what is there: the node's own key"
    assert pieces > 20


@pytest.mark.parametrize("name", ["intake", "checkpoint"])
def test_the_nodes_keys_sign_nothing_in_the_makers_name(trade, name):
    key = load_key(trade.node.services.settings.data_dir / "keys" / f"{name}.pem")
    raw = trade.document(trade.begun(1))
    before = trade.counts()
    # As itself; as the maker's device; and with the maker's thumbprint on the signature.
    _, as_itself = forged(trade, key, key.thumbprint, raw)
    problem(trade.post_parts("/ledger/captures", **as_itself), 403, "key.role")
    _, as_maker = forged(trade, key, trade.device.thumbprint, raw)
    assert trade.post_parts("/ledger/captures", **as_maker).status_code in (400, 403)
    envelope, parts = forged(trade, key, trade.device.thumbprint, raw)
    worn = replace(
        envelope,
        signatures=(replace(envelope.signatures[0], key=trade.device.thumbprint),),
    )
    problem(
        trade.post_parts("/ledger/captures", **{**parts, "envelope": worn.encode()}),
        400,
        "envelope.signature",
    )
    # Nor does it register a key of its own as the maker's.
    record = register_key(trade.node.services.node.origin, key, generate(), Role.DEVICE, MAKER, "Dock")
    response = trade.enrol(Registration.of(record))
    problem(response, 403, "key.author")
    assert trade.counts() == before


def test_a_captured_statement_is_not_replayed_over_another_document_or_ledger(trade):
    raw = trade.document(trade.begun(1))
    good = trade.signed(raw)
    other = trade.document(trade.begun(2))
    before = trade.counts()
    replay = {"envelope": good.envelope, "seed": good.seed, "document": other}
    problem(trade.post_parts("/ledger/captures", **replay), 400, "envelope.root")
    reseeded = {"envelope": good.envelope, "seed": bytes(32), "document": raw}
    problem(trade.post_parts("/ledger/captures", **reseeded), 400, "envelope.root")
    short = {"envelope": good.envelope, "seed": bytes(31), "document": raw}
    problem(trade.post_parts("/ledger/captures", **short), 400, "envelope.seed")
    statement = from_base64(from_json(good.envelope)["payload"])
    origin = trade.node.services.node.origin.encode()
    elsewhere = sign(statement.replace(origin, b"other.example/ledger"), [trade.device.signer])
    foreign = {"envelope": elsewhere.encode(), "seed": good.seed, "document": raw}
    problem(trade.post_parts("/ledger/captures", **foreign), 400, "envelope.other_ledger")
    assert trade.counts() == before


def test_an_operator_who_registers_a_key_behind_the_interface_convinces_only_the_node(trade):
    """The operator owns ledger and table of keys, so the interface believes it; whoever checks evidence does not."""
    services = trade.node.services
    assert trade.post_signed(trade.document(trade.begun(1))).status_code == 201
    root = KeyFolder.open(trade.folder / "root").thumbprint
    policy = Policy(logs=(NoteVerifier.parse(services.node.verifier_key),), roots={MAKER: frozenset({root})})
    honest = services.evidence.of_package(package(1), reader=None)
    assert verify(honest, policy)
    intake, crook = services.node.intake_key, generate()
    record = register_key(services.node.origin, intake, crook, Role.DEVICE, MAKER, "Line 1")
    draft = Draft(
        Kind.KEY,
        SOME_MS,
        record.envelope.statement,
        record.envelope.entry_signatures([load_verifier(intake.spki), load_verifier(crook.spki)]),
        record.seed,
    )
    with services.database.writing() as connection:
        [entry] = SqlWriter(connection, services.node.origin).append([draft])
        party_id = partners.by_gln(connection, MAKER).party_id
        devices.insert_key(connection, record.record, party_id, entry.index)
    _, parts = forged(trade, crook, crook.thumbprint, trade.document(trade.begun(2)))
    assert trade.post_parts("/ledger/captures", **parts).status_code == 201
    with pytest.raises(EvidenceRefused) as caught:
        verify(services.evidence.of_package(package(2), reader=None), policy)
    assert caught.value.step is Step.KEYS
