"""Hugging Face: models of the hub by the inference providers behind its router (https://huggingface.co/docs).

A model's name may end with the provider that is to make it: `owner/model@fal-ai`. A job's id holds the provider, and
what it takes to find the job there.
"""

from collections.abc import Mapping
from typing import Any

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.provider import (
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
from aigen.pipelines.hosted.routers import ROUTERS, TASKS, Router

HUB = "https://huggingface.co"


class HuggingFace:
    """The router of Hugging Face, which is paid by the account of the token."""

    def __init__(self, access: Access) -> None:
        self._access = access
        key = f"Bearer {access.key}"
        self._rest = Rest(access, key, _fault_of)
        self._quick = Rest(access, key, _fault_of, CALL_TIMEOUT)
        self._results = Rest(access, key, _fault_of_result, CALL_TIMEOUT)
        self._served: dict[str, Mapping[str, Mapping[str, Any]]] = {}

    def submit(self, request: ItemRequest) -> Accepted | Ready:
        provider, model = self._choose(request)
        router = ROUTERS[provider]
        answer = self._rest.ask(router.create(model, request), request)
        made = self._rest.read(lambda: router.created(answer, model, request))
        return Accepted(f"{provider} {made.id}") if isinstance(made, Accepted) else made

    def _choose(self, request: ItemRequest) -> tuple[str, str]:
        """Return who makes an item, and its name there for the model. Raises ProviderError; nothing was sold."""
        name, _, wanted = request.model.partition("@")
        task = TASKS[request.kind, request.picture is not None]
        try:
            served = self._served_by(name, request)
        except ProviderError as error:
            if error.is_certain:
                raise
            raise ProviderError(str(error), "unreached") from None  # it was only asked who serves the model
        able = {
            each: entry
            for each, entry in served.items()
            if entry.get("task") == task and each in ROUTERS and task in ROUTERS[each].tasks and not _has_adapter(entry)
        }
        if wanted in able or (able and not wanted):
            chosen = wanted or next(iter(able))
            return chosen, str(able[chosen].get("providerId") or name)
        others = f"; {', '.join(able)} can: add @{next(iter(able))}" if able else ""
        who = f"{wanted} does not serve {name}" if wanted else f"no provider that aigen knows serves {name}"
        raise ProviderError(explain(self._access, "invalid", f"{who} for {task}{others}", None), "invalid")

    def _served_by(self, name: str, request: ItemRequest) -> Mapping[str, Mapping[str, Any]]:
        """Return which providers serve a model, by name."""
        if name not in self._served:
            path = f"api/models/{name}?expand=inferenceProviderMapping"
            answer = self._quick.ask(Call("GET", path), request, self._hub)
            found = answer.get("inferenceProviderMapping") if isinstance(answer, Mapping) else None
            if isinstance(found, list):
                found = {str(each.get("provider")): each for each in found if isinstance(each, Mapping)}
            self._served[name] = {
                provider: entry
                for provider, entry in (found or {}).items()
                if isinstance(entry, Mapping) and entry.get("status") == "live"
            }
        return self._served[name]

    @property
    def _hub(self) -> str:
        """Where the hub is: what replaces the router replaces it too, since the key may be for that only."""
        return HUB if self._access.base_url == self._access.info.address else self._access.base_url

    def check_key(self) -> str:
        answer = self._quick.ask(Call("GET", "api/whoami-v2"), base_url=self._hub)
        name = answer.get("name") if isinstance(answer, Mapping) else None
        plan = " (PRO)" if name and answer.get("isPro") is True else ""
        return f"the account {shorten(str(name))}{plan}" if name else ""

    def poll(self, job_id: str) -> Pending | Ready | Rejected:
        provider, _, job = job_id.partition(" ")
        router = self._router(provider)
        answer = self._quick.ask(self._rest.read(lambda: router.status(job)))
        found: Any = self._rest.read(lambda: router.read(job, answer))
        if isinstance(found, Call):  # it has ended, and its result is asked for
            try:
                result = self._results.ask(found)
            except ProviderError as error:
                if error.fault != "moderation":
                    raise
                return Rejected(str(error))
            found = self._rest.read(lambda: router.read(job, result))
        if isinstance(found, Rejected):
            refused = any(word in found.reason.lower() for word in ("nsfw", "content_policy", "safety"))
            return Rejected(explain(self._access, "moderation" if refused else "server", found.reason))
        return found  # type: ignore[no-any-return]

    def _router(self, provider: str) -> Router:
        if provider not in ROUTERS:
            told = f"its job is at {provider[:40]!r}, which this aigen does not know"
            raise ProviderError(explain(self._access, "server", told), "server")
        return ROUTERS[provider]

    def cancel(self, job_id: str) -> Rejected | None:
        provider, _, job = job_id.partition(" ")
        call = self._router(provider).cancel(job)
        if call is None:
            raise ProviderError(f"{provider} cannot cancel it, so it may be charged", "invalid")
        try:
            self._quick.ask(call)
        except ProviderError as error:
            if error.fault != "missing":
                raise
        return None


def _has_adapter(entry: Mapping[str, Any]) -> bool:
    """Return whether a model is an adapter (LoRA), which is not supported: each provider takes it differently."""
    return bool(entry.get("adapterWeightsPath") or entry.get("adapter"))


def _fault_of(found: Refusal) -> ProviderFault:
    return "moderation" if "content_policy_violation" in str(found.body) else found.fault


def _fault_of_result(found: Refusal) -> ProviderFault:
    """What an error means that stands in the place of a result: with 422, there will never be one."""
    return "moderation" if found.status == 422 and found.body else _fault_of(found)
