"""Mail addresses: which can be used, and how they are told to mail servers."""

import re

# What is no part of an address here: a query, what could become another header, an escaped letter.
_UNUSABLE = re.compile(r"^/|[?%]|=\?")
# This machine, and those of a local network, which the library refuses.
_LOCAL = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?:localhost|local)", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether this is a mail address, also of a local network; whether it exists is not asked."""
    return _parse(text) is not None


def for_servers(address: str) -> str:
    """Return an address as any mail server takes it: with its domain in ASCII, if its local part is ASCII too."""
    return _parse(address) or address


def _parse(text: str) -> str | None:
    """Return an address with its domain in ASCII, where that helps; None for what is no address."""
    from email_validator import EmailNotValidError, validate_email

    if _UNUSABLE.search(text) or not text.isprintable() or len(text) > 254:
        return None
    name, _, domain = text.rpartition("@")
    is_local = bool(_LOCAL.fullmatch(domain))
    try:
        found = validate_email(f"{name}@example.org" if is_local else text, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return None
    return text if is_local else found.ascii_email or text
