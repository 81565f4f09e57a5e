"""HTTP with JSON, for providers without a usable SDK: one request each time, within limits, errors translated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aigen.errors import ProviderError, ProviderFault
from aigen.pipelines.hosted.provider import Access, ItemRequest, Refusal, explain, http_client, translated

# Seconds for an answer: some make an image while the call waits.
TIMEOUT = 600.0


@dataclass(frozen=True)
class Call:
    """A request. `raw`: its answer is the result itself, not JSON."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    body: Mapping[str, Any] | None = None
    raw: bool = False


class _Refused(Exception):
    """An answer that is no success, as SDKs raise it."""

    def __init__(self, response: Any) -> None:
        super().__init__(f"status {response.status_code}")
        self.status_code, self.response = response.status_code, response


class Rest:
    """The API of a provider, with the header that holds the key. `fault_of` knows what its error answers mean.

    An answer may take `timeout` seconds; usually as long as it takes to make an image.
    """

    def __init__(
        self, access: Access, key: str, fault_of: Callable[[Refusal], ProviderFault], timeout: float | None = None
    ) -> None:
        import httpx2

        self._access, self._key, self._fault_of = access, key, fault_of
        self._client: Any = http_client(httpx2, timeout or TIMEOUT)

    def ask(self, call: Call, request: ItemRequest | None = None, base_url: str | None = None) -> Any:
        """Return the answer to a call: JSON, or its bytes. Raises ProviderError."""

        def send() -> Any:
            response = self._client.request(
                call.method,
                f"{(base_url or self._access.base_url).rstrip('/')}/{call.path}",
                json=_without_nothing(call.body) if call.body is not None else None,
                headers={"Authorization": self._key} | ({"Accept": "image/png"} if call.raw else {}),
            )
            if not 200 <= response.status_code < 300:
                raise _Refused(response)
            return response.content if call.raw else response.json()

        return translated(self._access, send, self._fault_of, request)

    def read(self, read: Callable[[], Any]) -> Any:
        """Return what is read from an answer. Raises ProviderError for one that lacks what it must have."""
        try:
            return read()
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            raise ProviderError(explain(self._access, "server", "its answer cannot be read"), "server") from None


def _without_nothing(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without what is not set."""
    return {
        name: _without_nothing(value) if isinstance(value, Mapping) else value
        for name, value in body.items()
        if value is not None
    }
