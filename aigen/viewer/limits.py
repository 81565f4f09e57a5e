"""How much a visitor may send: little, unless it is a picture and somebody who has logged in brings it.

A server keeps what comes on the disk before any page sees it, so that is decided here, by the first lines of a request.
"""

from collections.abc import Mapping
from typing import Any

from bottle import LocalRequest
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

from aigen.errors import AigenError
from aigen.viewer import visits
from aigen.viewer.gallery import Gallery


def limited(gallery: Gallery, larger: Mapping[str, int], usual: int) -> type[Any]:
    """What the server makes of a connection: requests for these paths may be larger than usual, in bytes."""

    class Parser(HTTPRequestParser):
        def parse_header(self, header_plus: bytes) -> None:
            super().parse_header(header_plus)
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

    return Channel
