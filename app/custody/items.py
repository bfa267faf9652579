"""Items between their canonical EPC and their row.

https://id.gs1.org/01/00300010123457/21/11   <->   ns 01/00300010123457, serial 11
https://id.gs1.org/00/003000141234567890     <->   ns 00,                serial 003000141234567890
https://id.gs1.org/01/00300010123457/10/A1   <->   ns 10/00300010123457, serial A1       (a lot)
urn:epc:id:giai:...                          <->   ns x,                 serial: all of it
"""

import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

BASE = "https://id.gs1.org/"
BUCKETS = 1024


class ItemName(
    NamedTuple
):  # not a dataclass: one is made of every package of a capture, in a third of the time
    """What makes an item unique in the database."""

    ns: str
    serial: str

    @property
    def bucket(self) -> int:
        """The shard key: a fixed hash of the class."""
        return bucket_of(self.ns)

    @property
    def key(self) -> str:
        """The canonical EPC."""
        if self.ns.startswith("01/"):
            return f"{BASE}{self.ns}/21/{_quoted(self.serial)}"
        if self.ns.startswith("10/"):
            return f"{BASE}01/{self.ns[3:]}/10/{_quoted(self.serial)}"
        return f"{BASE}00/{self.serial}" if self.ns == "00" else self.serial

    @property
    def gtin(self) -> str | None:
        """The GTIN-14 of a package, a case or a lot."""
        return self.ns[3:] if self.ns[:3] in ("01/", "10/") else None


def _quoted(serial: str) -> str:
    return serial if serial.isascii() and serial.isalnum() else quote(serial, safe="")


@lru_cache(maxsize=1024)
def bucket_of(ns: str) -> int:
    """The shard key of the class `ns`."""
    return zlib.crc32(ns.encode()) % BUCKETS


def item_name(key: str) -> ItemName:
    """The name of the item with this canonical EPC."""
    if key.startswith(BASE):
        parts = key[len(BASE) :].split("/")
        match parts:
            case ["01", gtin, "21", serial]:
                return ItemName(f"01/{gtin}", unquote(serial))
            case ["01", gtin, "10", lot]:
                return ItemName(f"10/{gtin}", unquote(lot))
            case ["00", sscc]:
                return ItemName("00", sscc)
    return ItemName("x", key)


def by_class(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Canonical EPCs by their class, then by their serial, as queries take them and answer."""
    grouped: dict[str, dict[str, str]] = {}
    for key in keys:
        ns, serial = item_name(key)
        grouped.setdefault(ns, {})[serial] = key
    return grouped
