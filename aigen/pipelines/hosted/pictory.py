"""Pictory: clips by its AI studio, and whole narrated films (REST; https://docs.pictory.ai).

It takes files only by public addresses, so nothing of the user's starts from a picture or has music of theirs.
"""

import math
from collections.abc import Mapping
from typing import Any

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.provider import (
    BEING_MADE,
    CALL_TIMEOUT,
    Accepted,
    Access,
    ItemRequest,
    Pending,
    Ready,
    Refusal,
    Rejected,
    explain,
    shorten,
)
from aigen.pipelines.hosted.rest import Call, Rest
from aigen.types.request import Size

# Who speaks, unless the user names another of its voices.
SPEAKER = "Martin"
_NAME_LENGTH = 100


class Pictory:
    """Pictory's API. It cannot cancel a job, and removes results after a while."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._rest = Rest(access, access.key, _fault_of, CALL_TIMEOUT)

    def submit(self, request: ItemRequest) -> Accepted:
        call = _film(request) if request.script else _clip(request)
        answer = self._rest.ask(call, request)
        if isinstance(answer, Mapping) and answer.get("success") is False:
            code, reason = _error(answer)
            fault: ProviderFault = "credit" if "CREDIT" in code else "invalid"
            raise ProviderError(explain(self._access, fault, reason, request), fault)
        return Accepted(self._rest.read(lambda: _text(answer["data"]["jobId"])))

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        answer = self._rest.ask(Call("GET", f"v1/jobs/{job_id}"))
        return self._rest.read(lambda: self._status(answer))  # type: ignore[no-any-return]

    def _status(self, answer: Any) -> Pending | Ready | Rejected:
        data = answer["data"]
        status = data.get("status")
        if status == "completed":
            return Ready(url=str(data.get("videoURL") or data.get("url") or ""))
        if status == "cleaned":  # it was made, and paid for
            raise ProviderError(explain(self._access, "missing", "it has removed the result"), "missing")
        told = bool(data.get("error_message") or data.get("error_code"))
        if status == "failed" or (answer.get("success") is False and told):
            code, reason = _error(data if told else answer)
            policy = any(word in f"{code} {reason}".upper() for word in ("MODERATION", "POLICY", "NSFW", "SAFETY"))
            return Rejected(explain(self._access, "moderation" if policy else "server", reason))
        if status != "in-progress":
            raise ValueError(f"status {status!r}")
        progress = data.get("renderProgress")
        known = isinstance(progress, int | float) and not isinstance(progress, bool)
        text = shorten(str(data.get("renderProgressMessage") or BEING_MADE))
        return Pending(text, min(1.0, max(0.0, progress / 100)) if known else None)

    def cancel(self, job_id: str) -> Rejected | None:
        return None

    def check_key(self) -> str:
        answer = self._rest.ask(Call("GET", "v1/quota"))
        names = {"videoMinutes": "minutes of video", "aiCredits": "AI credits"}

        def read() -> str:
            data = answer.get("data", answer)
            found = [(words, data[name]) for name, words in names.items() if isinstance(data.get(name), Mapping)]
            return ", ".join(f"{each['used']:g} of {each['limit']:g} {words} used" for words, each in found)

        return str(self._rest.read(read))


def _clip(request: ItemRequest) -> Call:
    body = {
        "prompt": request.prompt,
        "model": request.model,
        "aspectRatio": _ratio(request.size),
        "duration": f"{request.seconds:g}s",
    }
    return Call("POST", "v1/aistudio/videos", body)


def _film(request: ItemRequest) -> Call:
    script = request.script or ""
    name = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in script[:_NAME_LENGTH])
    body = {
        "videoName": " ".join(name.split()) or "film",
        "language": "en",
        "aspectRatio": _ratio(request.size),
        "saveProject": False,
        "scenes": [{"story": script, "createSceneOnEndOfSentence": True}],
        "voiceOver": {
            "enabled": True,
            "aiVoices": [{"speaker": request.voice or SPEAKER, "speed": 100, "amplificationLevel": 0}],
        },
        "backgroundMusic": {"enabled": False},
    }
    return Call("POST", "v2/video/storyboard/render", body)


def _ratio(size: Size | None) -> str:
    """Return the nearest of the shapes that it makes."""
    wanted = math.log(size.width / size.height) if size else 0.6
    shapes = {"16:9": math.log(16 / 9), "1:1": 0.0, "9:16": math.log(9 / 16)}
    return min(shapes, key=lambda name: abs(shapes[name] - wanted))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("no text")
    return value


def _error(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Return the code and the reason of an error, which stand in different places."""
    error = answer.get("error")
    found: Mapping[str, Any] = error if isinstance(error, Mapping) else answer
    code = str(found.get("error_code") or found.get("code") or "")
    reason = str(found.get("error_message") or found.get("message") or code or "it failed")
    return code, f"{reason} [{code}]" if code and code not in reason else reason


def _fault_of(found: Refusal) -> ProviderFault:
    return "credit" if "INSUFFICIENT_CREDITS" in str(found.body) else found.fault
