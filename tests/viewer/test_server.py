"""The gallery as a process: a real server, its worker, and how it ends."""

import json
import os
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from aigen.content import ContentFolder
from aigen.settings import Settings
from aigen.viewer import server as viewer
from tests.conftest import kill, kill_worker, run_aigen, run_process, start_aigen, wait_for
from tests.notices import mail_server, mail_settings

CONTENT = Path("generated_content")
Start = Callable[..., "Server"]


class Server:
    """A running `aigen serve`, and a visitor of it."""

    def __init__(self, *arguments: object) -> None:
        self.process = start_aigen("serve", "--port", 0, *arguments)
        assert self.process.stderr
        self.said = self.process.stderr.readline()
        found = re.search(r"(http://[^/\s]+)\S*", self.said)
        assert found, self.said + self.process.communicate()[1]
        self.url, self.address = found[1], found[0]
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.opener.open(self.address, timeout=60).close()  # as the user does who reads what it prints

    def get(self, path: str) -> str:
        with self.opener.open(self.url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, form: str, **values: object) -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.get(form))
        assert found
        data = urlencode({"csrf": found[1], **values}).encode()
        with self.opener.open(self.url + path, data, timeout=60) as answer:
            return str(answer.read().decode())

    @property
    def cookie(self) -> str:
        jar = next(handler.cookiejar for handler in self.opener.handlers if hasattr(handler, "cookiejar"))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)

    def connect(self, path: str, slow: bool = False) -> socket.socket:
        """A connection on which a file has been asked for and nothing been read; a `slow` one takes little at once."""
        host, port = self.url.removeprefix("http://").split(":")
        found = socket.create_connection((host, int(port)), timeout=60)
        if slow:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        found.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {self.cookie}\r\n\r\n".encode())
        return found

    @property
    def memory(self) -> int:
        """What the web process holds in memory, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


@pytest.fixture
def serve() -> Iterator[Start]:
    running: list[Server] = []

    def start(*arguments: object) -> Server:
        running.append(Server(*arguments))
        return running[-1]

    yield start
    for server in running:
        kill(server.process)
    kill_worker(CONTENT, signal.SIGKILL)


def order(server: Server, **typed: object) -> None:
    server.post("/text-to-video", "/text-to-video", **{"prompt": "a kite", "images": 1, "videos": 1, **typed})


def orders() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run_aigen("status", "--json").stdout)
    return found


def read_all(connection: socket.socket) -> bytes:
    """The body of an answer, as long as it says it is."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert found
    while len(body) < int(found[1]) and (part := connection.recv(65536)):
        body += part
    return body


def test_an_order_from_the_web_is_made_by_the_worker_beside_it(serve: Start) -> None:
    server = serve()
    assert server.said == f"the gallery of {CONTENT.absolute()} is at {server.address} (Ctrl-C ends it)\n"
    assert re.fullmatch(rf"{server.url}/\?token=[\w-]{{32}}", server.address)
    server.post("/register", "/register", user_id="ana", password="")
    order(server)
    wait_for(lambda: server.get("/progress") == "{}")
    page = server.get("/dash")
    assert page.count("<video ") == 1
    assert orders()[0]["status"] == "Completed"
    assert f'"link": "{server.url}/open/' in run_aigen("generate", "x", "--images", 1, "--videos", 0, "--json").stdout
    second = run_aigen("serve", "--port", 0)
    assert (second.returncode, server.url in second.stderr) == (3, True)
    _, told = kill(server.process, signal.SIGTERM)
    assert (server.process.returncode, told) == (0, "")


def upload(server: Server, path: str, size: int) -> int:
    """Send a form with a file of so many bytes; the status of the answer."""
    found = re.search(r'name="csrf" value="(\w+)"', server.get("/login" if path == "/register" else path))
    head = f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{found[1] if found else ""}\r\n'
    head += '--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    data = head.encode() + bytes(size) + b"\r\n--x--\r\n"
    asked = urllib.request.Request(server.url + path, data, {"Content-Type": "multipart/form-data; boundary=x"})
    try:
        with server.opener.open(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionError):  # it has said no and read no further
        return 413


def test_only_who_has_logged_in_may_send_much_and_only_a_picture(serve: Start) -> None:
    server = serve()
    assert upload(server, "/image-to-video", 3_000_000) == 413
    assert upload(server, "/register", 3_000_000) == 413
    server.post("/register", "/register", user_id="ana", password="")
    assert upload(server, "/image-to-video", 3_000_000) == 400  # which was read, and is no picture
    assert upload(server, "/image-to-video", 23_000_000) == 413
    assert upload(server, "/text-to-video", 3_000_000) == 413
    # Who asks first whether the rest is wanted is told no, and not to go on.
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as stranger:
        head = (
            f"POST /image-to-video HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: "
            "9000000\r\nExpect: 100-continue\r\n\r\n"
        )
        stranger.sendall(head.encode())
        assert stranger.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.system
def test_ending_the_server_strands_no_order(serve: Start) -> None:
    server = serve()
    server.post("/register", "/register", user_id="ana", password="")
    order(server, images=1, videos=0)
    wait_for(lambda: kill_worker(CONTENT, 0))
    later = run_process(
        "generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0, "--user", "bob", "--detach"
    )
    assert later.returncode == 0
    _, told = kill(server.process, signal.SIGTERM)
    assert told == "" or "still being made in the background" in told
    wait_for(lambda: [found["status"] for found in orders()] == ["Completed"] * 2)


@pytest.mark.system
def test_a_worker_that_cannot_start_is_told_and_not_tried_without_end(serve: Start) -> None:
    server = serve()
    server.post("/register", "/register", user_id="ana", password="")
    Path(".env").write_bytes(b"AIGEN_MODEL=\xff\xfe")
    order(server, images=1, videos=0)
    assert server.process.stderr
    assert server.process.stderr.readline().startswith(
        "the worker ended with 2: aigen worker shows why; tried again in 1 s"
    )
    assert server.process.stderr.readline().endswith("; tried again in 2 s\n")
    Path(".env").unlink()
    wait_for(lambda: orders()[0]["status"] == "Completed")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "99999"], "99999"),
        (["--port", "x"], "'x'"),
        (["--host", "nonesuch.invalid"], "nonesuch.invalid"),
        (["--host", "192.0.2.1", "--port", "0"], "192.0.2.1"),
        (["--base-url", "gallery"], "gallery"),
    ],
)
def test_what_cannot_be_served_is_one_clear_line(arguments: list[str], told: str) -> None:
    result = run_aigen("serve", *arguments)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert told in result.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run_aigen("serve", "--port", taken.getsockname()[1])
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert "Address already in use" in result.stderr
    assert "--port" in result.stderr


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    result = run_aigen("serve", "--port", 0, "--content", file / "folder")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "cannot be written" in result.stderr


def make_large(server: Server, size: int = 30_000_000) -> str:
    """Make a video that no buffer between server and visitor holds; its path."""
    server.post("/register", "/register", user_id="ana", password="")
    order(server, images=0)
    wait_for(lambda: server.get("/progress") == "{}")
    (video,) = CONTENT.glob("ana/*.mp4")
    with video.open("ab") as file:
        file.write(os.urandom(size))
    return f"/media/{video.name.split('-')[0]}/{video.name}"


@pytest.mark.system
def test_a_download_is_finished_before_the_server_ends(serve: Start) -> None:
    server = serve()
    path = make_large(server)
    connection = server.connect(path)
    connection.recv(1000)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(1)
    with pytest.raises(ConnectionRefusedError):
        server.connect("/")
    body = b""
    while part := connection.recv(2**20):
        body += part
    (video,) = CONTENT.glob("ana/*.mp4")
    assert video.read_bytes().endswith(body[-1_000_000:])
    assert len(body) >= video.stat().st_size - 1000
    connection.close()
    server.process.wait(timeout=20)
    assert server.process.returncode == 0


@pytest.mark.system
def test_a_killed_server_and_a_killed_worker_lose_no_order(serve: Start) -> None:
    server = serve()
    server.post("/register", "/register", user_id="ana", password="")
    order(server, images=4, videos=4)
    wait_for(lambda: list(CONTENT.glob("ana/*.png")))
    kill(server.process)
    assert kill_worker(CONTENT, signal.SIGKILL) == 1
    assert orders()[0]["status"] == "Processing"
    again = serve()
    wait_for(lambda: kill_worker(CONTENT, 0))
    kill_worker(CONTENT, signal.SIGKILL)  # and once more: the server starts another
    wait_for(lambda: orders()[0]["status"] == "Completed")
    assert orders()[0]["done"] == 8
    assert again.process.poll() is None


@pytest.mark.system
def test_a_running_order_is_cancelled_from_the_web(serve: Start) -> None:
    server = serve()
    server.post("/register", "/register", user_id="ana", password="")
    order(server, images=0, videos=20)
    wait_for(lambda: list(CONTENT.glob("ana/*.mp4")))
    name = orders()[0]["generation_id"]
    server.post(f"/orders/{name}/cancel", "/dash")
    wait_for(lambda: not (CONTENT / ".work" / str(name)).exists())
    assert orders()[0]["status"] == "Cancelled"
    assert 0 < len(list(CONTENT.glob("ana/*.mp4"))) < 20


@pytest.mark.system
def test_fifty_visitors_at_once_get_whole_videos_while_an_order_is_made(serve: Start) -> None:
    server = serve()
    path = make_large(server, 4_000_000)
    (video,) = CONTENT.glob("ana/*.mp4")
    whole = video.read_bytes()
    order(server, images=2, videos=1)
    got: list[bytes] = []

    def fetch() -> None:
        with server.connect(path) as connection:
            got.append(read_all(connection))

    visitors = [threading.Thread(target=fetch) for _ in range(50)]
    for visitor in visitors:
        visitor.start()
    highest = 0
    while any(visitor.is_alive() for visitor in visitors):
        highest = max(highest, server.memory)
        time.sleep(0.05)
    assert [body == whole for body in got] == [True] * 50
    assert highest < 150_000_000
    wait_for(lambda: server.get("/progress") == "{}")


@pytest.mark.system
def test_slow_visitors_keep_nobody_waiting(serve: Start) -> None:
    server = serve()
    path = make_large(server)
    slow = [server.connect(path, slow=True) for _ in range(20)]  # more than there are threads
    slow += [server.connect(f"/archive/{path.split('/')[2]}.zip", slow=True) for _ in range(12)]
    for connection in slow:
        connection.recv(100)
    assert "a kite" in server.get("/dash")
    idle = [server.connect("/static/style.css") for _ in range(150)]
    assert "a kite" in server.get("/dash")
    for connection in slow + idle:
        connection.close()


@pytest.mark.system
def test_many_who_guess_at_once_take_little_memory_and_get_few_guesses(serve: Start) -> None:
    server = serve()
    server.post("/register", "/register", user_id="ana", password="long enough")
    codes: list[int] = []

    def guess() -> None:
        other = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        with other.open(server.url + "/login") as page:
            found = re.search(r'name="csrf" value="(\w+)"', page.read().decode())
        assert found
        data = urlencode({"csrf": found[1], "user_id": "ana", "password": "wrong enough"}).encode()
        with pytest.raises(urllib.error.HTTPError) as caught:
            other.open(server.url + "/login", data)
        with caught.value as answer:
            codes.append(answer.code)

    guesses = [threading.Thread(target=guess) for _ in range(16)]
    for thread in guesses:
        thread.start()
    for thread in guesses:
        thread.join()
    assert len(codes) == 16
    assert 1 <= codes.count(403) <= 5
    assert set(codes) <= {403, 429, 503}, "of many at once, most are sent away before they are heard"
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found
    assert int(found[1]) * 1024 < 200_000_000


def test_a_body_that_is_too_large_is_refused(serve: Start) -> None:
    server = serve()
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError)) as caught:
        server.opener.open(server.url + "/login", b"x" * 3_000_000, timeout=30)
    if isinstance(caught.value, urllib.error.HTTPError):  # else it has hung up before all was sent
        with caught.value as answer:
            assert answer.code == 413


def test_a_forwarded_address_or_host_is_not_believed(serve: Start) -> None:
    server = serve()
    server.opener.addheaders = [
        ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"),
    ]  # fmt: skip
    server.post("/register", "/register", user_id="ana", password="")
    page = server.get("/activity")
    assert "127.0.0.1" in page
    assert "6.6.6.6" not in page
    assert "evil" not in page
    other = urllib.request.Request(server.url + "/", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.opener.open(other)
    with refused.value as answer:
        assert answer.code == 421


@pytest.mark.system
def test_due_notices_are_sent_by_the_server(serve: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(tmp_path) as (port, inbox):
        for name, value in mail_settings(port, tmp_path).items():
            monkeypatch.setenv(name, value)
        server = serve()
        assert run_aigen("notify-daemon", "--status").stdout.startswith("not running, but the web gallery is")
        server.post("/register", "/register", user_id="ana", password="")
        order(server, videos=0, notify="mail", address="ana@example.org")
        wait_for(lambda: inbox.mails)
        text = inbox.mails[0].get_body(("plain",))
        assert text is not None
        found = re.search(r"/open/(\S+)", text.get_content())
        assert found
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        server.opener = visitor
        assert "a kite" in server.post(f"/open/{found[1]}", f"/open/{found[1]}")


def test_a_trusted_proxy_says_for_whom_it_asks(serve: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGEN_TRUSTED_PROXY", "127.0.0.1")
    server = serve()
    server.opener.addheaders = [("X-Forwarded-For", "6.6.6.6")]
    server.post("/register", "/register", user_id="ana", password="")
    assert "6.6.6.6" in server.get("/activity")


# Under which names, and who is let in how


@pytest.mark.parametrize(
    ("host", "port", "base", "ours", "foreign", "public", "secure", "proxied"),
    [
        ("127.0.0.1", 8000, None, ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"],
            ["evil.example:8000", "localhost", "localhost:80", "192.168.1.5:8000", "", "localhost:8000.evil"], False,
            False, False),
        ("::1", 8000, None, ["[::1]:8000", "localhost:8000"], ["[::2]:8000"], False, False, False),
        ("0.0.0.0", 8000, None, ["192.168.1.5:8000", "[fe80::1]:8000", "localhost:8000"],
            ["evil.example:8000", "192.168.1.5:80", "192.168.1.5"], True, False, False),
        ("192.168.1.5", 80, None, ["192.168.1.5", "192.168.1.5:80"], ["192.168.1.6"], True, False, False),
        ("127.0.0.1", 8000, "https://Gallery.example.org",
            ["gallery.example.org", "gallery.example.org:443", "127.0.0.1:8000"],
            ["gallery.example.org:8000", "evil.example.org"], True, True, True),
        ("127.0.0.1", 8000, "HTTPS://gallery.example.org:443/", ["gallery.example.org"], ["evil.example"], True, True,
            True),
        ("127.0.0.1", 8000, "http://localhost:9000", ["localhost:9000"], ["localhost:9001"], False, False, False),
        ("127.0.0.1", 8000, "https://bücher.example", ["xn--bcher-kva.example"], ["bücher.example:8000"], True, True,
            True),
    ],
)  # fmt: skip
def test_names_and_who_can_reach_it(
    content: ContentFolder, host: str, port: int, base: str | None, ours: list[str], foreign: list[str],
    public: bool, secure: bool, proxied: bool,
) -> None:  # fmt: skip
    found = viewer.gallery(content, Settings({"AIGEN_BASE_URL": base} if base else {}), host, port)
    assert [name for name in ours if not found.goes_by(name)] == []
    assert [name for name in foreign if found.goes_by(name)] == []
    assert (found.public, found.secure, found.proxied) == (public, secure, proxied)
