"""The link in a notice: where the web gallery is, and a token that opens one order there, once."""

import secrets
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from aigen.content import ContentFolder
from aigen.settings import Settings
from aigen.store import Store
from aigen.store.hashing import hash_token
from aigen.times import Clock
from aigen.types.rows import Generation

DEFAULT_URL = "http://127.0.0.1:8000"
LIFETIME = timedelta(days=7)
# The lock of the web gallery, and the note in which it says where it listens.
SERVE = "serve"


def base_url(settings: Settings, content: ContentFolder) -> str:
    """The address of the web gallery: the one set, else where it last listened. Raises UsageError."""
    return settings.read_base_url() or str(content.read_note(SERVE).get("url") or DEFAULT_URL)


def is_served(content: ContentFolder) -> bool:
    """Whether a web gallery of this content folder is running."""
    return content.is_locked(SERVE)


def is_loopback(url: str) -> bool:
    """Whether a URL is of this machine only."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def make(store: Store, order: Generation, url: str, clock: Clock) -> str:
    """A link that opens an order for whoever has it, once and for a week. The store keeps only the token's hash."""
    token = secrets.token_urlsafe(24)
    now = clock()
    store.add_link(hash_token(token), order, now, now + LIFETIME)
    return f"{url}/open/{token}"
