"""Requests that a browser would not send: too large, too slow, ambiguous, or forms that are none."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image
from waitress.server import create_server

from aigen.viewer.app import guarded, make_app
from aigen.viewer.gallery import Gallery
from aigen.viewer.limits import Patience, limited
from tests.web import HOST, Browser

Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(gallery: Gallery) -> Iterator[Connect]:
    """Connections to a server of the gallery that has little patience."""
    sockets: dict[int, object] = {}
    server = create_server(guarded(make_app(gallery), gallery), host="127.0.0.1", port=0, map=sockets, threads=2)
    server.channel_class = limited(gallery, {}, 1000, Patience(head=0.5, whole=1.5))
    stop = threading.Event()

    def run() -> None:
        from waitress import wasyncore

        while not stop.is_set():
            wasyncore.loop(timeout=0.05, map=sockets, use_poll=True, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield lambda: socket.create_connection(("127.0.0.1", server.effective_port), timeout=10)
    stop.set()
    thread.join()
    server.task_dispatcher.shutdown()
    for each in list(sockets.values()):
        each.close()  # type: ignore[attr-defined]


def answer(connection: socket.socket) -> bytes:
    """What is answered until the server hangs up."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /login HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", b"400"),
        ("POST /login HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", b"400"),
        ("POST /login HTTP/1.0\r\nTransfer-Encoding: chunked", b"400"),
        ("POST /login HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6", b"400"),
        ("POST /login HTTP/1.1\r\nTransfer-Encoding: gzip", b"501"),
        ("POST /login HTTP/1.1\r\nContent-Length: 1000", b"413"),
        ("GET /login HTTP/1.1\r\nConnection: close", b"200"),
    ],
)
def test_where_a_request_ends_must_be_certain(connect: Connect, head: str, status: bytes) -> None:
    with connect() as connection:
        connection.sendall(f"{head}\r\nHost: {HOST}\r\n\r\n0\r\n\r\n".encode())
        assert answer(connection).split(b" ")[1] == status


@pytest.mark.parametrize(
    "head", ["GET / HTTP/1.1\r\nX-", f"POST /login HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 900\r\n\r\n"]
)
@pytest.mark.system
def test_what_drips_is_cut(connect: Connect, head: str) -> None:
    began_at = time.monotonic()
    with connect() as connection:
        connection.sendall(head.encode())
        with suppress(ConnectionError):
            while time.monotonic() - began_at < 10:
                connection.sendall(b"a")
                time.sleep(0.05)
    assert 0.4 < time.monotonic() - began_at < 8


# Forms


def part(head: str, body: bytes = b"x") -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + head.encode("latin-1") + b"\r\n\r\n" + body + b"\r\n"


TEXT = "name=prompt\r\nContent-Type: text/plain; charset="


@pytest.mark.parametrize(
    "parts",
    [
        part("name=prompt", b"\xff\xfe\x00"),
        part("name=csrf", b"\xff"),
        part('name=picture; filename="a\0b.png"', b"\x89PNG"),
        part('name=picture; filename="\xff.png"'),
        part("name=picture", b"\x89PNG"),
        part('filename="a.png"'),
        part(""),
        b"--x\r\nContent-Type: text/plain\r\n\r\nx\r\n",
        b"--x\r\n\xff: x\r\n\r\nx\r\n",
        *(part(TEXT + charset, b"\xffx") for charset in ("klingon", "a\0b", "hex", "rot13", "utf-16", "punycode")),
        part("name=prompt\r\nContent-Length: x"),
        part("name=prompt")[:-2],
    ],
)
def test_a_form_that_cannot_be_read_is_told(gallery: Gallery, ana: Browser, parts: bytes) -> None:
    found = re.search(r'name="csrf" value="(\w+)"', ana.get("/image-to-video").text)
    assert found
    picture = BytesIO()
    Image.new("RGB", (32, 32)).save(picture, "PNG")
    form = part("name=csrf", found[1].encode()) + parts + part("name=picture; filename=a.png", picture.getvalue())
    for charset in ("", "; charset=klingon", "; charset=hex"):
        answer = ana.app.post(
            "/image-to-video",
            form + b"--x--\r\n",
            headers={"Content-Type": f"multipart/form-data; boundary=x{charset}"},
            expect_errors=True,
        )
        assert answer.status_code == 400
    assert gallery.store.generations() == []


@pytest.mark.parametrize("name", ["..", "a/b\\c.png", "a" * 300, "con", "\u202e.png"])
def test_an_odd_name_of_a_picture_does_no_harm(gallery: Gallery, ana: Browser, name: str) -> None:
    found = re.search(r'name="csrf" value="(\w+)"', ana.get("/image-to-video").text)
    assert found
    picture = BytesIO()
    Image.new("RGB", (32, 32)).save(picture, "PNG")
    sent = ana.app.post(
        "/image-to-video",
        {"csrf": found[1], "images": "1", "videos": "0"},
        upload_files=[("picture", name, picture.getvalue())],
    )
    assert sent.status_code == 303
    assert len(gallery.store.generations("ana")) == 1
