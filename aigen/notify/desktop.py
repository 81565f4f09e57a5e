"""A notice on the desktop.

On Linux the notification service is spoken to over D-Bus itself: it says whether it has taken the notice, which plyer
does not (it returns nothing also when there is no bus, no service, or the service hangs). Elsewhere plyer shows it.
"""

import os
import sys
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aigen.errors import NotDelivered
from aigen.notify.messages import Message

# Seconds that the desktop may take to answer, and that a notice stays.
ANSWER_LIMIT = 5.0
SHOWN_FOR = 15.0
# What Windows can show; what is longer it does not show at all.
WINDOWS_TITLE, WINDOWS_BODY = 63, 255


def show(message: Message, platform: str = sys.platform) -> None:
    """Show a message as a toast. Raises NotDelivered with the reason."""
    if platform == "linux":
        show_by_dbus(message)
    else:
        _show_by_plyer(message, platform)


def why_not(platform: str = sys.platform) -> str | None:
    """What keeps notices from the desktop now, as far as can be said without showing one."""
    try:
        if platform == "linux":
            _bus()
    except NotDelivered as error:
        return str(error)
    return None


def show_by_dbus(message: Message) -> None:
    """Show a message by the notification service of the session bus."""
    from jeepney import DBusAddress, new_method_call
    from jeepney.io.blocking import open_dbus_connection
    from jeepney.wrappers import DBusErrorResponse, unwrap_msg

    service = DBusAddress(
        "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
    )
    try:
        with open_dbus_connection(bus=_bus(), auth_timeout=ANSWER_LIMIT) as connection:

            def call(method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
                request = new_method_call(service, method, signature, body)
                return unwrap_msg(connection.send_and_get_reply(request, timeout=ANSWER_LIMIT))[0]

            body = _marked_up(message, call("GetCapabilities"))
            hints = {"category": ("s", "transfer.complete" if message.event == "completed" else "transfer.error")}
            if message.picture:
                hints["image-path"] = ("s", message.picture.as_uri())
            call(
                "Notify",
                "susssasa{sv}i",
                ("aigen", 0, "", message.title, body, [], hints, round(SHOWN_FOR * 1000)),
            )
    except DBusErrorResponse as error:
        raise NotDelivered(f"the desktop does not take it: {error.name}: {' '.join(map(str, error.data))}") from error
    except TimeoutError as error:
        raise NotDelivered(f"the desktop did not answer within {ANSWER_LIMIT:.0f} s") from error
    except (OSError, EOFError) as error:
        raise NotDelivered(f"the session bus of the desktop cannot be reached: {error}") from error


def _bus() -> str:
    """The address of the session bus, also for a process that was started outside the session."""
    if address := os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    if sys.platform == "win32":
        raise NotDelivered("there is no session bus on Windows: DBUS_SESSION_BUS_ADDRESS is not set")
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if not (folder / "bus").exists():
        raise NotDelivered("there is no desktop: DBUS_SESSION_BUS_ADDRESS is not set and no session bus is running")
    return f"unix:path={quote(str(folder / 'bus'))}"


def _marked_up(message: Message, capabilities: list[str]) -> str:
    """The body as this service shows it: some read it as markup, and some of those make links clickable."""
    if "body-markup" not in capabilities:
        return message.body
    facts = "\n".join(escape(fact, quote=False) for fact in message.facts)
    link = escape(message.link)
    return f'{facts}\n<a href="{link}">{link}</a>' if "body-hyperlinks" in capabilities else f"{facts}\n{link}"


def _show_by_plyer(message: Message, platform: str) -> None:
    from plyer import notification

    title, body = message.title, message.body
    if platform == "win32":
        title, body = cut(title, WINDOWS_TITLE), cut(body, WINDOWS_BODY)
    try:
        notification.notify(title=title, message=body, app_name="aigen", timeout=round(SHOWN_FOR))
    except NotImplementedError as error:
        more = ": pip install pyobjus" if platform == "darwin" else ""
        raise NotDelivered(f"plyer knows no way to show a notice on this system{more}") from error


def cut(text: str, units: int) -> str:
    """Text cut to so many UTF-16 units, never within a character."""
    encoded = text.encode("utf-16-le")
    return text if len(encoded) <= 2 * units else encoded[: 2 * (units - 1)].decode("utf-16-le", errors="ignore") + "…"
