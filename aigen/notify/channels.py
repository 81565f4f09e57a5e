"""The channels by which a user is told: which there are, whether they can be used here, and sending by them.

`send` is the seam to libraries, servers and desktops: whatever goes wrong behind it comes out as NotDelivered.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from aigen.errors import AigenError, NotDelivered
from aigen.notify import desktop, mail, services, terminal
from aigen.notify.messages import Message
from aigen.settings import Settings

# The channels that need no terminal, as patterns of the store.
# Each is served by itself: one that hangs delays no other.
LANES = ("desktop", "mailto:*", "*://*")


def check(channels: Iterable[str], settings: Settings) -> None:
    """Whether messages can be written and sent by these channels, as far as can be said before. Raises UsageError."""
    settings.read_base_url()
    for channel in channels:
        if mail.is_mail(channel):
            mail.read_server(settings, needed_for=channel)
        elif services.is_service(channel):
            services.check(channel)


def send(channel: str, message: Message, settings: Settings) -> None:
    """Send a message and return when it has been taken over. Raises NotDelivered with the reason."""
    try:
        if channel == "terminal":
            terminal.show(message)
        elif channel == "desktop":
            desktop.show(message)
        elif mail.is_mail(channel):
            mail.send(message, channel.removeprefix("mailto:"), mail.read_server(settings, needed_for=channel))
        else:
            services.send(message, channel)
    except NotDelivered:
        raise
    except AigenError as error:
        raise NotDelivered(str(error)) from error
    except Exception as error:
        raise NotDelivered(f"{type(error).__name__}: {error}") from error


def display_name(channel: str) -> str:
    """A channel as it may be shown: the URL of a messenger is a secret, but for its kind."""
    return f"{channel.partition('://')[0]}://…" if services.is_service(channel) else channel


def without_secrets(text: str, channel: str) -> str:
    """A reason as it may be kept and shown: what a library says of a messenger may repeat its URL."""
    if not services.is_service(channel):
        return text
    parts = re.split(r"[/:@?&=#]+", channel.partition("://")[2])
    secrets = {form for part in parts for form in (part, unquote(part)) if len(form) > 3}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
