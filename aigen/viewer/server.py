"""Serving the gallery: one server on a content folder, with a worker and notices beside it, ended without a loss."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from aigen import worker
from aigen.errors import UsageError
from aigen.generation import Workshop
from aigen.notify import links
from aigen.notify.delivery import Courier, Rounds
from aigen.settings import ContentFolder, Settings
from aigen.store import Store
from aigen.times import to_text, utc_now
from aigen.viewer.app import Gallery, guarded, make_app

THREADS = 8
BODY_LIMIT = 2 * 2**20
# Seconds between two looks at what was asked for: to end, or to start a worker.
PAUSE = 0.2
# Seconds without a byte on its way after which a download is given up when the server is to end.
PATIENCE = 10.0


def gallery(content: ContentFolder, settings: Settings, host: str, port: int) -> Gallery:
    """The gallery as it is reached at a host and port, and by its base URL, if that is set."""
    base = settings.read_base_url()
    names = {name.lower() for name in (host, "localhost", "127.0.0.1", "[::1]")}
    if is_any(host):
        names |= {socket.gethostname().lower(), *_own_addresses()}
    hosts = {f"{_bracketed(name)}:{port}" for name in names} | (
        {_bracketed(name) for name in names} if port == 80 else set()
    )
    if base:
        hosts.add(urlsplit(base).netloc.lower())
    public = not _is_loopback(host) or (base is not None and not links.is_loopback(base))
    return Gallery(content, settings, frozenset(hosts), public, secure=bool(base and base.startswith("https://")))


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


def serve(
    content: ContentFolder,
    settings: Settings,
    found: socket.socket,
    host: str,
    stop: threading.Event,
    report: Callable[[str], None],
    read_settings: Callable[[], Settings],
) -> None:
    """Serve until `stop`; what is being downloaded then may finish. `report` is told the address when it is ready.

    Raises AlreadyRunning when another server does on this folder.
    """
    from waitress.server import create_server

    port = found.getsockname()[1]
    shown = gallery(content, settings, host, port)
    url = settings.read_base_url() or f"http://{_bracketed('127.0.0.1' if is_any(host) else host)}:{port}"
    already = content.read_note(links.SERVE).get("url")
    running = f"the web gallery of {str(content.root)!r} is already running" + (f": {already}" if already else "")
    Store.open(content, create=True).close()  # what is wrong with the store is told before anybody asks
    with content.hold(links.SERVE, 0.2, running):
        sockets: dict[int, Any] = {}
        server = create_server(
            guarded(make_app(shown), shown),
            map=sockets,
            sockets=[found],
            threads=THREADS,
            max_request_body_size=BODY_LIMIT,
            channel_timeout=60,
            ident=None,
        )
        content.write_note(links.SERVE, {"pid": os.getpid(), "url": url, "started_at": to_text(utc_now())})
        courier = Courier(content, read_settings)
        report(url)
        with Rounds(courier) as rounds, _Attendant(content):
            _run(server, sockets, stop, rounds.check)


def _run(server: Any, sockets: dict[int, Any], stop: threading.Event, check: Callable[[], None]) -> None:
    """Serve until `stop`, and then what is still on its way."""
    from waitress import wasyncore

    def turn() -> None:
        wasyncore.loop(timeout=PAUSE, map=sockets, use_poll=server.adj.asyncore_use_poll, count=1)

    while not stop.is_set():
        check()
        turn()
    server.accepting = False
    server.del_channel()
    server.socket.close()
    last, moved_at = None, monotonic()
    while left := _left(server):
        if left != last:
            last, moved_at = left, monotonic()
        if monotonic() - moved_at > PATIENCE:
            break
        turn()
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


class _Attendant:
    """Sees that a worker runs while orders wait for one; starts it again when it dies, and ends it with the server."""

    def __init__(self, content: ContentFolder) -> None:
        self._content = content
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._attend, name="attendant", daemon=True)

    def __enter__(self) -> "_Attendant":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        if self._process and self._process.poll() is None:
            self._process.terminate()  # what it was making it gives back, for the next worker
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _attend(self) -> None:
        with Store.open(self._content, create=True) as store:
            workshop = Workshop(self._content, store)
            while not self._stop.wait(PAUSE):
                if self._process and self._process.poll() is None:
                    continue
                if not worker.is_running(self._content) and worker.waiting(workshop):
                    self._process = worker.start(self._content)
                    self._stop.wait(2)  # it takes a moment to hold its lock


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


def _own_addresses() -> set[str]:
    """The addresses of this machine, as far as it knows them by its own name."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()
