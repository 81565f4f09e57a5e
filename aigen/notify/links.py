"""The link in a notice: where the gallery is, and a token that opens an order there, once, or confirms an address."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from aigen.content import ContentFolder
from aigen.settings import Settings
from aigen.store import Store
from aigen.store.addresses import CONFIRMATION_LIFETIME
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


@dataclass(frozen=True)
class Link:
    """A single-use link that needs no login: it opens one order or confirms a mail address."""

    token: str
    expires_at: datetime
    page: Literal["open", "confirm"] = "open"

    def address(self, url: str) -> str:
        """Return its address in the web gallery at this URL."""
        return f"{url}/{self.page}/{self.token}"


def make_confirmation(store: Store, order: Generation, channel: str, clock: Clock) -> Link | None:
    """Write a link with which the owner of a mail address confirms it; None if it is confirmed already."""
    now = clock()
    link = Link(secrets.token_urlsafe(24), now + CONFIRMATION_LIFETIME, "confirm")
    return link if store.ask_confirmation(hash_token(link.token), order, channel, now, link.expires_at) else None


def make(store: Store, order: Generation, clock: Clock) -> Link:
    """Write a link that is valid for a week. The store keeps only the hash of its token."""
    now = clock()
    link = Link(secrets.token_urlsafe(24), now + LIFETIME)
    store.add_link(hash_token(link.token), order, now, link.expires_at)
    return link
