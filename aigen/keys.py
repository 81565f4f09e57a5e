"""API keys in the system keyring, by the names of their settings.

`settings` knows which names are there, so that no command asks the keyring for one that is not.
"""

from aigen.errors import UsageError

SERVICE = "aigen"
# How long a secret is at least, to be told from ordinary words.
LENGTH = 6
# What this process has read or stored, so that no message shows it.
_seen: set[str] = set()


def read(name: str) -> str:
    """Return a secret. Raises UsageError where the keyring cannot be read, or has lost it."""
    import keyring

    try:
        found = keyring.get_password(SERVICE, name)
    except Exception as error:  # each system's keyring has errors of its own
        raise _unusable(name, error) from error
    if not found:
        raise UsageError(
            f"{name} is not in the system keyring any more: store it again with aigen keys set, or set it in the "
            "environment"
        )
    _remember(name, found)
    return found


def store(name: str, value: str) -> bool:
    """Store a secret; return whether there is a keyring that keeps it. Raises UsageError if it is locked or broken."""
    import keyring
    from keyring.errors import NoKeyringError

    _remember(name, value)
    try:
        keyring.set_password(SERVICE, name, value)
        return keyring.get_password(SERVICE, name) == value  # one that is switched off keeps nothing
    except NoKeyringError:
        return False
    except Exception as error:
        raise _unusable(name, error) from error


def remove(name: str) -> None:
    """Remove a secret; nothing happens if it is not there. Raises UsageError where the keyring cannot be used."""
    import keyring
    from keyring.errors import NoKeyringError, PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, name)
    except (PasswordDeleteError, NoKeyringError):  # there is none here, or on this machine
        pass
    except Exception as error:
        raise _unusable(name, error) from error


def _remember(name: str, value: str) -> None:
    """Keep a secret out of messages; the address of a server is none."""
    if not name.endswith("URL") and len(value) >= LENGTH:
        _seen.add(value)


def redact(text: str) -> str:
    """Return a text without the secrets that this process has seen."""
    for secret in sorted(_seen, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _unusable(name: str, error: Exception) -> UsageError:
    reason = redact(str(error)) or type(error).__name__
    return UsageError(
        f"the system keyring cannot be used for {name} ({reason}): unlock it, or set {name} in the environment"
    )
