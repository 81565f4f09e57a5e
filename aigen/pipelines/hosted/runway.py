"""Runway: images and videos as tasks (SDK runwayml; https://docs.dev.runwayml.com)."""

import base64
from collections.abc import Callable, Mapping
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
    http_client,
    translated,
)

# USD for a credit (https://docs.dev.runwayml.com/usage/billing)
CREDIT = 0.01


class Runway:
    """Runway's API. Its tasks expire after 24 to 48 hours."""

    def __init__(self, access: Access) -> None:
        import httpx
        import runwayml

        self._access = access
        self._client: Any = runwayml.RunwayML(
            api_key=access.key,
            base_url=access.base_url,
            max_retries=2,
            http_client=http_client(httpx, CALL_TIMEOUT),
        )

    def submit(self, request: ItemRequest) -> Accepted:
        # The SDK sends a request again after many errors, without a key by which Runway knew it: it would buy twice.
        client = self._client.with_options(max_retries=0)
        asked: dict[str, Any] = {"model": request.model, "prompt_text": request.prompt}
        if request.size:
            asked["ratio"] = f"{request.size.width}:{request.size.height}"
        if request.seed is not None:
            asked["seed"] = request.seed
        picture = f"data:image/jpeg;base64,{base64.b64encode(request.picture).decode()}" if request.picture else None
        if request.kind == "image":
            create = client.text_to_image.create
            asked |= {"reference_images": [{"uri": picture}]} if picture else {}
        else:
            create = client.image_to_video.create if picture else client.text_to_video.create
            asked |= {"duration": request.seconds} | ({"prompt_image": picture} if picture else {})
        answer = self._translated(lambda: create(**asked), request)
        job_id = getattr(answer, "id", None)
        if not isinstance(job_id, str) or not job_id:
            raise ProviderError(explain(self._access, "server", "its answer has no task id"), "server")
        return Accepted(job_id, _credits(answer, "estimated_cost"))

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        task = self._translated(lambda: self._client.tasks.retrieve(job_id))
        status, cost = getattr(task, "status", None), _credits(task, "cost")
        if status == "SUCCEEDED":
            output = getattr(task, "output", None)
            urls = [url for url in output if isinstance(url, str)] if isinstance(output, list) else []
            return Ready(cost, url=urls[0] if urls else "")
        if status == "FAILED":
            return Rejected(self._failure(task), cost)
        if status == "CANCELLED":
            return Rejected("it was cancelled at Runway", cost)
        if status not in ("PENDING", "THROTTLED", "RUNNING"):
            raise ProviderError(explain(self._access, "server", f"its task has the status {status!r}"), "server")
        progress = getattr(task, "progress", None)
        texts = {"THROTTLED": "in the queue of your account", "PENDING": "in the queue"}
        return Pending(texts.get(status, BEING_MADE), _share(progress))

    def cancel(self, job_id: str) -> Rejected | None:
        try:
            self._translated(lambda: self._client.tasks.delete(job_id))
        except ProviderError as error:
            if error.fault != "missing":
                raise
            return None
        try:
            ended = self.poll(job_id)
        except ProviderError:  # it is cancelled all the same
            return None
        return ended if isinstance(ended, Rejected) else None

    def check_key(self) -> str:
        account = self._translated(lambda: self._client.organization.retrieve())
        left = _number(getattr(account, "credit_balance", None))
        limit = _number(getattr(getattr(account, "tier", None), "max_monthly_credit_spend", None))
        told = [] if left is None else [f"{left:,.0f} credits (${left * CREDIT:,.2f}) left"]
        told += [] if limit is None else [f"at most {limit:,.0f} credits a month"]
        limits = getattr(getattr(account, "tier", None), "models", None)
        for model in dict.fromkeys((self._access.info.image, self._access.info.video)):
            found = limits.get(model) if isinstance(limits, Mapping) else None
            numbers = [
                f"{number:.0f} {words}"
                for name, words in (("max_concurrent_generations", "at a time"), ("max_daily_generations", "a day"))
                if (number := _number(getattr(found, name, None))) is not None
            ]
            told += [f"{model} {' and '.join(numbers)}"] if numbers else []
        return ", ".join(told)

    def _failure(self, task: Any) -> str:
        code, reason = str(getattr(task, "failure_code", None) or ""), str(getattr(task, "failure", None) or "")
        told = self._access.redact(f"{reason} [{code}]" if reason and code else reason or code)
        fault: ProviderFault = "moderation" if code.startswith("SAFETY") else "server"
        return explain(self._access, fault, told)

    def _translated(self, call: Callable[[], Any], request: ItemRequest | None = None) -> Any:
        return translated(self._access, call, _fault_of, request)


def _fault_of(found: Refusal) -> ProviderFault:
    return "credit" if found.status == 400 and "credits" in found.reason.lower() else found.fault


def _credits(answer: Any, name: str) -> float | None:
    """Return an amount in credits, `cost` or `estimated_cost`, in USD."""
    amount = _number(getattr(getattr(answer, name, None), "credits", None))
    return None if amount is None or amount < 0 else round(amount * CREDIT, 5)


def _share(progress: Any) -> float | None:
    share = _number(progress)
    return None if share is None else min(1.0, max(0.0, share))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
