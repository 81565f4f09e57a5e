"""How much a visitor may send, and how slowly: little, unless it is a picture and somebody who has logged in brings it.

A server keeps what comes on the disk before any page sees it, so that is decided here, by the first lines of a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from bottle import LocalRequest
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import RequestEntityTooLarge

from aigen.errors import AigenError
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery


@dataclass(frozen=True)
class Patience:
    """How many seconds the first lines of a request may take to arrive, and all of it.

    The server's own limit is on silence only, which a byte now and then avoids.
    """

    head: float = 20.0
    whole: float = 600.0


def limited(gallery: Gallery, larger: Mapping[str, int], usual: int, patience: Patience = Patience()) -> type[Any]:
    """What the server makes of a connection: requests for these paths may be larger than usual, in bytes."""

    class Parser(HTTPRequestParser):
        def __init__(self, adjustments: Any) -> None:
            super().__init__(adjustments)
            self.began_at = monotonic()

        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
            if "TRANSFER_ENCODING" in self.headers or (self.chunked and "CONTENT_LENGTH" in self.headers):
                # A proxy may take the other one to say where the request ends, and what is behind that for another's.
                raise ParsingError("Transfer-Encoding beside Content-Length or in HTTP/1.0")
            size = self.content_length
            if size >= usual and not (
                self.command == "POST" and size < larger.get(self.path, 0) and self._has_logged_in()
            ):
                self._refuse()

        def received(self, data: bytes) -> int:
            consumed: int = super().received(data)
            if self.chunked and self.body_bytes_received >= usual:  # no browser sends a file so
                self._refuse()
            return consumed

        def _refuse(self) -> None:
            self.expect_continue = False  # else the server asks for the rest first
            self.error = RequestEntityTooLarge("this takes less, or only of who has logged in")
            self.completed = True

        def _has_logged_in(self) -> bool:
            asked = LocalRequest({"HTTP_COOKIE": self.headers.get("COOKIE", "")})
            try:
                return visits.recognise(gallery, asked).user_id is not None
            except AigenError:
                return False

    class Channel(HTTPChannel):
        parser_class = Parser

        def readable(self) -> bool:
            """Return whether more can be read; the server asks that all the time. Ends what takes too long."""
            if self.request is not None:
                limit = patience.whole if self.request.headers_finished else patience.head
                if monotonic() - self.request.began_at > limit:
                    self.will_close = True
            able: bool = super().readable()
            return able

    return Channel
