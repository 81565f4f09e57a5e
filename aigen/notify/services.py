"""A notice by a messenger (ntfy, Slack, Telegram, …): by Apprise, which knows some hundred and is an extra."""

import logging
import re
from typing import TYPE_CHECKING

from aigen.errors import NotDelivered, UsageError
from aigen.notify.messages import Message

if TYPE_CHECKING:
    from apprise import Apprise

INSTALL = "pip install 'aigen[apprise]'"


def is_service(channel: str) -> bool:
    return "://" in channel and not channel.startswith("mailto:")


def check(channel: str) -> None:
    """Whether Apprise knows what this URL says. Raises UsageError; the URL itself, which holds secrets, is not told."""
    _load(channel)


def send(message: Message, channel: str) -> None:
    """Send a message by the messenger that a URL names. Raises NotDelivered."""
    from apprise import LogCapture

    service = _load(channel)
    with LogCapture(level=logging.DEBUG, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
        sent = service.notify(title=message.title, body=message.body)
        told = [line for line in log.getvalue().splitlines() if line]
    if not sent:
        raise NotDelivered(_reason(told))


def _reason(told: list[str]) -> str:
    """Why it failed; Apprise says so only in its log."""
    reasons = [line for line in told if "rror" in line or "ailed" in line or "xception" in line]
    if network := re.search(r"\[Errno -?[0-9]+\] ([^\"')]+)|(timed out)", " ".join(reasons)):
        return f"it cannot be reached: {(network[1] or network[2]).strip()}"
    return " ".join(reasons[-2:]) if reasons else "the messenger did not take it"


def _load(channel: str) -> "Apprise":
    scheme = channel.partition("://")[0]
    try:
        from apprise import Apprise
    except ImportError:
        raise UsageError(f"{scheme}://… needs Apprise: {INSTALL}") from None
    service = Apprise()
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print the URL's parts to the user's terminal
    if not service.add(channel):
        raise UsageError(
            f"channel {scheme}://… is not one that Apprise knows: "
            "see https://github.com/caronc/apprise/wiki for its form"
        )
    return service
