"""The form of identifiers that are kept verbatim: other EPC schemes, and private URIs.

Nothing here is interpreted. An EPC URN must match the grammar of its scheme (Tag Data Standard, section 6.3) and
have company prefix and reference of the right total length; a private URI must be a URI (CBV 2.0, section 8)::

    urn:epc:id:grai:0614141.12345.400        12 digits before the serial
    urn:epc:id:giai:0614141.ABC%2F1
    urn:epc:idpat:sgtin:0614141.*.*          a pattern ends in stars
    urn:uuid:7f5c1f9e-...    https://example.com/epc/obj/1
"""

import re

from ledger.gs1.charset import urn_decode
from ledger.gs1.company_prefix import split_digits
from ledger.gs1.errors import Gs1Code, Gs1Error, shown

_GS3 = r"(?:[!'()*+,\-.0-9:;=A-Z_a-z]|%[0-9A-Fa-f]{2})"
_CP = r"(?:[0-9A-Z\-]|%2[3Ff])"
_NUMBER = r"(?:0|[1-9][0-9]*)"

# For a scheme: how many digits company prefix and reference have together (None: no such rule), and what follows
# the reference. Where the total is None, the pattern describes the whole body.
_SCHEMES: dict[str, tuple[int | None, re.Pattern[str]]] = {
    "sgtin": (13, re.compile(rf"\.{_GS3}+")),
    "sgln": (12, re.compile(rf"\.{_GS3}+")),
    "sscc": (17, re.compile("")),
    "pgln": (12, re.compile("")),
    "lgtin": (13, re.compile(rf"\.{_GS3}+")),
    "grai": (12, re.compile(rf"\.{_GS3}+")),
    "gdti": (12, re.compile(rf"\.{_GS3}+")),
    "sgcn": (12, re.compile(r"\.[0-9]{1,12}")),
    "gsrn": (17, re.compile("")),
    "gsrnp": (17, re.compile("")),
    "gsin": (16, re.compile("")),
    "itip": (13, re.compile(rf"\.[0-9]{{2}}\.[0-9]{{2}}\.{_GS3}+")),
    "upui": (13, re.compile(rf"\.{_GS3}+")),
    "giai": (None, re.compile(rf"[0-9]{{6,12}}\.{_GS3}+")),
    "ginc": (None, re.compile(rf"[0-9]{{6,12}}\.{_GS3}+")),
    "cpi": (None, re.compile(rf"[0-9]{{6,12}}\.{_CP}+\.[0-9]{{1,12}}")),
    "gid": (None, re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")),
    "usdod": (None, re.compile(rf"[0-9A-HJ-NP-Z]{{5,6}}\.{_NUMBER}")),
    "adi": (None, re.compile(rf"[0-9A-HJ-NP-Z]{{5,6}}\.{_CP}*\.(?:%23)?{_CP}+")),
    "bic": (None, re.compile(r"[A-Z]{3}[JUZ][0-9]{7}")),
    "imovn": (None, re.compile(r"[0-9]{7}")),
}
_SPLIT = re.compile(r"([0-9]*\.[0-9]*)(.*)")
_URN = re.compile(
    r"[Uu][Rr][Nn]:[0-9A-Za-z][0-9A-Za-z\-]{0,30}[0-9A-Za-z]:(?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z~#]|%[0-9A-Fa-f]{2})+"
)
_WEB = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[A-Za-z0-9._~\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#](?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z~#\[\]]|%[0-9A-Fa-f]{2})*)?"
)


def require_epc_urn(text: str) -> None:
    """Hold a ``urn:epc:`` text against the grammar of its scheme.

    Raises:
        Gs1Error: ``not_an_epc``, ``company_prefix``, ``charset``, ``bad_escape`` or ``length``.
    """
    parts = text.split(":", 4)
    if len(parts) != 5 or parts[:2] != ["urn", "epc"] or parts[2] not in ("id", "idpat", "class"):
        raise Gs1Error(
            Gs1Code.NOT_AN_EPC,
            f"{shown(text)} is no pure identity: urn:epc:id:, urn:epc:idpat: or urn:epc:class:",
        )
    kind, scheme, body = parts[2:]
    if scheme not in _SCHEMES or (kind == "class") != (scheme == "lgtin"):
        raise Gs1Error(Gs1Code.NOT_AN_EPC, f"no EPC scheme urn:epc:{kind}:{scheme[:20]} in {shown(text)}")
    urn_decode(body)
    if kind == "idpat" and "*" in body.split("."):
        components = body.split(".")
        if set(components[components.index("*") :]) != {"*"}:
            raise Gs1Error(Gs1Code.NOT_AN_EPC, f"after a star an EPC pattern has stars only: {shown(text)}")
        return
    total, pattern = _SCHEMES[scheme]
    rest = body
    if total is not None:
        match = _SPLIT.fullmatch(body)
        if match is None:
            raise Gs1Error(
                Gs1Code.NOT_AN_EPC, f"a {scheme.upper()} begins with its company prefix: {shown(text)}"
            )
        split_digits(match[1], total, scheme.upper())
        rest = match[2]
    if pattern.fullmatch(rest) is None:
        raise Gs1Error(Gs1Code.NOT_AN_EPC, f"{shown(text)} does not have the parts of a {scheme.upper()}")


def require_private_uri(text: str) -> None:
    """Hold a URI outside GS1's schemes against RFC 8141 (``urn:``) or RFC 3986 (``http:``, ``https:``).

    Raises:
        Gs1Error: ``not_an_epc``.
    """
    if _URN.fullmatch(text) is None and _WEB.fullmatch(text) is None:
        raise Gs1Error(Gs1Code.NOT_AN_EPC, f"{shown(text)} is not a well-formed URI")
