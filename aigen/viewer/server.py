"""Serving the gallery: one server on a content folder, with a worker and notices beside it, ended without a loss."""

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from aigen.content import ContentFolder, write_whole
from aigen.errors import UsageError
from aigen.media import uploads
from aigen.notify import links
from aigen.notify.delivery import Courier, Rounds
from aigen.orders import quotas
from aigen.orders.attendant import Attendant
from aigen.settings import REGISTRATION, Settings
from aigen.store import Store, copy_store, is_writable
from aigen.times import to_text, utc_now
from aigen.viewer import forms
from aigen.viewer.app import guarded, make_app
from aigen.viewer.gallery import Gallery, Launch

THREADS = 8
# The most bytes of a form, and of the one that brings a picture (whose own limit is told in better words).
BODY_LIMIT, UPLOAD_LIMIT = 2 * 2**20, uploads.BYTES_LIMIT + 2 * 2**20
# Seconds between two looks at whether it is to end.
PAUSE = 0.2
CONNECTIONS = 1000
# Seconds in which nothing can be sent after which a download is given up when the server is to end.
PATIENCE = 60.0


def gallery(content: ContentFolder, settings: Settings, host: str, port: int, needs_token: bool = False) -> Gallery:
    """The gallery as it is reached at a host and port, and by its base URL, if that is set.

    `needs_token`: where only this machine reaches it, entering without a password needs the launch token.
    """
    base = settings.read_base_url()
    names = {host.lower(), "localhost", "127.0.0.1", "::1"}
    if is_any(host):
        names |= {socket.gethostname().lower()}
    hosts = {named for name in names for named in _named(name, port)}
    public = not _is_loopback(host)
    if base:
        found = urlsplit(base)
        hosts |= _named(found.hostname or "", found.port or {"http": 80, "https": 443}[found.scheme])
        public = public or not links.is_loopback(base)
    shown = Gallery(
        content,
        settings,
        frozenset(hosts),
        anywhere=port if is_any(host) else None,
        public=public,
        secure=bool(base and base.startswith("https://")),
        proxied=bool(base and _is_loopback(host) and not links.is_loopback(base) and not trusted_proxy(settings)),
        launch=Launch(port) if needs_token and not public else None,
    )
    # What is wrong with these settings is said before anybody comes.
    settings.choice("AIGEN_REGISTRATION", *REGISTRATION)
    settings.number("AIGEN_MAX_ORDERS", 1)
    quotas.read_limits(settings, public)
    return shown


def _named(name: str, port: int) -> set[str]:
    """How a browser names a host and port: without the port where it is the usual one."""
    with suppress(UnicodeError):
        name = name.encode("idna").decode() if not name.isascii() else name
    shown = _bracketed(name)
    return {f"{shown}:{port}"} | ({shown} if port in (80, 443) else set())


def trusted_proxy(settings: Settings) -> str | None:
    """The address of a proxy that may say for whom it asks (X-Forwarded-For), if there is one."""
    return settings.values.get("AIGEN_TRUSTED_PROXY") or None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises UsageError in one clear line: what is taken, unknown or not allowed."""
    if not 0 <= port < 65536:
        raise UsageError(f"port {port} is not usable: give a number from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"host {host[:80]!r} is not known here ({error.strerror}): try 127.0.0.1") from error
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
    except OSError as error:
        found.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on ({error.strerror}): give another --port, or 0 for any that is free"
        ) from error
    return found


@contextmanager
def viewable(content: ContentFolder) -> Iterator[ContentFolder]:
    """Yield a content folder to serve: of one that cannot be written, with a copy of its store. Raises ContentError."""
    if is_writable(content.root) or not os.access(content.database, os.F_OK):
        content.check_writable()
        yield content
        return
    with tempfile.TemporaryDirectory(prefix="aigen-") as folder:
        copy = copy_store(content, Path(folder))
        copy.making.mkdir()
        yield copy


def serve(
    content: ContentFolder,
    settings: Settings,
    found: socket.socket,
    host: str,
    stop: threading.Event,
    report: Callable[[str], None],
    opened: Callable[[str], None],
    read_settings: Callable[[], Settings],
    needs_token: bool = True,
) -> None:
    """Serve until `stop`; what is being downloaded then may finish. `opened` is told the address when it is ready.

    A read-only folder is only shown: nothing is made of it or sent from it. Raises AlreadyRunning when another server
    does on this folder.
    """
    from waitress.server import create_server

    from aigen.viewer.limits import limited

    port = found.getsockname()[1]
    shown = gallery(content, settings, host, port, needs_token)
    url = settings.read_base_url() or f"http://{_bracketed('127.0.0.1' if is_any(host) else host)}:{port}"
    already = content.read_note(links.SERVE).get("url")
    running = f"the web gallery of {str(content.root)!r} is already running" + (f": {already}" if already else "")
    # Report a store that cannot be used before anybody visits.
    Store.open(content, create=not content.is_read_only).close()
    with content.hold(links.SERVE, 0.2, running):
        sockets: dict[int, Any] = {}
        proxy = trusted_proxy(settings)
        server = create_server(
            guarded(make_app(shown), shown),
            map=sockets,
            sockets=[found],
            threads=THREADS,
            max_request_body_size=UPLOAD_LIMIT,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,
            channel_timeout=20,
            ident=None,
            **({"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if proxy else {}),
        )
        server.channel_class = limited(shown, {forms.FROM_PICTURE.path: UPLOAD_LIMIT}, BODY_LIMIT)
        content.write_note(links.SERVE, {"pid": os.getpid(), "url": url, "started_at": to_text(utc_now())})
        if content.is_read_only:
            report(f"{content.root} is read-only: it can be viewed; nothing is made or sent")
        address = f"{url}/?token={shown.launch.token}" if shown.launch else url
        report(f"the gallery of {content.root} is at {address} (Ctrl-C ends it)")
        with ExitStack() as stack:
            opened(stack.enter_context(_page_that_opens(content, address)) if shown.launch else url)
            check: Callable[[], None] = lambda: None  # noqa: E731
            if not content.is_read_only:
                check = stack.enter_context(Rounds(Courier(content, read_settings, log=report))).check
                stack.enter_context(Attendant(content, report))
            try:
                _run(server, sockets, stop, check)
            finally:
                _drain(server, sockets)


@contextmanager
def _page_that_opens(content: ContentFolder, address: str) -> Iterator[str]:
    """Yield the URL of a page that only this user can read and that leads to an address.

    All users of a machine can see the arguments of processes, and so those of a browser.
    """
    page = content.making / "launch.html"
    with write_whole(page) as unfinished:
        unfinished.touch(mode=0o600)
        unfinished.write_text(f'<meta http-equiv="refresh" content="0; url={address}">\n', encoding="utf-8")
    try:
        yield page.as_uri()
    finally:
        page.unlink(missing_ok=True)


def _run(server: Any, sockets: dict[int, Any], stop: threading.Event, check: Callable[[], None]) -> None:
    """Serve until `stop`."""
    while not stop.is_set():
        check()
        _turn(sockets)


def _turn(sockets: dict[int, Any]) -> None:
    from waitress import wasyncore

    wasyncore.loop(timeout=PAUSE, map=sockets, use_poll=True, count=1)


def _drain(server: Any, sockets: dict[int, Any]) -> None:
    """Take no more requests, and send what is still on its way."""
    server.accepting = False
    server.del_channel()
    server.socket.close()
    last, moved_at = None, monotonic()
    while left := _left(server):
        if left != last:
            last, moved_at = left, monotonic()
        if monotonic() - moved_at > PATIENCE:
            break
        _turn(sockets)
    server.task_dispatcher.shutdown()
    for channel in list(server.active_channels.values()):
        channel.handle_close()


def _left(server: Any) -> list[tuple[int, int]]:
    """How much is still to be sent: the requests and bytes of each connection that has any."""
    channels = list(server.active_channels.values())
    return [
        (len(channel.requests), channel.total_outbufs_len)
        for channel in channels
        if channel.requests or channel.total_outbufs_len
    ]


def is_any(host: str) -> bool:
    """Whether a host means every address of this machine."""
    return host in ("", "0.0.0.0", "::")


def _is_loopback(host: str) -> bool:
    return host != "" and links.is_loopback(f"http://{_bracketed(host)}")


def _bracketed(host: str) -> str:
    """A host as a URL has it."""
    try:
        return f"[{host}]" if ip_address(host).version == 6 else host
    except ValueError:
        return host
