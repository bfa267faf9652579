"""Who may sign what, asked of a log: each kind of entry by the keys of its role, for one party, while they count."""

import pytest

from ledger.log.entry import Kind
from ledger.signing.keyrecord import Action, KeyRecord, Role
from ledger.signing.keyring import KeyringError
from ledger.signing.keys import Signer, generate
from ledger.signing.signers import SignerAudit
from tests.support.world import MAKER, WHOLESALER

INTAKE, CHECKPOINT = generate("ed25519"), generate("ed25519")
ROOT, DEVICE, PERSON = generate("ed25519"), generate("ed25519"), generate("ed25519")
OTHER_ROOT, OTHER = generate("ed25519"), generate("ed25519")


def record(key: Signer, role: Role, party: str | None, action: Action = Action.REGISTER) -> KeyRecord:
    return KeyRecord(action, key.spki, role, party, "a key")


@pytest.fixture
def audit() -> SignerAudit:
    """The node's keys, a maker with a device and a person, a wholesaler with a device: entries 0 to 6."""
    made = SignerAudit()
    for index, (key, role, party, by) in enumerate(
        (
            (INTAKE, Role.INTAKE, None, (INTAKE,)),
            (CHECKPOINT, Role.CHECKPOINT, None, (INTAKE,)),
            (ROOT, Role.ROOT, MAKER, (ROOT,)),
            (DEVICE, Role.DEVICE, MAKER, (ROOT, DEVICE)),
            (PERSON, Role.PERSON, MAKER, (ROOT, PERSON)),
            (OTHER_ROOT, Role.ROOT, WHOLESALER, (OTHER_ROOT,)),
            (OTHER, Role.DEVICE, WHOLESALER, (OTHER_ROOT, OTHER)),
        )
    ):
        made.key(index, record(key, role, party), [each.thumbprint for each in by])
    return made


def said(audit: SignerAudit, index: int, kind: Kind, *by: Signer) -> str:
    """The code by which the signers of an entry are refused, empty where they are not."""
    try:
        audit.entry(index, kind, [each.thumbprint for each in by])
    except KeyringError as error:
        return error.code
    return ""


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.KEY])
def test_each_kind_is_signed_by_the_roles_of_its_own(audit: SignerAudit, kind: Kind) -> None:
    by_party = kind in (Kind.CAPTURED, Kind.VOID_SEQ)
    for key in (DEVICE, PERSON):
        assert said(audit, 7, kind, key) == ("" if by_party else "role")
    assert said(audit, 7, kind, INTAKE) == ("role" if by_party else "")
    assert said(audit, 7, kind, ROOT) == said(audit, 7, kind, CHECKPOINT) == "role"
    assert said(audit, 7, kind, generate("ed25519")) == "key-unknown"


def test_signatures_of_one_entry_are_by_keys_of_one_party(audit: SignerAudit) -> None:
    assert said(audit, 7, Kind.CAPTURED, DEVICE, PERSON) == ""
    assert said(audit, 7, Kind.CAPTURED, DEVICE, OTHER) == "party"


def test_a_key_counts_above_its_registration_and_below_its_end(audit: SignerAudit) -> None:
    def ends(index: int, action: Action) -> None:
        audit.key(index, record(DEVICE, Role.DEVICE, MAKER, action), [ROOT.thumbprint])

    assert said(audit, 3, Kind.CAPTURED, DEVICE) == "key-early"
    ends(7, Action.SUSPEND)
    assert said(audit, 8, Kind.CAPTURED, DEVICE) == "key-suspended"
    audit.key(8, record(DEVICE, Role.DEVICE, MAKER), [ROOT.thumbprint, DEVICE.thumbprint])
    assert said(audit, 9, Kind.CAPTURED, DEVICE) == ""
    ends(9, Action.REVOKE)
    assert said(audit, 10, Kind.CAPTURED, PERSON, DEVICE) == "key-revoked"


def test_a_record_that_the_rules_refuse_changes_nothing(audit: SignerAudit) -> None:
    rogue, device = generate("ed25519"), generate("ed25519")
    for key, role, party, by in (
        (rogue, Role.ROOT, MAKER, (rogue,)),  # it has one that is valid
        (device, Role.DEVICE, MAKER, (rogue, device)),
        (device, Role.DEVICE, MAKER, (OTHER_ROOT, device)),
        (device, Role.DEVICE, MAKER, (ROOT,)),  # did not sign along
        (DEVICE, Role.DEVICE, WHOLESALER, (OTHER_ROOT, DEVICE)),  # another party's already
        (rogue, Role.INTAKE, None, (rogue,)),
        (rogue, Role.CHECKPOINT, None, (INTAKE,)),  # follows another without its word
    ):
        with pytest.raises(KeyringError):
            audit.key(7, record(key, role, party), [each.thumbprint for each in by])
    assert said(audit, 8, Kind.CAPTURED, device) == said(audit, 8, Kind.RECEIVED, rogue) == "key-unknown"
    assert said(audit, 8, Kind.CAPTURED, DEVICE) == ""
