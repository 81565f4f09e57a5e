"""A notice by email: text and HTML with small pictures, by the user's own mail server."""

import re
import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, formataddr, parseaddr
from html import escape
from io import BytesIO
from pathlib import Path
from threading import Event, Timer

from aigen.errors import NotDelivered, UsageError
from aigen.notify.links import is_loopback
from aigen.notify.messages import Message
from aigen.settings import Settings
from aigen.types.addresses import for_servers, is_address

# Seconds for one answer of the server, and for all of a delivery once it is connected: some drip for ever.
ANSWER_LIMIT = 15.0
DELIVERY_LIMIT = 60.0
PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class Server:
    """A mail server and how to speak to it. `sender` is an address, with or without a name."""

    host: str
    port: int
    security: str
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @property
    def spoken(self) -> str:
        return {"starttls": "STARTTLS", "tls": "TLS", "none": "without encryption"}[self.security]

    def trusted(self) -> ssl.SSLContext:
        """What its certificate is checked with."""
        return ssl.create_default_context(cafile=self.ca_file)


def is_mail(channel: str) -> bool:
    return channel.startswith("mailto:")


def read_server(settings: Settings, needed_for: str) -> Server:
    """The mail server as the settings name it. Raises UsageError, naming the setting that is missing or wrong."""

    def read(name: str) -> str | None:
        return settings.values.get(f"AIGEN_SMTP_{name}") or None

    settings.check_one_source(*(f"AIGEN_SMTP_{name}" for name in ("HOST", "PORT", "SECURITY", "USER", "PASSWORD")))
    host, security = read("HOST"), (read("SECURITY") or "starttls").lower()
    sender = read("FROM") or (user if (user := read("USER")) and is_address(user) else None)
    if not host or not sender:
        missing = [name for name, value in (("AIGEN_SMTP_HOST", host), ("AIGEN_SMTP_FROM", sender)) if not value]
        raise UsageError(f"{needed_for} needs a mail server: set {' and '.join(missing)}")
    if security not in PORTS:
        raise UsageError(f"AIGEN_SMTP_SECURITY {security[:80]!r} is not known: use {', '.join(PORTS)}")
    if security == "none" and not is_loopback(f"smtp://{host}"):
        raise UsageError(f"AIGEN_SMTP_SECURITY 'none' is for this machine only, not for {host!r}: use starttls or tls")
    port = read("PORT") or str(PORTS[security])
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"AIGEN_SMTP_PORT {port[:80]!r} is not a port: give a number from 1 to 65535")
    if not is_address(parseaddr(sender)[1]) or not sender.isprintable():
        raise UsageError(f"AIGEN_SMTP_FROM {sender[:80]!r} is not an address: give one such as aigen@example.org")
    if bool(read("USER")) != bool(read("PASSWORD")):
        raise UsageError("AIGEN_SMTP_USER and AIGEN_SMTP_PASSWORD belong together: set both or none")
    ca_file = Path(text).expanduser() if (text := read("CA_FILE")) else None
    server = Server(host, int(port), security, sender, read("USER"), read("PASSWORD"), ca_file)
    try:
        if ca_file:
            server.trusted()
    except OSError as error:
        raise UsageError(
            f"AIGEN_SMTP_CA_FILE {str(ca_file)!r} cannot be read: give a file with certificates (PEM)"
        ) from error
    return server


def send(message: Message, address: str, server: Server) -> None:
    """Hand a message to the mail server. Raises NotDelivered; lasting when the server refuses it whoever sends it."""
    mail = write(message, address, server)
    try:
        with _connected(server) as connection:
            connection.send_message(mail, to_addrs=[for_servers(address)])
    except smtplib.SMTPRecipientsRefused as error:
        answer = _answer(*next(iter(error.recipients.values())))
        raise NotDelivered(f"{server.host} refuses {address}: {answer}", _is_nobody(answer)) from error
    except smtplib.SMTPAuthenticationError as error:
        answer = _answer(error.smtp_code, error.smtp_error)
        raise NotDelivered(f"{server.host} refuses user and password: {answer}") from error
    except smtplib.SMTPDataError as error:
        answer = _answer(error.smtp_code, error.smtp_error)
        raise NotDelivered(f"{server.host} refuses the message: {answer}") from error
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"{server.host}: {_answer(error.smtp_code, error.smtp_error)}") from error
    except ssl.SSLCertVerificationError as error:
        raise NotDelivered(f"the certificate of {server.host} is not trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise NotDelivered(f"{server.host}:{server.port} cannot be spoken to by {server.spoken}: {error}") from error
    except (TimeoutError, smtplib.SMTPServerDisconnected) as error:
        raise NotDelivered(f"{server.host}:{server.port} does not answer or hangs up: {error}") from error
    except smtplib.SMTPException as error:  # before OSError, which it is one of
        raise NotDelivered(f"{server.host}:{server.port} ({server.spoken}): {error}") from error
    except OSError as error:
        raise NotDelivered(f"{server.host}:{server.port} cannot be reached: {error.strerror or error}") from error


@contextmanager
def _connected(server: Server) -> Iterator[smtplib.SMTP]:
    """A connection to the server, secured and logged in, that is broken off when it lasts too long."""
    context = server.trusted()
    connection: smtplib.SMTP
    if server.security == "tls":
        connection = smtplib.SMTP_SSL(timeout=ANSWER_LIMIT, context=context)
    else:
        connection = smtplib.SMTP(timeout=ANSWER_LIMIT)
    connection._host = server.host  # type: ignore[attr-defined]  # connect() does not say whose certificate it must be
    broken_off = Event()
    watchdog = Timer(DELIVERY_LIMIT, _break_off, [connection, broken_off])
    watchdog.daemon = True
    watchdog.start()
    try:
        code, greeting = connection.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, greeting)
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user and server.password:
            _log_in(connection, server.user, server.password)
        yield connection
    except (OSError, smtplib.SMTPException) as error:
        if broken_off.is_set():  # smtplib may take it for something else
            raise TimeoutError(f"it took longer than {DELIVERY_LIMIT:.0f} s") from error
        raise
    finally:
        watchdog.cancel()
        with suppress(OSError, smtplib.SMTPException):
            connection.putcmd("quit")  # without waiting for an answer: what was to be said has been said
        connection.close()


def _log_in(connection: smtplib.SMTP, user: str, password: str) -> None:
    if (user + password).isascii():
        connection.login(user, password)
        return
    # smtplib's own login knows ASCII only; RFC 4616 says UTF-8.
    connection.ehlo_or_helo_if_needed()
    code, answer = connection.docmd("AUTH", f"PLAIN {b64encode(f'{chr(0)}{user}{chr(0)}{password}'.encode()).decode()}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _break_off(connection: smtplib.SMTP, broken_off: Event) -> None:
    broken_off.set()
    if connection.sock:
        connection.sock.shutdown(socket.SHUT_RDWR)


def _is_nobody(answer: str) -> bool:
    """Whether a refusal means that there is no such recipient. Others may end: a quota, a relay that wants a login."""
    return bool(re.match(r"(550|551|553|556) ", answer)) and not re.search(r"\b[45]\.[02-9]\.\d", answer)


def _answer(code: int, text: bytes | str) -> str:
    told = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(told.split())}"


def write(message: Message, address: str, server: Server) -> EmailMessage:
    """A message as a mail; its Message-ID is the same each time it is sent, so that doubles can be told."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["Subject"] = message.title
    name, sender = parseaddr(server.sender)
    mail["From"] = formataddr((name, for_servers(sender))) if name.isascii() else server.sender
    mail["To"] = for_servers(address)
    mail["Date"] = format_datetime(message.written_at)
    mail["Message-ID"] = f"<{message.key}@{for_servers(sender).partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(message))
    pictures = {f"picture-{number}": _jpeg(path) for number, path in enumerate(message.pictures, 1)}
    mail.add_alternative(_html(message, list(pictures)), subtype="html")
    html = mail.get_body(("html",))
    assert html is not None
    for name, picture in pictures.items():
        html.add_related(picture, "image", "jpeg", cid=f"<{name}>", filename=f"{name}.jpg", disposition="inline")
    return mail


def _jpeg(path: Path) -> bytes:
    """A picture as a JPEG, which every mail program shows."""
    from PIL import Image

    data = BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(data, "JPEG", quality=80)
    return data.getvalue()


def _validity(message: Message) -> str:
    if message.event == "confirm":
        return f"The link works until {message.expires_at:%Y-%m-%d %H:%M} UTC."
    here = " on the computer that made it" if is_loopback(message.link) else ""
    return f"The link opens it{here} once, until {message.expires_at:%Y-%m-%d %H:%M} UTC." if message.expires_at else ""


def _text(message: Message) -> str:
    facts = "\n".join(message.facts)
    asked = f'You asked for: "{message.prompt}"\n\n' if message.prompt else ""
    return f"{asked}{facts}\n\n{message.link}\n\n{_validity(message)}".rstrip() + "\n"


def _html(message: Message, pictures: list[str]) -> str:
    facts = "".join(f'<p style="margin:0 0 8px">{escape(fact)}</p>' for fact in message.facts)
    shown = "".join(
        f'<img src="cid:{name}" alt="" width="160" style="width:160px;max-width:31%;border-radius:8px;'
        'margin:0 6px 6px 0">'
        for name in pictures
    )
    asked = f'<p style="margin:0 0 16px;font-size:18px">“{escape(message.prompt)}”</p>' if message.prompt else ""
    shown = f'<div style="margin:0 0 12px">{shown}</div>' if shown else ""
    return f"""\
<!doctype html>
<html lang="en"><body style="margin:0;padding:24px;background:#f4f4f5;color:#18181b;font:16px/1.5 sans-serif">
<div style="max-width:560px;margin:auto;padding:28px;background:#ffffff;border-radius:12px">
<h1 style="margin:0 0 12px;font-size:22px">{escape(message.heading)}</h1>
{asked}{shown}
{facts}
<p style="margin:20px 0"><a href="{escape(message.link)}" style="display:inline-block;padding:10px 20px;\
background:#1d4ed8;color:#ffffff;border-radius:8px;text-decoration:none">{message.action}</a></p>
<p style="margin:0;font-size:13px;color:#52525b">{_validity(message)}</p>
</div></body></html>
"""
