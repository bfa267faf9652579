"""The look-up directory: whom to ask about a GTIN, and the credentials to ask with.

An entry is for one GTIN-14 or for a company prefix; the longest that fits counts. Credentials are bearer tokens that
the other company gave one of the parties here; each lies in a file of its own, mode 0600, in ``data_dir/vrs``::

    0614141000012@verify.maker.example_443        the token of this party for that host
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from app.errors import Invalid, NotFound
from app.partners.service import checked_gln
from app.shared.clock import Clock
from app.vrs.messages import read_gtin
from app.vrs.models import vrs_directory
from app.vrs.outward import Address, Policy
from ledger.signing.durable import write_whole

PREFIXES = range(6, 13)
"""How many digits a GS1 company prefix has."""
LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """Who answers for a GTIN or for a company prefix. `responder`: the GLN that must answer; "" where any may."""

    product: str
    url: str
    responder: str


def add(connection: Connection, clock: Clock, entry: Entry, policy: Policy) -> Entry:
    """Put an entry in, or another in its place; the entry. Raises `Invalid`."""
    product = entry.product
    if len(product) == 14:
        read_gtin(product)
    elif not (product.isascii() and product.isdigit() and len(product) in PREFIXES):
        raise Invalid(
            "vrs.product",
            f"{product!r} is neither a GTIN nor a company prefix",
            "",
            "a GTIN has 14 digits here, a company prefix 6 to 12",
        )
    url = Address.parse(entry.url, policy).url
    responder = checked_gln(entry.responder) if entry.responder else ""
    connection.execute(delete(vrs_directory).where(vrs_directory.c.product == product))
    connection.execute(
        insert(vrs_directory).values(product=product, url=url, responder=responder, added_at=clock.now())
    )
    return Entry(product, url, responder)


def remove(connection: Connection, product: str) -> None:
    """Take an entry out. Raises `NotFound`."""
    done = connection.execute(delete(vrs_directory).where(vrs_directory.c.product == product))
    if not done.rowcount:
        raise NotFound("No such entry", product, "packproof vrs directory list shows them")


def entries(connection: Connection) -> list[Entry]:
    """All entries, by GTIN or prefix."""
    columns = (vrs_directory.c.product, vrs_directory.c.url, vrs_directory.c.responder)
    return [Entry(*row) for row in connection.execute(select(*columns).order_by(vrs_directory.c.product))]


def look_up(connection: Connection, gtin: str) -> Entry | None:
    """The entry for this GTIN-14, or for the longest company prefix that it begins with after its indicator."""
    keys = [gtin, *(gtin[1 : 1 + length] for length in PREFIXES)]
    columns = (vrs_directory.c.product, vrs_directory.c.url, vrs_directory.c.responder)
    found = connection.execute(select(*columns).where(vrs_directory.c.product.in_(keys))).all()
    return max((Entry(*row) for row in found), key=lambda entry: len(entry.product), default=None)


def keep_secret(data_dir: Path, gln: str, address: Address, secret: str) -> Path:
    """Keep the token with which the party `gln` asks at `address`; where it lies. Raises `Invalid`."""
    secret = secret.strip()
    if (
        not 1 <= len(secret) <= LONGEST_SECRET
        or not secret.isascii()
        or not secret.isprintable()
        or " " in secret
    ):
        raise Invalid("vrs.secret", "This is no bearer token", "", "a token is one word of printable ASCII")
    path = _file(data_dir, gln, address)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, secret.encode())
    return path


def secret_of(data_dir: Path, gln: str, address: Address) -> str | None:
    """The token of the party `gln` for `address`, or None."""
    try:
        return _file(data_dir, gln, address).read_text("ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _file(data_dir: Path, gln: str, address: Address) -> Path:
    # A host name has no slash, an address of IPv6 has colons.
    return data_dir / "vrs" / f"{checked_gln(gln)}@{address.origin.replace(':', '-')}"
