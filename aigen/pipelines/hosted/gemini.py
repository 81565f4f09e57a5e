"""Gemini: images by one call each, videos as interactions that are polled (SDK google-genai; https://ai.google.dev)."""

import base64
import binascii
import logging
import math
import warnings
from collections.abc import Callable
from typing import Any

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.provider import (
    BEING_MADE,
    Accepted,
    Access,
    ItemRequest,
    Pending,
    Ready,
    Refusal,
    Rejected,
    explain,
    http_client,
    token_cost,
    translated,
)
from aigen.types.request import Size

# Seconds for an answer: an image is made while the call waits.
TIMEOUT = 600.0
# That of the SDK, whatever the environment says: a job is found again only under the version that it began with.
API_VERSION = "v1"
_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_RESOLUTIONS = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
# Why an image was not made, and is not charged.
_REFUSALS = {
    "SAFETY", "RECITATION", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    "BLOCKLIST", "SPII", "LANGUAGE",
}  # fmt: skip
_PENDING = {"queued": "in the queue", "in_progress": BEING_MADE}
_ENDED = ("failed", "cancelled", "incomplete", "budget_exceeded", "requires_action", "requires_continuation")


class Gemini:
    """Google's Gemini API with an API key."""

    def __init__(self, access: Access) -> None:
        import httpx2
        from google import genai
        from google.genai import types
        from google.genai.client import DebugConfig

        self._access = access
        # The SDK tells of the environment that it reads, which is not used here.
        logging.getLogger("google_genai").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore", module=r"google\.genai")
        self._client: Any = genai.Client(
            api_key=access.key,
            vertexai=False,
            debug_config=DebugConfig(client_mode="", replays_directory="", replay_id=""),
            http_options=types.HttpOptions(
                base_url=access.base_url,
                api_version=API_VERSION,
                timeout=round(1000 * TIMEOUT),
                # Each request is a purchase; the SDK sends an interaction up to five times.
                retry_options=types.HttpRetryOptions(attempts=1),
                httpx_client=http_client(httpx2, TIMEOUT),
            ),
        )

    def submit(self, request: ItemRequest) -> Accepted | Ready:
        return self._make_image(request) if request.kind == "image" else self._start_video(request)

    def _make_image(self, request: ItemRequest) -> Ready:
        from google.genai import types

        picture = [types.Part.from_bytes(data=request.picture, mime_type="image/jpeg")] if request.picture else []
        ratio = _ratio(request.size) if request.size else None
        config = types.GenerateContentConfig(
            response_modalities=["IMAGE"], image_config=types.ImageConfig(aspect_ratio=ratio, image_size="1K")
        )
        answer = self._translated(
            lambda: self._client.models.generate_content(
                model=request.model, contents=[*picture, request.prompt], config=config
            ),
            request,
        )
        images = [part.inline_data.data for part in _parts(answer) if part.inline_data and part.inline_data.data]
        if not images:
            # What it blocks is answered with status 200, and an image that was not made costs nothing.
            fault: ProviderFault = "moderation" if (reason := _blocked(answer)) else "server"
            raise ProviderError(explain(self._access, fault, reason or "its answer has no image", request), fault)
        return Ready(_cost(getattr(answer, "usage_metadata", None), request), data=images[-1])

    def _start_video(self, request: ItemRequest) -> Accepted:
        content: list[dict[str, Any]] = [{"type": "text", "text": request.prompt}]
        if request.picture:
            data = base64.b64encode(request.picture).decode()
            content.append({"type": "image", "data": data, "mime_type": "image/jpeg"})
        size = request.size or Size(1280, 720)
        config: dict[str, Any] = {
            "video_config": {"task": "image_to_video" if request.picture else "text_to_video"},
        } | ({"seed": request.seed % 2**31} if request.seed is not None else {})
        answer = self._translated(
            lambda: self._client.interactions.create(
                model=request.model,
                input=content,
                response_format={
                    "type": "video",
                    "aspect_ratio": "16:9" if size.width >= size.height else "9:16",
                    "resolution": _resolution(size),
                    "duration": f"{request.seconds:g}s",
                    "delivery": "uri",  # of what is larger than 4 MB the answer has only that
                },
                generation_config=config,
                background=True,
            ),
            request,
        )
        job_id = getattr(answer, "id", None)
        if not isinstance(job_id, str) or not job_id:
            raise ProviderError(explain(self._access, "server", "its answer has no interaction id"), "server")
        return Accepted(job_id)

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        found = self._translated(lambda: self._client.interactions.get(id=job_id))
        status = getattr(found, "status", None)
        if status == "completed":
            video = getattr(found, "output_video", None)
            return Ready(url=self._address(getattr(video, "uri", None)), data=_decode(getattr(video, "data", None)))
        if status in _ENDED:
            return Rejected(self._failure(found, status))
        if status not in _PENDING:
            raise ProviderError(explain(self._access, "server", f"its video has the status {status!r}"), "server")
        return Pending(_PENDING[status])

    def cancel(self, job_id: str) -> Rejected | None:
        try:
            self._translated(lambda: self._client.interactions.cancel(id=job_id))
        except ProviderError as error:
            if error.fault != "missing":
                raise
        return None  # what was made until then is charged, and it does not say how much that is

    def check_key(self) -> str:
        self._translated(lambda: self._client.models.list(config={"page_size": 1}))
        return ""

    def _address(self, uri: Any) -> str | None:
        """Where a file is: Google names its own address, which a base URL replaces."""
        if not isinstance(uri, str):
            return None
        own = self._access.info.address
        return uri.replace(own, self._access.base_url, 1) if uri.startswith(f"{own}/") else uri

    def _failure(self, found: Any, status: str) -> str:
        if status == "cancelled":
            return "it was cancelled at Gemini"
        errors = getattr(found, "errors", None) or []
        codes = [str(getattr(each, "code", None) or "") for each in errors]
        reasons = [str(getattr(each, "message", None) or "") for each in errors]
        told = "; ".join(
            f"{reason} [{code}]" if reason and code else reason or code
            for reason, code in zip(reasons, codes, strict=True)
        )
        fault: ProviderFault = "moderation" if any(map(_is_policy, codes)) else "server"
        return explain(self._access, fault, told or f"its video ended as {status}")

    def _translated(self, call: Callable[[], Any], request: ItemRequest | None = None) -> Any:
        return translated(self._access, call, _fault_of, request)


def _fault_of(found: Refusal) -> ProviderFault:
    said = f"{found.body.get('status')} {found.reason}"
    if found.status == 400 and "API key" in said:
        return "key"
    if found.status == 400 and "FAILED_PRECONDITION" in said:  # such as: enable billing
        return "credit"
    return found.fault


def _resolution(size: Size) -> str:
    """Return the nearest resolution that videos can have."""
    return min(_RESOLUTIONS, key=lambda name: abs(_RESOLUTIONS[name] - min(size.width, size.height)))


def _ratio(size: Size) -> str:
    """Return the nearest shape that images can have."""

    def distance(ratio: str) -> float:
        width, height = map(int, ratio.split(":"))
        return abs(math.log(width / height) - math.log(size.width / size.height))

    return min(_RATIOS, key=distance)


def _parts(answer: Any) -> list[Any]:
    candidates = getattr(answer, "candidates", None) or []
    parts = [part for each in candidates if each.content for part in each.content.parts or []]
    return [part for part in parts if not part.thought]  # a draft that it made while thinking


def _blocked(answer: Any) -> str:
    """Return why an answer has no image, if it says so."""
    feedback = getattr(answer, "prompt_feedback", None)
    if reason := getattr(feedback, "block_reason", None):
        return str(getattr(feedback, "block_reason_message", None) or getattr(reason, "value", reason))
    for each in getattr(answer, "candidates", None) or []:
        code = str(getattr(each.finish_reason, "value", each.finish_reason or ""))
        if code in _REFUSALS:
            return str(getattr(each, "finish_message", None) or code)
    return ""


def _is_policy(code: str) -> bool:
    return any(word in code.upper() for word in ("SAFETY", "PROHIBITED", "BLOCK", "RECITATION", "POLICY"))


def _decode(data: Any) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True) if data else None
    except (TypeError, ValueError, binascii.Error):
        return None


def _cost(usage: Any, request: ItemRequest) -> float | None:
    """Return what an image cost in USD, from the tokens used and their prices; None if either is not known."""
    counts = {
        "input": getattr(usage, "prompt_token_count", None),
        "output": getattr(usage, "candidates_token_count", None),
    }
    if isinstance(counts["output"], int):
        counts["output"] += getattr(usage, "thoughts_token_count", None) or 0
    return token_cost(counts, request)
