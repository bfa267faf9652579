"""How written documents spell what the kernel keeps canonical: EPCs, vocabulary words, namespaces.

    https://id.gs1.org/01/00300010123455/21/11  ->  urn:epc:id:sgtin:030001.0012345.11     where partners want URNs
    shipping                                    ->  urn:epcglobal:cbv:bizstep:shipping      in XML
    urn:epcglobal:cbv:mda#lotNumber             ->  cbvmda:lotNumber

A URN needs the length of the company prefix, which no identifier tells: the caller brings a table.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.epcis.names import MDA, USHC, WELL_KNOWN_PREFIXES, namespace_of
from ledger.gs1.epc import OtherEpc, parse_epc

GcpLength = Callable[[str], int | None]
"""The length of the GS1 Company Prefix in a canonical EPC, 6 to 12 digits; None where nobody knows it: then it stays a
Digital Link."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How EPCs are written: as Digital Links, or as URNs where `gcp_length` is given."""

    gcp_length: GcpLength | None = None


DIGITAL_LINK = Spelling()


class Speller:
    """Spells the EPCs of one document. An identifier that has no URN stays what it is.

    Raises `Gs1Error` where `gcp_length` answers something that is no length of a company prefix.
    """

    def __init__(self, spelling: Spelling) -> None:
        self._gcp_length = spelling.gcp_length
        self._heads: dict[str, str] = {}

    def epc(self, canonical: str) -> str:
        """The identifier as this document writes it."""
        if self._gcp_length is None or not canonical.startswith("https://id.gs1.org/"):
            return canonical
        head, _, serial = canonical.rpartition("/")
        plain = serial.isalnum()
        if plain and head in self._heads:
            return self._heads[head] + serial
        epc = parse_epc(canonical)
        if isinstance(epc, OtherEpc):
            return canonical
        length = self._gcp_length(canonical)
        if length is None:
            return canonical
        urn = epc.urn(length)
        if plain and head.endswith("/21"):
            self._heads[head] = urn[: -len(serial)]
        return urn


_CBV_URN = {
    "bizStep": "urn:epcglobal:cbv:bizstep:",
    "disposition": "urn:epcglobal:cbv:disp:",
    "transaction": "urn:epcglobal:cbv:btt:",
    "party": "urn:epcglobal:cbv:sdt:",
    "reason": "urn:epcglobal:cbv:er:",
}


def cbv_urn(vocabulary: str, word: str) -> str:
    """A bare CBV word as the URN that XML documents carry; a foreign URI as it is."""
    return word if ":" in word else _CBV_URN[vocabulary] + word


class Names:
    """Prefixes of one document: known ones, those it was read with, and ``ext1``, ``ext2``... for the others."""

    def __init__(self, namespaces: Iterable[tuple[str, str]] = (), reserved: Iterable[str] = ()) -> None:
        self._reserved = frozenset(reserved)
        self._known: dict[str, tuple[str, str]] = {}
        for prefix, uri in (*WELL_KNOWN_PREFIXES.items(), *namespaces):
            self._known.setdefault(uri[:-1] if uri[-1:] in ("#", "/", ":") else uri, (prefix, uri))
        self.used: dict[str, str] = {}
        """Prefix to namespace URI, as far as used."""
        self._of: dict[str, str] = {}

    def prefix(self, namespace: str) -> str:
        """The prefix of `namespace`, as expanded names have it."""
        known = self._of.get(namespace)
        if known is not None:
            return known
        prefix, uri = self._known.get(namespace, ("", ""))
        if not prefix or prefix in self.used or prefix in self._reserved:
            taken = self.used.keys() | {name for name, _ in self._known.values()} | self._reserved
            prefix = next(name for name in (f"ext{n}" for n in range(1, 100_000)) if name not in taken)
            uri = uri or namespace + (":" if namespace.startswith("urn:") else "/")
        self._of[namespace] = prefix
        self.used[prefix] = uri
        return prefix

    def json(self, name: str) -> str:
        """An expanded name (also of an attribute, ``@...``) as a JSON member name."""
        if name.startswith("@"):
            return "@" + self.json(name[1:])
        namespace, local = namespace_of(name)
        return name if not namespace or name == "#text" else f"{self.prefix(namespace)}:{local}"

    def xml(self, name: str) -> str:
        """An expanded name as a tag in Clark notation."""
        namespace, local = namespace_of(name)
        if not namespace:
            return local
        prefix = self.prefix(namespace)
        return f"{{{xml_namespace(self.used[prefix])}}}{local}"


def xml_namespace(uri: str) -> str:
    """A namespace as XML documents declare it: GS1's have no separator at their end there."""
    return uri[:-1] if uri in (MDA + ":", USHC + "#") else uri
