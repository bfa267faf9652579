"""What tests of keys do again and again: keys of a party made, sent and ended, and what the node says of them."""

from app.devices import chains
from app.proofs.fsck import fsck
from ledger.log.entry import Entry
from ledger.signing.chain import ChainAudit
from ledger.signing.client import KeyFolder, make_device, make_root
from ledger.signing.keylife import KnownKey
from ledger.signing.keyrecord import Role
from ledger.signing.registration import Registration
from tests.support.trade import Trade


def send(trade: Trade, path: str, record: Registration):
    return trade.post_parts(path, envelope=record.envelope, document=record.document, seed=record.seed)


def known(folder: KeyFolder) -> KnownKey:
    return KnownKey(folder.signer.spki, folder.role, folder.label)


def another(trade: Trade, name: str, role: Role = Role.DEVICE) -> KeyFolder:
    made = make_device(trade.folder / name, trade.folder / "root", name, role)
    answer = send(trade, "/ledger/keys", made)
    assert answer.status_code == 200, answer.text
    return KeyFolder.open(trade.folder / name)


def root(trade: Trade) -> KeyFolder:
    return KeyFolder.open(trade.folder / "root")


def state(trade: Trade, folder: KeyFolder):
    return send(trade, "/ledger/keys", folder.registration).get_json()["key"]


def parked(trade: Trade):
    bearer = {"headers": trade.bearer}
    return trade.client.get("/ledger/parked", **bearer).get_json()["parked"]


def audit(trade: Trade):
    services = trade.node.services
    services.node.checkpoint()
    return fsck(services.database, services.node)


def chain_of(trade: Trade) -> ChainAudit:
    """The chains as a stranger finds them, from the entries alone; the node's own table must say the same."""
    services = trade.node.services
    found = ChainAudit()
    with services.database.reading() as connection:
        reader = services.node.ledger.reader(connection)
        for _, body in reader.entries(0, reader.head().size):
            found.add(Entry.decode(body))
        kept = chains.audited(connection, reader)
    assert list(kept.streams()) == list(found.streams())
    assert list(kept.findings()) == list(found.findings())
    return found


def make_party(trade: Trade, gln: str, name: str) -> KeyFolder:
    services = trade.node.services
    made = make_root(trade.folder / f"{name}-root", gln, services.node.origin)
    services.keys.register(made.envelope, made.document, made.seed)
    device = make_device(trade.folder / name, trade.folder / f"{name}-root", name)
    services.keys.register(device.envelope, device.document, device.seed)
    return KeyFolder.open(trade.folder / name)
