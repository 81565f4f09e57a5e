"""Stand-ins for hosted providers: local servers that their official SDKs speak to, and that count what they sell."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.conftest import TINY, scribble

KEY = "key_0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Reply:
    """What the server answers. `sells`: a job was accepted all the same, though the client may never know."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    sells: bool = False
    loses: bool = False  # the connection ends without an answer
    cut: int | None = None  # so many bytes are sent of the body
    length: int | None = None  # what Content-Length says, if not the truth
    endless: bool = False  # the body goes on and on


def error(status: int, text: str = "", **headers: str) -> Reply:
    body = {"error": {"message": text or f"status {status}"}} if text != "plain" else {}
    return Reply(status, json.dumps(body).encode(), {name.replace("_", "-"): each for name, each in headers.items()})


LOST = Reply(sells=True, loses=True)
MALFORMED = Reply(body=b'{"id": "task-', sells=True)


@dataclass
class Seen:
    """A request as the server has seen it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class StandIn:
    """A provider. What it answers to creations, polls and downloads can be planned, one reply for each request."""

    kinds = ("image", "video")

    def __init__(self, folder: Path) -> None:
        self.sales: list[str] = []  # the ids of what was sold
        self.cancelled: list[str] = []
        self.seen: list[Seen] = []
        self.creations: list[Reply] = []
        self.polls: list[Reply | dict[str, Any]] = []
        self.downloads: list[Reply] = []
        self.in_flight, self.most_in_flight = 0, 0
        self.expired: set[str] = set()
        self.blocked: dict[str, threading.Event] = {}  # places where it hangs
        self.reached: dict[str, threading.Event] = {name: threading.Event() for name in ("create", "poll", "file")}
        self.lock = threading.RLock()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.forgets = False  # whether cancelled jobs are not known any more
        self.credits, self.tokens = 25, 439  # what Runway asks for a job, and what OpenAI uses for an image
        self.files = {
            "video": scribble("video", folder / "video", TINY, 6).read_bytes(),
            "image": scribble("image", folder / "image").read_bytes(),
        }
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        raise NotImplementedError

    def has_key(self, request: Seen) -> bool:
        return request.headers.get("authorization") == f"Bearer {KEY}"

    def answer(self, request: Seen) -> Reply:
        raise NotImplementedError

    def block(self, place: str) -> None:
        """Hang at a place: a creation that is sold already, a poll, or a download."""
        self.blocked[place] = threading.Event()

    def unblock(self) -> None:
        for event in self.blocked.values():
            event.set()
        self.blocked.clear()

    def reach(self, place: str) -> None:
        self.reached[place].set()
        if event := self.blocked.get(place):
            event.wait(60)

    def sell(self) -> str:
        with self.lock:
            self.sales.append(f"task-{len(self.sales) + 1}")
            return self.sales[-1]

    def next(self, planned: list[Any]) -> Any:
        with self.lock:
            return planned.pop(0) if planned else None

    def submissions(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.method == "POST"]

    def close(self) -> None:
        self.unblock()
        self.server.shutdown()
        self.server.server_close()


class RunwayStandIn(StandIn):
    account: ClassVar[dict[str, Any]] = {
        "creditBalance": 2500,
        "tier": {
            "maxMonthlyCreditSpend": 10000,
            "models": {"gen4_image": {"maxConcurrentGenerations": 2, "maxDailyGenerations": 50}},
        },
        "usage": {"models": {}},
    }

    @property
    def environment(self) -> dict[str, str]:
        return {"RUNWAYML_API_SECRET": KEY, "RUNWAYML_BASE_URL": self.address}

    def answer(self, request: Seen) -> Reply:
        if request.path.startswith("/files/"):
            return self._file(request)
        if not self.has_key(request):
            return error(401, "no such key")
        if request.path == "/v1/organization":
            return Reply(body=json.dumps(self.account).encode())
        if request.method == "POST":
            reply = self.next(self.creations)
            if reply is not None and not reply.sells:
                return reply
            task = self.sell()
            self.kind_of(task, request)
            self.reach("create")
            estimate = {"credits": self.credits}
            return reply or Reply(body=json.dumps({"id": task, "estimatedCost": estimate}).encode())
        task = request.path.rsplit("/", 1)[-1]
        if request.method == "DELETE":
            self.cancelled.append(task)
            return Reply(204)
        if task in self.cancelled and self.forgets:
            return error(404, "no such task")
        if task in self.cancelled:
            return self.task(task, {"status": "CANCELLED", "cost": {"credits": 3}})
        self.reach("poll")
        planned = self.next(self.polls)
        if isinstance(planned, Reply):
            return planned
        done = {"status": "SUCCEEDED", "cost": {"credits": self.credits}, "output": [self.file_url(task)]}
        return self.task(task, planned or done)

    def kind_of(self, task: str, request: Seen) -> None:
        (self.folder / task).write_text("image" if request.path.endswith("text_to_image") else "video")

    def file_url(self, task: str) -> str:
        count = sum(seen.path.endswith(task) and seen.method == "GET" for seen in self.seen)
        return f"{self.address}/files/{task}?signature={count}"

    def task(self, task: str, more: dict[str, Any]) -> Reply:
        return Reply(body=json.dumps({"id": task, "createdAt": "2026-11-21T00:00:00Z"} | more).encode())

    def _file(self, request: Seen) -> Reply:
        self.reach("file")
        if planned := self.next(self.downloads):
            return planned
        task = request.path.split("/")[2].split("?")[0]
        kind = (self.folder / task).read_text()
        return Reply(body=self.files[kind], content_type="video/mp4" if kind == "video" else "image/png")


class OpenAIStandIn(StandIn):
    kinds = ("image",)
    image_cost = 0.01323  # of 439 tokens, and 12 of text

    @staticmethod
    def refusal(reason: str) -> Reply:
        body = {"message": reason, "code": "moderation_blocked", "type": "image_generation_user_error"}
        return Reply(400, json.dumps({"error": body}).encode())

    @property
    def environment(self) -> dict[str, str]:
        return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{self.address}/v1"}

    def answer(self, request: Seen) -> Reply:
        if not self.has_key(request):
            return error(401, f"Incorrect API key provided: {request.headers.get('authorization')}.")
        if request.path == "/v1/models":
            return self.next(self.polls) or Reply(body=b'{"object": "list", "data": []}')
        if not request.path.startswith("/v1/images/"):
            return error(404, "no such path")
        reply = self.next(self.creations)
        if reply is not None and not reply.sells:
            return reply
        self.sell()
        self.reach("create")
        return reply or self.image(self.files["image"])

    def image(self, data: bytes) -> Reply:
        usage = {"input_tokens": 12, "input_tokens_details": {"image_tokens": 0, "text_tokens": 12},
                 "output_tokens": self.tokens, "total_tokens": self.tokens + 12}  # fmt: skip
        body = {"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}], "usage": usage}
        return Reply(body=json.dumps(body).encode())


class GeminiStandIn(StandIn):
    """Google's API. What it is to answer to polls is planned in the words of Runway's tasks."""

    image_cost = 0.0336  # of 1,120 tokens, and 7 of text
    google = "https://generativelanguage.googleapis.com"
    statuses = {"RUNNING": "in_progress", "PENDING": "queued", "SUCCEEDED": "completed"}  # noqa: RUF012

    @property
    def environment(self) -> dict[str, str]:
        return {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.address}

    def has_key(self, request: Seen) -> bool:
        return request.headers.get("x-goog-api-key") == KEY

    @staticmethod
    def refusal(reason: str) -> Reply:
        feedback = {"blockReason": "SAFETY", "blockReasonMessage": reason}
        return Reply(body=json.dumps({"promptFeedback": feedback}).encode())

    def answer(self, request: Seen) -> Reply:
        if not self.has_key(request):
            return error(400, "API key not valid. Please pass a valid API key.")
        if request.path.startswith("/files/"):
            self.reach("file")
            planned: Reply | None = self.next(self.downloads)
            return planned or Reply(body=self.files["video"], content_type="video/mp4")
        path, _, _ = request.path.partition("?")
        if path == "/v1/models":
            return Reply(body=b'{"models": [{"name": "models/gemini-omni-1.2-flash"}]}')
        if path.endswith("/cancel"):
            self.cancelled.append(path.split("/")[-2])
            return self.interaction(path.split("/")[-2], {"status": "cancelled"})
        if request.method == "POST":
            return self._create(path)
        task = path.rsplit("/", 1)[-1]
        if task in self.cancelled:
            return self.interaction(task, {"status": "cancelled"})
        self.reach("poll")
        reply = self.next(self.polls)
        return reply if isinstance(reply, Reply) else self._poll(task, reply or {"status": "SUCCEEDED"})

    def _create(self, path: str) -> Reply:
        reply: Reply | None = self.next(self.creations)
        if reply is not None and not reply.sells:
            return reply
        task = self.sell()
        self.reach("create")
        if path == "/v1/interactions":
            return reply or self.interaction(task, {"status": "in_progress"})
        return reply or self.image(self.files["image"])

    def _poll(self, task: str, planned: dict[str, Any]) -> Reply:
        status = planned["status"]
        if status == "FAILED":
            errors = [{"code": planned["failureCode"], "message": planned["failure"]}]
            return self.interaction(task, {"status": "failed", "errors": errors})
        count = sum(f"/interactions/{task}" in seen.path for seen in self.seen)
        video = {"type": "video", "mime_type": "video/mp4", "uri": f"{self.google}/files/{task}?signature={count}"}
        steps = [{"type": "model_output", "content": [video]}] if "output" not in planned else []
        made = {"steps": steps} if status == "SUCCEEDED" else {}
        return self.interaction(task, {"status": self.statuses.get(status, status.lower()), **made})

    @staticmethod
    def interaction(task: str, more: dict[str, Any]) -> Reply:
        return Reply(body=json.dumps({"id": task, "model": "gemini-omni-1.2-flash"} | more).encode())

    def image(self, data: bytes) -> Reply:
        part = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()}}
        body = {
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 1120},
        }
        return Reply(body=json.dumps(body).encode())


class HuggingFaceStandIn(StandIn):
    """The hub and its router: videos by fal-ai's queue, images by one call of hf-inference.

    What it is to answer to polls is planned in the words of Runway's tasks.
    """

    image_cost = 0.003  # as the tests set its price
    statuses = {"RUNNING": "IN_PROGRESS", "PENDING": "IN_QUEUE"}  # noqa: RUF012

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        entry = {"status": "live", "providerId": "fal-ai/wan"}
        self.mapping: dict[str, Any] = {
            "black-forest-labs/FLUX.1-schnell": {"hf-inference": {**entry, "task": "text-to-image"}},
            "Wan-AI/Wan2.2-TI2V-5B": {"fal-ai": {**entry, "task": "text-to-video"}},
        }

    @property
    def environment(self) -> dict[str, str]:
        return {"HF_TOKEN": KEY, "AIGEN_HUGGINGFACE_URL": self.address}

    @staticmethod
    def refusal(reason: str) -> Reply:
        return Reply(422, json.dumps({"detail": [{"msg": reason, "type": "content_policy_violation"}]}).encode())

    def answer(self, request: Seen) -> Reply:
        path = request.path.partition("?")[0]
        if path.startswith("/files/"):
            self.reach("file")
            planned: Reply | None = self.next(self.downloads)
            return planned or Reply(body=self.files["video"], content_type="video/mp4")
        if not self.has_key(request):
            return error(401, "Invalid username or password.")
        if path == "/api/whoami-v2":
            return self.json({"type": "user", "name": "ana", "isPro": True})
        if path.startswith("/api/models/"):
            found = self.mapping.get(path.removeprefix("/api/models/"))
            return self.json({"inferenceProviderMapping": found}) if found is not None else error(404, "no such model")
        if path.endswith("/cancel"):
            self.cancelled.append(path.split("/")[-2])
            return self.json({"status": "CANCELLATION_REQUESTED"})
        return self._create(request) if request.method == "POST" else self._poll(path)

    @staticmethod
    def json(body: Any) -> Reply:
        return Reply(body=json.dumps(body).encode())

    def _create(self, request: Seen) -> Reply:
        reply: Reply | None = self.next(self.creations)
        if reply is not None and not reply.sells:
            return reply
        task = self.sell()
        self.reach("create")
        if request.path.startswith("/hf-inference/"):
            return reply or self.image(self.files["image"])
        address = f"https://queue.fal.run/fal-ai/wan/requests/{task}"
        return reply or self.json({"request_id": task, "status": "IN_QUEUE", "response_url": address})

    def _poll(self, path: str) -> Reply:
        task = path.split("/requests/")[1].split("/")[0]
        if not path.endswith("/status"):
            count = sum(f"/requests/{task}" in seen.path for seen in self.seen)
            return self.json({"video": {"url": f"{self.address}/files/{task}?signature={count}"}})
        if task in self.cancelled:
            return self.json({"status": "COMPLETED", "error": "it was cancelled at Hugging Face"})
        self.reach("poll")
        reply = self.next(self.polls)
        if isinstance(reply, Reply):
            return reply
        status = (reply or {"status": "SUCCEEDED"})["status"]
        if status == "FAILED":
            return self.json({"status": "COMPLETED", "error": f"{reply['failure']} [{reply['failureCode']}]"})
        if status == "CANCELLED":
            return self.json({"status": "COMPLETED", "error": "it was cancelled at Hugging Face"})
        return self.json({"status": self.statuses.get(status, "COMPLETED" if status == "SUCCEEDED" else status)})

    def image(self, data: bytes) -> Reply:
        return Reply(body=data, content_type="image/png")


class PictoryStandIn(StandIn):
    """Pictory's API. What it is to answer to polls is planned in the words of Runway's tasks."""

    kinds = ("video",)
    statuses = {"RUNNING": "in-progress", "PENDING": "in-progress"}  # noqa: RUF012

    @property
    def environment(self) -> dict[str, str]:
        return {"PICTORY_API_KEY": KEY, "PICTORY_BASE_URL": f"{self.address}/pictoryapis"}

    def has_key(self, request: Seen) -> bool:
        return request.headers.get("authorization") == KEY

    def answer(self, request: Seen) -> Reply:
        if request.path.startswith("/files/"):
            self.reach("file")
            planned: Reply | None = self.next(self.downloads)
            return planned or Reply(body=self.files["video"], content_type="video/mp4")
        if not self.has_key(request):
            return error(401, "Unauthorized")
        if request.path == "/pictoryapis/v1/quota":
            return self.json({"videoMinutes": {"used": 12.5, "limit": 120}, "aiCredits": {"used": 30, "limit": 500}})
        if request.method == "POST":
            reply: Reply | None = self.next(self.creations)
            if reply is not None and not reply.sells:
                return reply
            task = self.sell()
            self.reach("create")
            return reply or self.json({"success": True, "data": {"jobId": task}})
        return self._poll(request.path.rsplit("/", 1)[-1])

    @staticmethod
    def json(body: Any) -> Reply:
        return Reply(body=json.dumps(body).encode())

    def _poll(self, task: str) -> Reply:
        self.reach("poll")
        reply = self.next(self.polls)
        if isinstance(reply, Reply):
            return reply
        planned = reply or {"status": "SUCCEEDED"}
        status = planned["status"]
        count = sum(seen.path.endswith(f"/{task}") for seen in self.seen)
        if status == "FAILED":
            data = {"status": "failed", "error_code": planned["failureCode"], "error_message": planned["failure"]}
        elif status == "CANCELLED":
            data = {"status": "failed", "error_message": "it was cancelled at Pictory"}
        elif status == "SUCCEEDED":
            data = {"status": "completed", "videoURL": f"{self.address}/files/{task}?signature={count}"}
        else:
            data = {"status": self.statuses.get(status, status), "renderProgress": planned.get("progress")}
        return self.json({"job_id": task, "success": status != "FAILED", "data": data})


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body)
        server = self.stand_in
        with server.lock:
            server.seen.append(seen)
            server.in_flight += 1
            server.most_in_flight = max(server.most_in_flight, server.in_flight)
        try:
            reply = server.answer(seen)
        finally:
            with server.lock:
                server.in_flight -= 1  # before the client knows, and asks for more
        if reply.sells and reply.loses:
            self.close_connection = True
            self.connection.close()
            return
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        with suppress(OSError):  # the client was killed
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status == 204:
                self.end_headers()
                return
            self.send_header("Content-Type", reply.content_type)
            if not reply.endless:
                self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            while reply.endless:
                self.wfile.write(bytes(1_000_000))
            if reply.cut is not None or reply.endless or reply.length is not None:
                self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 (the names are those of http.server)


STAND_INS: dict[str, type[StandIn]] = {
    "runway": RunwayStandIn,
    "openai": OpenAIStandIn,
    "gemini": GeminiStandIn,
    "huggingface": HuggingFaceStandIn,
    "pictory": PictoryStandIn,
}


@contextmanager
def standing_in(provider: str, folder: Path) -> Iterator[StandIn]:
    server = STAND_INS[provider](folder)
    try:
        yield server
    finally:
        server.close()


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
