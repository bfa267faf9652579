"""The ``@context`` of a JSON document: which prefixes stand for which namespaces. Nothing is ever fetched.

    ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ext": "http://example.com/ext/"}]

        ext:colour      -> http://example.com/ext#colour          a member name, expanded
        ext:Inspection  -> http://example.com/ext/Inspection      a vocabulary value, written out

GS1's context is known; its terms cannot be given another meaning. Definitions of an event's own ``@context`` come on
top.
"""

from typing import Any

from ledger.epcis.document import NoteCode
from ledger.epcis.errors import ProblemCode, ValueProblem
from ledger.epcis.names import ALLOWED, STANDARD_PREFIXES, WELL_KNOWN_PREFIXES, expanded, is_uri, split_uri
from ledger.epcis.report import Report
from ledger.gs1.errors import shown

_GS1_CONTEXTS = (
    "https://ref.gs1.org/standards/epcis/",
    "https://gs1.github.io/EPCIS/",
    "https://ref.gs1.org/epcis/",
)
_PROTECTED = frozenset().union(*ALLOWED.values()) | {
    "type",
    "id",
    "epcisBody",
    "epcisHeader",
    "eventList",
    "epcClass",
    "quantity",
    "uom",
    "bizTransaction",
    "source",
    "destination",
}
_SEPARATORS = ":/?#[]@"
_SCHEMES = frozenset(("http", "https", "urn"))


class Context:
    """Prefixes and terms in force. A value: `with_local` gives another one."""

    def __init__(
        self,
        prefixes: dict[str, str] | None = None,
        terms: dict[str, str] | None = None,
        vocab: str | None = None,
    ) -> None:
        self.prefixes = prefixes if prefixes is not None else dict(WELL_KNOWN_PREFIXES)
        self._terms = terms or {}
        self._vocab = vocab
        self._names: dict[str, str | None] = {}

    def with_local(self, value: Any, report: Report, where: str) -> "Context":
        """This context and the definitions of an ``@context`` member. Raises `ValueProblem` ``bad_context``."""
        prefixes, terms, vocab = dict(self.prefixes), dict(self._terms), self._vocab
        for item in value if isinstance(value, list) else [value]:
            if type(item) is str:
                if not item.startswith(_GS1_CONTEXTS):
                    report.note(
                        NoteCode.CONTEXT_NOT_LOADED,
                        f"the context {shown(item)} is not fetched; prefixes that only it declares stay unknown",
                        where,
                    )
            elif isinstance(item, dict):
                vocab = self._define(item, prefixes, terms, vocab)
            else:
                raise ValueProblem(
                    ProblemCode.BAD_CONTEXT, "a context is a URI, an object, or a list of these"
                )
        return Context(prefixes, terms, vocab)

    @staticmethod
    def _define(
        item: dict[str, Any], prefixes: dict[str, str], terms: dict[str, str], vocab: str | None
    ) -> str | None:
        for name, meaning in item.items():
            uri = meaning.get("@id") if isinstance(meaning, dict) else meaning
            if name.startswith("@"):
                if name == "@vocab" and type(uri) is str:
                    vocab = uri
                continue
            if isinstance(meaning, dict) and uri is None and ":" in name:
                continue  # says what type a prefixed name has, not what it means
            if type(uri) is not str:
                raise ValueProblem(ProblemCode.BAD_CONTEXT, f"{shown(name)} is defined by a URI")
            head, colon, rest = uri.partition(":")
            if colon and head in prefixes and not rest.startswith("//"):
                uri = prefixes[head] + rest
            if not is_uri(uri):
                raise ValueProblem(
                    ProblemCode.BAD_CONTEXT, f"{shown(name)} is defined by a URI, not {shown(uri)}"
                )
            standard = STANDARD_PREFIXES.get(name)
            redefined = standard is not None and uri.rstrip("#/:") != standard.rstrip("#/:")
            if (redefined and not (name == "gs1" and "gs1.org/voc" in uri)) or name in _PROTECTED | _SCHEMES:
                raise ValueProblem(
                    ProblemCode.BAD_CONTEXT,
                    f"GS1's context gives {shown(name)} its meaning; use another prefix",
                )
            prefixes[name] = uri
            if uri[-1] not in _SEPARATORS:
                terms[name] = uri
        return vocab

    def name(self, key: str, report: Report, where: str) -> str | None:
        """The expanded name of a member, or None for one without prefix that nothing defines."""
        if key not in self._names:
            self._names[key] = self._expand(key, report, where)
        return self._names[key]

    def _expand(self, key: str, report: Report, where: str) -> str | None:
        prefix, colon, local = key.partition(":")
        if not colon:
            if key in self._terms:
                return split_uri(self._terms[key])
            return expanded(self._vocab, key) if self._vocab else None
        if prefix in self.prefixes and not local.startswith("//"):
            return expanded(self.prefixes[prefix], local)
        if prefix not in _SCHEMES:
            report.note(
                NoteCode.UNDECLARED_PREFIX,
                f"no context declares the prefix of {shown(key)}; it is kept as the name itself",
                where,
            )
        if not is_uri(key):
            raise ValueProblem(ProblemCode.BAD_NAME, f"{shown(key)} is no name: write prefix:name")
        return split_uri(key)

    def word(self, text: str) -> str:
        """A vocabulary value with its declared prefix written out."""
        prefix, colon, rest = text.partition(":")
        if colon and prefix not in _SCHEMES and prefix in self.prefixes and not rest.startswith("//"):
            return self.prefixes[prefix] + rest
        return text
