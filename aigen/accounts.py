"""Passwords: hashed with argon2, never kept."""

from aigen.errors import UsageError

PASSWORD_LIMITS = (8, 1024)


def hash_password(password: str) -> str:
    """The hash to keep. Raises UsageError when the password is too short or too long."""
    from argon2 import PasswordHasher

    low, high = PASSWORD_LIMITS
    if not low <= len(password) <= high:
        raise UsageError(f"the password has {len(password)} characters: give {low} to {high}")
    return PasswordHasher().hash(password)
