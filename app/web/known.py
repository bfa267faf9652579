"""A browser in which somebody has signed in before: it alone is not held up by what strangers try with that name.

Waiting by name alone lets anybody shut anybody out, and waiting by address alone everybody behind one shop's router. So
signing in leaves a cookie, signed by this node, that says for which name (as a hash); it opens nothing. Whoever comes
with it is counted apart, and so is each address without it (OWASP, 'device cookies').
"""

import hmac
import ipaddress

from flask import Response, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from app.people.rules import canonical_name
from app.people.service import Source
from app.shared.ids import digest, new_id
from app.wiring import services

_SECONDS = 180 * 86_400


def cookie_name() -> str:
    """``__Host-`` as with the session's cookie."""
    return "__Host-packproof_known" if services().settings.is_production else "packproof_known"


def source(name: str) -> Source:
    """Who tries to sign in as `name`: a browser that did before, or an address."""
    try:
        device, name_hash = _signer().loads(request.cookies.get(cookie_name(), ""), max_age=_SECONDS)
        if hmac.compare_digest(str(name_hash), _hash(name)):
            return Source(f"browser {device}", known=True)
    except (BadData, ValueError, TypeError):
        pass
    return Source(f"address {network(request.remote_addr or '')}")


def remember(response: Response, name: str) -> None:
    """Let this browser be known as one in which `name` has signed in."""
    response.set_cookie(
        cookie_name(),
        _signer().dumps([new_id("brw"), _hash(name)]),
        max_age=_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=services().settings.is_production,
        path="/",
    )


def network(address: str) -> str:
    """What of an address one person has: all of IPv4, the first 64 bits of IPv6, whose rest anybody chooses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _hash(name: str) -> str:
    return digest(canonical_name(name)).hex()


def _signer() -> URLSafeTimedSerializer:
    assert current_app.secret_key is not None
    return URLSafeTimedSerializer(current_app.secret_key, salt="known browser")
