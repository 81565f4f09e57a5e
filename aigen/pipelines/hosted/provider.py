"""What a hosted provider can be asked, and how its errors are translated.

A provider module speaks HTTP through the provider's own SDK, and nothing else: it keeps no state, writes no files and
never sleeps. It raises ProviderError only.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.families import Family, ProviderInfo
from aigen.settings import SECRET_LENGTH
from aigen.types.request import Kind, Size
from aigen.wording import visible

# Bytes of one answer of an API: an image of 4K in Base64, and room.
ANSWER_LIMIT = 200_000_000
# Seconds that one call may take, unless the call itself makes the result.
CALL_TIMEOUT = 60.0
_REASON_LENGTH = 300
# What a job does of which no more is known.
BEING_MADE = "being made"


@dataclass(frozen=True)
class Access:
    """How to reach a provider. The key never appears in texts."""

    info: ProviderInfo
    key: str = field(repr=False)
    base_url: str = ""
    organization: str | None = None
    project: str | None = None

    def redact(self, text: str) -> str:
        return text.replace(self.key, "…") if len(self.key) >= SECRET_LENGTH else text


@dataclass(frozen=True, kw_only=True)
class ItemRequest:
    """One item to be bought. `picture` is a JPEG that it starts from; no `size`: the provider decides."""

    model: str
    kind: Kind
    prompt: str
    size: Size | None
    seconds: int | float = 0
    seed: int | None = None
    picture: bytes | None = field(default=None, repr=False)
    tokens: Mapping[str, float] = field(default_factory=dict)  # prices in USD for a million, by their sort
    instead: str | None = None  # the model to ask for where there is no such model
    script: str | None = field(default=None, repr=False)  # what a film says, instead of a prompt
    voice: str | None = None


@dataclass(frozen=True)
class Accepted:
    """The provider has taken a job; it may cost up to `price` in USD."""

    id: str
    price: float | None = None


@dataclass(frozen=True)
class Pending:
    """A job is not done. `progress` is 0 to 1; `text` says what it does."""

    text: str
    progress: float | None = None


@dataclass(frozen=True)
class Ready:
    """A result: its bytes, or where they can be fetched."""

    cost: float | None = None
    url: str | None = None
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rejected:
    """A job has ended without a result: refused by moderation, failed, or cancelled."""

    reason: str
    cost: float | None = None


class Provider(Protocol):
    """A provider's API. Its class is called with an `Access`."""

    def submit(self, request: ItemRequest) -> Accepted | Ready:
        """Buy one item, in one request that is never sent twice."""

    def poll(self, job_id: str) -> Pending | Ready | Rejected: ...

    def cancel(self, job_id: str) -> Rejected | None:
        """Cancel a job; None where the provider cannot say what became of it."""

    def check_key(self) -> str:
        """Ask for something free that needs the key; return balance and limits in words, where the provider tells."""


def token_cost(counts: Mapping[str, Any], request: ItemRequest) -> float | None:
    """Return what tokens of some sorts cost in USD; None if a number or a price is not known."""
    if any(not isinstance(count, int) or count < 0 for count in counts.values()) or not set(counts) <= set(
        request.tokens
    ):
        return None
    return round(sum(float(count) * request.tokens[sort] for sort, count in counts.items()) / 1_000_000, 6)


def explain(access: Access, fault: ProviderFault, reason: str, request: ItemRequest | None = None) -> str:
    """Return an error as one line: who, what, and what to do."""
    info, reason = access.info, shorten(access.redact(reason))
    told = f" ({reason})" if reason else ""
    family = info.family(request.model) if request else None
    model = request.model if request else "the model"
    other = (family.successor or family.instead) if family else None
    texts: dict[ProviderFault, str] = {
        "key": f"{info.title} does not accept the key{told}: check {info.keys[0]}, or get a key at {info.key_page}",
        "credit": f"the account at {info.title} has no credit left{told}: add some at {info.page}",
        "rate": f"{info.title} accepts no more requests for now{told}",
        "busy": f"{info.title} has no capacity for now{told}",
        "moderation": f"{info.title} refused it: {reason or 'it gave no reason'}",
        "invalid": f"{info.title} does not allow it: {reason or 'it gave no reason'}{_allowed(request, family)}",
        "model": f"{info.title} has no model {model!r}{told}" + (f": use {info.name}:{other}" if other else ""),
        "missing": f"{info.title} does not know the job any more{told}",
        "server": f"{info.title} failed{told}",
        "unreached": f"{info.title} cannot be reached{told}: check the network and {info.base_url}",
        "unanswered": f"{info.title} was asked, but its answer was lost{told}",
    }
    return texts[fault]


def _allowed(request: ItemRequest | None, family: Family | None) -> str:
    """Return what a model of a known family can make."""
    if request is None or family is None:
        return ""
    sizes = family.sizes if family.picture_sizes is None or not request.picture else family.picture_sizes
    parts = [", ".join(map(str, sizes))] if sizes and not family.step else []
    parts += [f"{', '.join(map(str, family.durations))} seconds"] if family.durations else []
    return f" ({request.model} makes {'; '.join(parts)})" if parts else ""


def shorten(reason: str) -> str:
    """Return a reason that a provider gives as one short line."""
    line = visible(" ".join(reason.split()))
    return line if len(line) <= _REASON_LENGTH else f"{line[: _REASON_LENGTH - 1]}…"


# What the client libraries of the SDKs raise before anything was sent.
_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
_STATUSES: dict[int, ProviderFault] = {
    400: "invalid", 401: "key", 402: "credit", 403: "key", 404: "model", 405: "invalid", 413: "invalid",
    422: "invalid", 429: "rate", 301: "invalid", 302: "invalid", 307: "invalid", 308: "invalid",
}  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """An error answer of a provider: its status, its JSON (or nothing), and its reason in words."""

    status: int
    body: Mapping[str, Any]
    reason: str

    @property
    def fault(self) -> ProviderFault:
        # A 503 of the provider itself says so in JSON; a proxy may send one after it has passed the request on.
        if self.status == 503 and self.body and "id" not in self.body:
            return "busy"
        if self.status == 404 and not self.body:
            return "invalid"
        if self.status == 403 and re.search("balance|credit|billing", self.reason, re.IGNORECASE):
            return "credit"
        return _STATUSES.get(
            self.status, "server" if not 400 <= self.status < 500 or self.status in (408, 409) else "invalid"
        )


def refusal_of(error: Any) -> Refusal | None:
    """Return what an error of an SDK says of an answer; None if there was no answer.

    The SDKs have no class in common: an answer shows by its status, in `status_code` or `code`.
    """
    status = next((each for name in ("status_code", "code") if isinstance(each := getattr(error, name, None), int)), 0)
    if not status:
        return None
    body = _body(error)
    said = next(
        (body[name] for name in ("message", "error", "error_message", "detail") if isinstance(body.get(name), str)), ""
    )
    issues = [
        f"{'.'.join(map(str, issue.get('path') or []))}: {issue.get('message') or issue.get('msg')}".strip(": ")
        for name in ("issues", "detail", "fields")
        if isinstance(body.get(name), list)
        for issue in body[name]
        if isinstance(issue, Mapping)
    ]
    reason = f"status {status}"
    if status == 404 and not body:
        reason = "status 404, and no JSON: check its base URL"
    if 300 <= status < 400:
        location = getattr(getattr(error, "response", None), "headers", {}).get("location", "").split("?")[0]
        reason = f"it redirects{f' to {location}' if location else ''}, which is not followed"
    return Refusal(status, body, "; ".join([*([said or reason] if said or not issues else []), *issues]))


def _body(error: Any) -> Mapping[str, Any]:
    """Return the JSON of an error answer, without what providers wrap around it."""
    try:
        body = error.response.json()
    except Exception:  # no response, or no JSON in it
        return {}
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        body = body["error"]
    return body if isinstance(body, Mapping) else {}


def retry_after(error: Any) -> float | None:
    """Return the seconds that an error answer asks to wait, in a header or, as Google writes it, in its details."""
    details = _body(error).get("details")
    delays = (
        [each.get("retryDelay") for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
    )
    asked = [getattr(getattr(error, "response", None), "headers", {}).get("retry-after"), *delays]
    for text in asked:
        with suppress(ValueError):
            return max(0.0, float(str(text).removesuffix("s")))
    return None


def translated(
    access: Access,
    call: Callable[[], Any],
    fault_of: Callable[[Refusal], ProviderFault],
    request: ItemRequest | None = None,
) -> Any:
    """Return what a call of an SDK answers. Raises ProviderError for whatever the SDK raises.

    `fault_of` knows what the error answers of this provider mean.
    """
    try:
        return call()
    except Exception as error:  # also what the SDK stumbles over in an answer
        found = refusal_of(error)
        if found is None:
            raise transport_error(access, error) from None
        if 200 <= found.status < 300:
            raise ProviderError(explain(access, "server", "its answer cannot be read"), "server") from None
        fault = fault_of(found)
        if fault == "model" and request is None:  # what was asked for is a job
            fault = "missing"
        raise ProviderError(explain(access, fault, found.reason, request), fault, retry_after(error)) from None


def transport_error(access: Access, error: BaseException) -> ProviderError:
    """Translate an error of an SDK that is not an answer: nothing reached the provider, or nothing came back."""
    cause = error.__cause__ or error
    name = type(cause).__name__
    fault: ProviderFault = "unreached" if name in _NOT_SENT else "unanswered"
    if name == "LocalProtocolError":  # such as a key that no header can hold
        fault = "invalid"
    if isinstance(error, json.JSONDecodeError | TypeError | AttributeError | KeyError):
        return ProviderError(explain(access, "server", "its answer cannot be read"), "server")
    return ProviderError(explain(access, fault, f"{name}: {cause}"), fault)


def http_client(library: Any, timeout: float) -> Any:
    """Return a client of httpx or httpx2 for an SDK: it follows no redirects, so that a key goes nowhere else, keeps no
    connection open, since one that the server has just closed would lose an answer, and refuses huge answers.
    """

    class Limited(library.SyncByteStream):  # type: ignore[misc]  # of a library that is known only at run time
        def __init__(self, stream: Any) -> None:
            self._stream, self._left = stream, ANSWER_LIMIT

        def __iter__(self) -> Any:
            for part in self._stream:
                self._left -= len(part)
                if self._left < 0:
                    raise library.ReadError(f"an answer of more than {ANSWER_LIMIT // 1_000_000} MB")
                yield part

        def close(self) -> None:
            self._stream.close()

    def limit(response: Any) -> None:
        response.stream = Limited(response.stream)

    return library.Client(
        timeout=library.Timeout(timeout, connect=10.0),
        limits=library.Limits(max_keepalive_connections=0),
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [limit]},
    )
