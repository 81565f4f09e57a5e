"""What the tests of the web gallery share: a browser without a screen, as WebTest has it, and galleries to visit."""

import re
from typing import Any

from webtest import TestApp, TestResponse

from aigen.viewer.app import guarded, make_app
from aigen.viewer.gallery import Gallery

HOST = "localhost:80"


class Browser:
    """Somebody who visits the gallery: keeps cookies and fills in forms as a browser does."""

    def __init__(self, gallery: Gallery, address: str = "127.0.0.1", scheme: str = "http") -> None:
        environ = {
            "REMOTE_ADDR": address, "HTTP_USER_AGENT": "Test/1 <b>", "wsgi.url_scheme": scheme, "HTTP_HOST": HOST,
        }  # fmt: skip
        self.app = TestApp(guarded(make_app(gallery), gallery), extra_environ=environ)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.app.get(path, expect_errors=True, **more)

    def post(self, path: str, form: str | None = None, **values: Any) -> TestResponse:
        """Send a form, with what the page `form` (else that of the path) has put into it."""
        page = self.get(form or path)
        found = re.search(r'name="csrf" value="(\w+)"', page.text)
        return self.app.post(path, {"csrf": found[1] if found else "", **values}, expect_errors=True)

    def register(self, user_id: str = "ana", password: str = "") -> "Browser":
        answer = self.post("/register", user_id=user_id, password=password)
        assert answer.status_code == 303, answer.text
        return self
