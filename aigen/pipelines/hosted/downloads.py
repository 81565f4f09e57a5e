"""Results of hosted jobs become files: fetched within limits, without the key where that can be, and checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from aigen.content import publish
from aigen.errors import ProviderError, UsageError
from aigen.media import c2pa, provenance
from aigen.pipelines.hosted.families import ProviderInfo
from aigen.pipelines.hosted.provider import Access
from aigen.types.request import Kind
from aigen.wording import spoken_size

# Bytes of a file, and redirects that are followed to it.
LIMITS: dict[Kind, int] = {"image": 100_000_000, "video": 2_000_000_000}
_REDIRECTS = 5
# How files begin: the first bytes and where they stand, the kind, and the suffix.
_BEGINNINGS: tuple[tuple[bytes, int, Kind, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image", ".png"),
    (b"\xff\xd8\xff", 0, "image", ".jpg"),
    (b"WEBP", 8, "image", ".webp"),
    (b"ftyp", 4, "video", ".mp4"),
)


@dataclass(frozen=True)
class Downloads:
    """Fetches the results of one provider, of one kind: over https, or from the origin of its base URL.

    A provider that keeps results behind the key gets it, in the header that it asks for, at its own origin alone.
    """

    info: ProviderInfo
    access: Access
    kind: Kind

    def fetch(self, url: str, stem: Path, check: Callable[[], None]) -> Path:
        """Download a file; return its path with the right suffix. `check` is called now and then, and may raise.

        Raises ProviderError, `missing` where the address has expired.
        """
        import httpx2

        part = stem.with_name(f"{stem.name}.part")
        timeout = httpx2.Timeout(60.0, connect=10.0)
        try:
            with httpx2.Client(timeout=timeout, follow_redirects=False) as client:
                for _ in range(_REDIRECTS + 1):
                    self._check_address(url)
                    with client.stream("GET", url, headers=self._headers(url)) as response:
                        if response.has_redirect_location:
                            url = urljoin(url, response.headers["location"])
                            continue
                        if response.status_code in (401, 403, 404, 410):
                            raise self._error(f"its file has expired (status {response.status_code})", "missing")
                        if response.status_code != 200:
                            raise self._error(f"its file cannot be had (status {response.status_code})", "unanswered")
                        self._write(response, part, check)
                        return _finish(self.info, part, stem, self.kind)
            raise self._error("its file is behind too many redirects", "server")
        except (httpx2.InvalidURL, ValueError):
            raise self._error("the address of its file cannot be used", "server") from None
        except httpx2.HTTPError as error:
            told = self.access.redact(str(error))
            raise self._error(f"its file cannot be downloaded ({type(error).__name__}: {told})", "unanswered") from None
        finally:
            part.unlink(missing_ok=True)

    def _headers(self, url: str) -> dict[str, str]:
        return {self.info.file_key: self.access.key} if self.info.file_key and self._is_own(url) else {}

    def _is_own(self, url: str) -> bool:
        """Whether an address is at the origin of the provider's base URL."""
        return _origin(url) == _origin(self.access.base_url)

    def _check_address(self, url: str) -> None:
        address = urlsplit(url)
        if not self._is_own(url) and (address.scheme != "https" or not address.hostname):
            raise self._error(f"its file is at {address.scheme}://{address.hostname}, which is not https", "server")

    def _write(self, response: Any, part: Path, check: Callable[[], None]) -> None:
        limit, written, length = LIMITS[self.kind], 0, response.headers.get("content-length", "")
        too_large = self._error(f"its file is larger than {spoken_size(limit)}", "server")
        if length.isdigit() and int(length) > limit:
            raise too_large
        with part.open("wb") as file:
            for data in response.iter_bytes():
                if not written and len(data) >= 12:
                    _sniff(self.info, data, self.kind)
                check()
                written += len(data)
                if written > limit:
                    raise too_large
                file.write(data)

    def _error(self, text: str, fault: Any) -> ProviderError:
        return ProviderError(f"{self.info.title}: {text}", fault)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    found = urlsplit(url)
    return found.scheme, found.hostname, found.port or {"http": 80, "https": 443}.get(found.scheme)


def save(info: ProviderInfo, data: bytes, stem: Path, kind: Kind) -> Path:
    """Write a result that came with an answer; return its path.

    Raises ProviderError if it is none that can be used: then its bytes are kept, for they are paid for.
    """
    part, kept = stem.with_name(f"{stem.name}.part"), stem.with_name(f"{stem.name}.rejected")
    try:
        part.write_bytes(data)
        return _finish(info, part, stem, kind)
    except ProviderError as error:
        part.replace(kept)
        raise ProviderError(f"{error}; what it sent is in {kept} until the order is done", error.fault) from None
    finally:
        part.unlink(missing_ok=True)


def _sniff(info: ProviderInfo, data: bytes, kind: Kind) -> str:
    """Return the suffix of a file that begins like this. Raises ProviderError unless it is of this kind."""
    for beginning, at, found, suffix in _BEGINNINGS:
        if data[at : at + len(beginning)] == beginning and found == kind:
            return suffix
    shown = data[:16].decode("ascii", errors="replace")
    raise ProviderError(f"{info.title}: its file is no {kind} (it begins with {shown!r})", "server")


def _finish(info: ProviderInfo, part: Path, stem: Path, kind: Kind) -> Path:
    """Check a whole file and give it its name. A WebP becomes a PNG, unless it is signed."""
    with part.open("rb") as file:
        suffix = _sniff(info, file.read(16), kind)
    try:
        provenance.read(part)
    except UsageError:
        raise ProviderError(f"{info.title}: its file is damaged", "server") from None
    if suffix == ".webp" and not c2pa.is_signed(part):
        from PIL import Image

        with Image.open(part) as image:
            image.save(part.with_suffix(".png"), format="PNG")
        part.with_suffix(".png").replace(part)
        suffix = ".png"
    path = stem.with_name(f"{stem.name}{suffix}")
    publish(part, path)
    return path
