"""The ledger as the static files that C2SP tlog-tiles has: what each holds, wherever it is served from or written to.

    tile/<level>/<number>[.p/<width>]       hashes          tile/entries/<number>[.p/<width>]       entries

Full tiles come from their rows, partial ones are computed. What a name stands for never changes once it is there: a
partial tile of 17 hashes stays what it was when the tree had just those.
"""

from ledger.log.hashing import HASH_BYTES
from ledger.log.tiles import TILE_WIDTH, BundleId, TileId, encode_bundle, width_at
from ledger.store.port import LedgerDamaged, LedgerReader, NoSuchEntry


def tile_bytes(reader: LedgerReader, tile: TileId, size: int) -> bytes:
    """The hashes of a tile in a ledger of `size` entries. Raises `NoSuchEntry` where it has not so many."""
    if tile.width > width_at(size, tile.level, tile.index):
        raise NoSuchEntry(f"there is no {tile.path()} in a ledger of {size} entries")
    if tile.full:
        return reader.tile(tile.level, tile.index)
    first = tile.index * TILE_WIDTH
    hashes = b"".join(reader.hashes(tile.level, first, first + tile.width))
    if len(hashes) != tile.width * HASH_BYTES:
        raise LedgerDamaged(f"{tile.path()} cannot be made from its rows: run packproof fsck")
    return hashes


def bundle_bytes(reader: LedgerReader, bundle: BundleId, size: int) -> bytes:
    """The entries of a bundle. Raises `NoSuchEntry` where the ledger of `size` entries has not so many."""
    first = bundle.index * TILE_WIDTH
    end = first + bundle.width
    if end > size:
        raise NoSuchEntry(f"there is no {bundle.path()} in a ledger of {size} entries")
    entries = [body for _, body in reader.entries(first, end)]
    if len(entries) != bundle.width:
        raise LedgerDamaged(f"entries of {bundle.path()} are missing: run packproof fsck")
    return encode_bundle(entries)
