"""Identifiers and secrets, all from the operating system's generator.

`new_id` names a thing (``ses_1f3k...``): 128 bits, lower-case base32, no meaning, safe in a URL and easy to read out.
`new_secret` opens a thing: 256 bits, base64url. A secret is shown once and kept as its SHA-256 only; with 256 random
bits a slow hash would add nothing.
"""

import base64
import hashlib
import secrets


def new_id(prefix: str) -> str:
    """A fresh identifier such as ``ses_`` and 26 characters."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


def new_secret() -> str:
    """A fresh 256-bit secret as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """The SHA-256 of `secret`: what the database keeps of it."""
    return hashlib.sha256(secret.encode()).digest()
