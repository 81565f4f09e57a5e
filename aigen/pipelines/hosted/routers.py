"""The inference providers behind Hugging Face's router, each with a protocol of its own.

| provider | images | videos | after a crash |
|---|---|---|---|
| fal-ai, replicate, wavespeed | jobs | jobs | collected |
| together | by one call | jobs | videos are collected |
| hf-inference | by one call | | unknown |

The wire shapes are those of huggingface_hub 2.4, whose own client hides the ids of jobs and waits without a deadline.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from aigen.pipelines.hosted.provider import BEING_MADE, Accepted, ItemRequest, Pending, Ready, Rejected
from aigen.pipelines.hosted.rest import Call


class Router(Protocol):
    """How a provider is spoken to, and for which `tasks` of the hub.

    A `job` is what it takes to find a job again: the end of a path.

    Whatever is missing in an answer raises KeyError, IndexError, TypeError or ValueError.
    """

    tasks: frozenset[str]

    def create(self, model: str, request: ItemRequest) -> Call: ...

    def created(self, answer: Any, model: str, request: ItemRequest) -> Accepted | Ready: ...

    def status(self, job: str) -> Call: ...

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected | Call:
        """Return how a job stands; a call, if it has ended and its result must be asked for."""

    def cancel(self, job: str) -> Call | None: ...


_ALL = frozenset({"text-to-image", "image-to-image", "text-to-video", "image-to-video"})


def _picture(request: ItemRequest) -> str | None:
    return f"data:image/jpeg;base64,{base64.b64encode(request.picture).decode()}" if request.picture else None


def _first(output: Any) -> str:
    """Return the first address in an output, which may be one."""
    url = output[0] if isinstance(output, Sequence) and not isinstance(output, str) else output
    if not isinstance(url, str) or not url:
        raise ValueError("no address")
    return url


class Fal:
    """https://docs.fal.ai: a queue."""

    tasks = _ALL

    def create(self, model: str, request: ItemRequest) -> Call:
        body: dict[str, Any] = {"prompt": request.prompt, "seed": request.seed}
        if request.kind == "image" and request.size:
            body["image_size"] = {"width": request.size.width, "height": request.size.height}
        if picture := _picture(request):
            body["image_url"] = picture
        return Call("POST", f"fal-ai/{model}?_subdomain=queue", body)

    def created(self, answer: Any, model: str, request: ItemRequest) -> Accepted:
        path = urlsplit(answer.get("response_url") or "").path.strip("/")
        return Accepted(path or f"{model}/requests/{_first(answer['request_id'])}")

    def status(self, job: str) -> Call:
        return Call("GET", f"fal-ai/{job}/status?_subdomain=queue")

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected | Call:
        if "status" not in answer:  # the result
            if any(answer.get("has_nsfw_concepts") or []):
                return Rejected("it was filtered as NSFW")
            made = answer.get("video") or answer.get("image") or (answer.get("images") or answer["videos"])[0]
            return Ready(url=_first(made["url"]))
        if answer["status"] == "COMPLETED":
            if answer.get("error"):
                return Rejected(str(answer["error"]))
            return Call("GET", f"fal-ai/{job}?_subdomain=queue")
        return Pending({"IN_QUEUE": "in the queue", "IN_PROGRESS": BEING_MADE}[answer["status"]])

    def cancel(self, job: str) -> Call:
        return Call("PUT", f"fal-ai/{job}/cancel?_subdomain=queue")


class Replicate:
    """https://replicate.com/docs: predictions."""

    tasks = frozenset({"text-to-image", "text-to-video"})

    def create(self, model: str, request: ItemRequest) -> Call:
        given: dict[str, Any] = {"prompt": request.prompt, "seed": request.seed}
        if request.kind == "image" and request.size:
            given |= {"width": request.size.width, "height": request.size.height}
        if picture := _picture(request):
            given["image"] = picture
        name, _, version = model.partition(":")
        if version:
            return Call("POST", "replicate/v1/predictions", {"input": given, "version": version})
        return Call("POST", f"replicate/v1/models/{name}/predictions", {"input": given})

    def created(self, answer: Any, model: str, request: ItemRequest) -> Accepted:
        return Accepted(_first(answer["id"]))

    def status(self, job: str) -> Call:
        return Call("GET", f"replicate/v1/predictions/{job}")

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected:
        status = answer["status"]
        if status == "succeeded":
            return Ready(url=_first(answer["output"]))
        if status in ("failed", "canceled", "aborted"):
            return Rejected(str(answer.get("error") or f"it was {status}"))
        return Pending({"starting": "in the queue", "processing": BEING_MADE}[status])

    def cancel(self, job: str) -> Call:
        return Call("POST", f"replicate/v1/predictions/{job}/cancel", {})


class Together:
    """https://docs.together.ai: images by one call, videos as jobs."""

    tasks = frozenset({"text-to-image", "text-to-video", "image-to-video"})

    def create(self, model: str, request: ItemRequest) -> Call:
        body: dict[str, Any] = {"model": model, "prompt": request.prompt, "seed": request.seed}
        if request.kind == "image":
            if request.size:
                body |= {"width": request.size.width, "height": request.size.height}
            return Call("POST", "together/v1/images/generations", body | {"response_format": "base64"})
        if picture := _picture(request):
            body["frame_images"] = [{"input_image": picture, "frame": "first"}]
        return Call("POST", "together/v2/videos", body)

    def created(self, answer: Any, model: str, request: ItemRequest) -> Accepted | Ready:
        if request.kind == "image":
            return Ready(data=_decode(answer["data"][0]["b64_json"]))
        return Accepted(_first(answer["id"]))

    def status(self, job: str) -> Call:
        return Call("GET", f"together/v2/videos/{job}")

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected:
        status = answer["status"]
        if status == "completed":
            return Ready(url=_first(answer["outputs"]["video_url"]))
        if status in ("failed", "cancelled"):
            error = answer.get("error") or {}
            return Rejected(str(error.get("message") or f"it was {status}"))
        return Pending({"queued": "in the queue", "in_progress": BEING_MADE}[status])

    def cancel(self, job: str) -> Call | None:
        return None


class Wavespeed:
    """https://wavespeed.ai/docs: predictions."""

    tasks = _ALL

    def create(self, model: str, request: ItemRequest) -> Call:
        body: dict[str, Any] = {"prompt": request.prompt, "seed": request.seed}
        if request.size:
            body["size"] = f"{request.size.width}*{request.size.height}"
        if picture := _picture(request):
            body["image"] = picture
        return Call("POST", f"wavespeed/api/v3/{model}", body)

    def created(self, answer: Any, model: str, request: ItemRequest) -> Accepted:
        return Accepted(_first(urlsplit(answer["data"]["urls"]["get"]).path.strip("/")))

    def status(self, job: str) -> Call:
        return Call("GET", f"wavespeed/{job}")

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected:
        found = answer["data"]
        status = found["status"]
        if status == "completed":
            return Ready(url=_first(found["outputs"]))
        if status == "failed":
            return Rejected(str(found.get("error") or "it failed"))
        return Pending({"created": "in the queue", "processing": BEING_MADE}[status])

    def cancel(self, job: str) -> Call | None:
        return None


class HFInference:
    """Hugging Face's own servers: one call, whose answer is the image."""

    tasks = frozenset({"text-to-image"})

    def create(self, model: str, request: ItemRequest) -> Call:
        size = {"width": request.size.width, "height": request.size.height} if request.size else {}
        body = {"inputs": request.prompt, "parameters": {"seed": request.seed, **size}}
        return Call("POST", f"hf-inference/models/{model}", body, raw=True)

    def created(self, answer: Any, model: str, request: ItemRequest) -> Ready:
        if answer[:1] in (b"", b"{", b"<"):  # an error that calls itself a success
            raise ValueError("no image")
        return Ready(data=answer)

    def status(self, job: str) -> Call:
        raise KeyError(job)

    def read(self, job: str, answer: Any) -> Pending | Ready | Rejected:
        raise KeyError(job)

    def cancel(self, job: str) -> Call | None:
        return None


def _decode(data: Any) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError("no Base64") from error


ROUTERS: dict[str, Router] = {
    "fal-ai": Fal(),
    "replicate": Replicate(),
    "wavespeed": Wavespeed(),
    "together": Together(),
    "hf-inference": HFInference(),
}
# What the hub says of a model that a provider serves, by what an item is made of.
TASKS = {
    ("image", False): "text-to-image",
    ("image", True): "image-to-image",
    ("video", False): "text-to-video",
    ("video", True): "image-to-video",
}
