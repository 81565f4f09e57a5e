"""OpenAI: images, each by one call that answers with the result (SDK openai; https://developers.openai.com/api/docs)."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.provider import (
    CALL_TIMEOUT,
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

# Of `low` to `max`: what most pictures need, at a tenth of the price of the best.
QUALITY = "medium"
# Seconds for an answer: who gives up sooner has paid for nothing.
TIMEOUT = 600.0


class OpenAI:
    """OpenAI's Images API. It has no jobs: an answer that is lost is lost."""

    def __init__(self, access: Access) -> None:
        import httpx2
        import openai

        self._access = access
        self._client: Any = openai.OpenAI(
            api_key=access.key,
            base_url=access.base_url,
            organization=access.organization,
            project=access.project,
            max_retries=0,  # each request is a purchase
            timeout=TIMEOUT,
            http_client=http_client(httpx2, TIMEOUT),
        )

    def submit(self, request: ItemRequest) -> Ready:
        asked: dict[str, Any] = {"model": request.model, "prompt": request.prompt, "n": 1, "quality": QUALITY}
        if request.size:
            asked["size"] = str(request.size)
        images = self._client.images
        if request.picture:
            answer = self._translated(
                lambda: images.edit(image=("picture.jpg", request.picture, "image/jpeg"), **asked), request
            )
        else:
            answer = self._translated(lambda: images.generate(**asked), request)
        try:
            data = base64.b64decode(answer.data[0].b64_json, validate=True)
        except (AttributeError, IndexError, KeyError, TypeError, binascii.Error):
            raise ProviderError(explain(self._access, "server", "its answer has no image"), "server") from None
        return Ready(_cost(getattr(answer, "usage", None), request), data=data)

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        raise ProviderError(explain(self._access, "missing", "OpenAI keeps no jobs"), "missing")

    def cancel(self, job_id: str) -> Rejected | None:
        return None

    def check_key(self) -> str:
        client = self._client.with_options(timeout=CALL_TIMEOUT)
        try:
            self._translated(lambda: client.models.list())
        except ProviderError as error:
            if "api.model.read" not in str(error):
                raise
            return "its permissions leave out listing models"
        return ""

    def _translated(self, call: Callable[[], Any], request: ItemRequest | None = None) -> Any:
        return translated(self._access, call, _fault_of, request)


def _fault_of(found: Refusal) -> ProviderFault:
    codes = {str(found.body.get("code")), str(found.body.get("type"))}
    if codes & {"moderation_blocked", "content_policy_violation"}:
        return "moderation"
    if codes & {"insufficient_quota", "billing_hard_limit_reached", "billing_limit_reached"}:
        return "credit"
    return "model" if "model_not_found" in codes else found.fault


def _cost(usage: Any, request: ItemRequest) -> float | None:
    """Return what an image cost in USD, from the tokens used and their prices; None if either is not known."""
    details = getattr(usage, "input_tokens_details", None)
    counts = {
        "text": getattr(details, "text_tokens", None),
        "image": getattr(details, "image_tokens", None),
        "output": getattr(usage, "output_tokens", None),
    }
    return token_cost(counts, request)
