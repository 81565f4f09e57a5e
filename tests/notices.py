"""What the tests of notices share: orders that are ready, a channel that records, and a real mail server."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from aigen.errors import NotDelivered
from aigen.notify.messages import Message
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.types.request import Draft
from aigen.types.rows import Generation

USER, PASSWORD = "bot@example.org", "s3cr3t p@ss/wörd"


def order_ready(context: Context, *channels: str, at: str | None = None, **request: Any) -> Generation:
    """An order of one image that has been made; its notices are ready."""
    wanted = {"prompt": "a kite", "images": 1, "videos": 0, "seed": 5, **request}
    return lifecycle.generate(context, Draft(notify=channels, notify_at=at, **wanted), "ana")


@dataclass
class Recorder:
    """A channel for tests: keeps what it is given, or raises what a channel is set to raise."""

    sent: list[tuple[str, Message]] = field(default_factory=list)
    raises: dict[str, NotDelivered] = field(default_factory=dict)

    def __call__(self, channel: str, message: Message, settings: Settings) -> None:
        if channel in self.raises:
            raise self.raises[channel]
        self.sent.append((channel, message))

    @property
    def channels(self) -> list[str]:
        return [channel for channel, _ in self.sent]


def mail_settings(port: int, folder: Path, **changed: str) -> dict[str, str]:
    """The settings for a mail server on this machine."""
    values = {
        "HOST": "localhost",
        "PORT": str(port),
        "USER": USER,
        "PASSWORD": PASSWORD,
        "FROM": "aigen <aigen@example.org>",
        "CA_FILE": str(folder / "ca.pem"),
    }
    return {f"AIGEN_SMTP_{name}": value for name, value in {**values, **changed}.items()}


class Inbox:
    """Keeps what is delivered; refuses some recipients and messages, and may hang."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.hang = threading.Event()
        self.asked = threading.Event()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user here"
        if address.startswith("later@"):
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        if "REJECT" in str(mail["Subject"]):
            return "554 5.7.1 rejected by policy"
        self.mails.append(mail)
        self.recipients += envelope.rcpt_tos
        self.asked.set()
        while self.hang.is_set():  # with the mail taken over and nothing said
            await asyncio.sleep(0.05)
        return "250 OK"


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)  # handled: it would never answer


@contextmanager
def mail_server(folder: Path, security: str = "starttls", port: int = 0) -> Iterator[tuple[int, Inbox]]:
    """A real mail server with a certificate whose authority is in `ca.pem`, for the time of the context; its port."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    inbox = Inbox()

    class Server(Controller):
        def factory(self) -> SMTP:
            if security != "starttls":
                return SMTP(self.handler, hostname="localhost", authenticator=_authenticate, auth_require_tls=False)
            return SMTP(
                self.handler,
                hostname="localhost",
                tls_context=context,
                require_starttls=True,
                auth_required=True,
                authenticator=_authenticate,
            )

    server = Server(inbox, hostname="localhost", port=port, ssl_context=context if security == "tls" else None)
    if not port:
        server.port = _free_port()
    server.start()
    try:
        yield server.port, inbox
    finally:
        inbox.hang.clear()
        server.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("localhost", 0))
        port: int = found.getsockname()[1]
        return port
