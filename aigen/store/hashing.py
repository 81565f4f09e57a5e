"""What opens an account: passwords, hashed with argon2, and random tokens, hashed too. Neither is ever kept."""

import hashlib
import threading
from functools import cache
from pathlib import Path

from aigen.errors import UsageError

PASSWORD_LIMITS = (8, 1024)
# One at a time: each takes 64 MiB of memory, which is what makes guessing dear.
_hashing = threading.Lock()


def hash_password(password: str) -> str:
    """The hash to keep. Raises UsageError when the password is too short, too long or too common."""
    from argon2 import PasswordHasher

    low, high = PASSWORD_LIMITS
    if not low <= len(password) <= high:
        raise UsageError(f"the password has {len(password)} characters: give {low} to {high}")
    if password.lower() in _commonest() or len(set(password)) == 1:
        raise UsageError("the password is among those that everybody tries first: give another")
    with _hashing:
        return PasswordHasher().hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether a password is the right one. Without a hash it takes as long and is not."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHash

    if len(password) > PASSWORD_LIMITS[1]:
        return False
    some_hash = password_hash or _some_hash()
    try:
        with _hashing:
            return PasswordHasher().verify(some_hash, password) and password_hash is not None
    except (Argon2Error, InvalidHash):
        return False


def hash_token(token: str) -> str:
    """A random token, of a session or a link, as the store keeps it; being random, it cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _commonest() -> frozenset[str]:
    """The 1,000 commonest passwords that are long enough."""
    return frozenset(Path(__file__).with_name("passwords.txt").read_text(encoding="utf-8").split())


@cache
def _some_hash() -> str:
    """A hash of a password that nobody has."""
    import secrets

    return hash_password(secrets.token_hex(16))
