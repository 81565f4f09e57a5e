"""A stand-in for the hub: serves folders as repositories, as far as huggingface_hub asks, and fails on wish."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

REVISION = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Hub:
    """Repositories by id.

    `gated` ones want this token; after `stall_after` bytes of a file nothing more comes, once.
    """

    repositories: dict[str, Path]
    gated: dict[str, str] = field(default_factory=dict)
    stall_after: int | None = None
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {"HF_ENDPOINT": self.url, "HF_HUB_DISABLE_XET": "1"}


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            parts = path.strip("/").split("/")
            name = "/".join(parts[2:4]) if parts[:2] == ["api", "models"] else "/".join(parts[:2])
            folder = hub.repositories.get(name)
            if folder is None:
                return self.refuse(404, "RepoNotFound")
            if name in hub.gated and self.headers.get("Authorization") != f"Bearer {hub.gated[name]}":
                return self.refuse(403, "GatedRepo")
            if parts[0] == "api":
                return self.describe(name, folder)
            return self.send_file(folder / "/".join(parts[4:]), with_body)

        def refuse(self, code: int, reason: str) -> None:
            self.send_response(code)
            self.send_header("X-Error-Code", reason)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def describe(self, name: str, folder: Path) -> None:
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            siblings = [
                {"rfilename": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "blobId": _etag(path)}
                for path in files
            ]
            body = json.dumps({"id": name, "modelId": name, "sha": REVISION, "siblings": siblings}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def send_file(self, path: Path, with_body: bool) -> None:
            if not path.is_file():
                return self.refuse(404, "EntryNotFound")
            data = path.read_bytes()
            start = 0
            if asked := self.headers.get("Range"):
                hub.ranges.append(f"{path.name} {asked}")
                start = int(asked.removeprefix("bytes=").split("-")[0])
            self.send_response(206 if start else 200)
            self.send_header("ETag", f'"{_etag(path)}"')
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("Content-Length", str(len(data) - start))
            self.send_header("Accept-Ranges", "bytes")
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if not with_body:
                return
            with suppress(ConnectionError):
                if hub.stall_after is not None and len(data) - start > hub.stall_after:
                    end, hub.stall_after = start + hub.stall_after, None
                    self.wfile.write(data[start:end])
                    self.close_connection = True
                    self.rfile.read(1)  # until the other side has gone
                    return
                self.wfile.write(data[start:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _etag(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
