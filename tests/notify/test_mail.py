"""Mail, to a real server."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from aigen.content import ContentFolder
from aigen.errors import NotDelivered, UsageError
from aigen.notify import mail
from aigen.notify.delivery import Courier, deliver_due
from aigen.notify.messages import Message
from aigen.orders.context import Context
from aigen.settings import Settings
from tests.conftest import StillClock
from tests.notices import PASSWORD, Inbox, mail_server, mail_settings, order_ready

ANA = "mailto:ana@example.org"
MESSAGE = Message(
    key="abc.completed.1.1",
    event="completed",
    title="Ready: zwei Füchse – <b>🐋</b>",
    heading="Your content is ready",
    prompt="zwei Füchse – <b>🐋</b>",
    facts=("5 images & 5 videos by storybook, made in 12 s.",),
    link="https://example.org/open/token",
    written_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
    expires_at=datetime(2026, 11, 28, 12, tzinfo=UTC),
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Inbox]]:
    with mail_server(tmp_path) as found:
        yield found


def send(port: int, folder: Path, address: str = "ana@example.org", message: Message = MESSAGE, **changed: str) -> None:
    settings = Settings(mail_settings(port, folder, **changed))
    mail.send(message, address, mail.read_server(settings, needed_for=ANA))


def refused(port: int, folder: Path, address: str = "ana@example.org", **changed: str) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        send(port, folder, address, **changed)
    assert len(str(caught.value).splitlines()) == 1
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_mail_arrives_with_text_html_pictures_and_a_stable_id(
    context: Context, clock: StillClock, content: ContentFolder, tmp_path: Path, server: tuple[int, Inbox]
) -> None:
    port, inbox = server
    values = {**mail_settings(port, tmp_path), "AIGEN_BASE_URL": "https://example.org/"}
    courier = Courier(content, lambda: Settings(values), clock)
    order = order_ready(context, ANA, prompt="two kites & <b>a fox</b>", images=5, videos=1)
    assert deliver_due(courier, context.store, "mailto:*") == []
    (received,) = inbox.mails
    assert received["Subject"] == "Ready: two kites & <b>a fox</b>"
    assert (received["From"], received["To"]) == ("aigen <aigen@example.org>", "ana@example.org")
    assert received["Date"].datetime == clock()
    assert received["Message-ID"].startswith(f"<{order.generation_id}.completed.1.")
    assert received["Message-ID"].endswith("@example.org>")
    text = received.get_body(("plain",))
    assert text is not None
    told = text.get_content()
    assert 'You asked for: "two kites & <b>a fox</b>"' in told
    assert "5 images and 1 video by storybook, made in 1 s." in told
    assert "\nhttps://example.org/open/" in told
    assert "until 2026-11-28 12:00 UTC" in told
    html = received.get_body(("html",))
    assert html is not None
    page = html.get_content()
    assert "two kites &amp; &lt;b&gt;a fox&lt;/b&gt;" in page
    pictures = [part for part in received.walk() if part.get_content_type() == "image/jpeg"]
    assert [part["Content-ID"] for part in pictures] == ["<picture-1>", "<picture-2>", "<picture-3>"]
    for part in pictures:
        assert part.get_content_disposition() == "inline"
        assert f"cid:{part['Content-ID'][1:-1]}" in page
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        assert Image.open(BytesIO(data)).format == "JPEG"
    assert len(bytes(received)) < 100_000


def test_a_domain_of_other_letters_goes_to_any_server(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    port, inbox = server
    send(port, tmp_path, "ana@exämple.org", FROM="aigen <aigen@bücher.example.org>")
    (received,) = inbox.mails
    assert received["To"] == "ana@xn--exmple-cua.org"
    assert received["From"] == "aigen <aigen@xn--bcher-kva.example.org>"


def test_over_tls_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "ANSWER_LIMIT", 1.0)
    with mail_server(tmp_path, "tls") as (port, inbox):
        send(port, tmp_path, SECURITY="tls")
        assert inbox.mails[0]["Subject"] == MESSAGE.title
        assert "hangs up" in str(refused(port, tmp_path, SECURITY="none", USER="", PASSWORD="", FROM="a@example.org"))


def test_without_encryption_on_this_machine(tmp_path: Path) -> None:
    with mail_server(tmp_path, "none") as (port, inbox):
        send(port, tmp_path, SECURITY="none")
        assert len(inbox.mails) == 1
        told = str(refused(port, tmp_path))
        assert "(STARTTLS): STARTTLS extension not supported" in told


def test_a_wrong_password_is_told_but_never_the_password(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    failure = refused(server[0], tmp_path, PASSWORD="wr0ng p@ss")
    assert "localhost refuses user and password: 535" in str(failure)
    assert "wr0ng" not in str(failure)
    assert not failure.lasting


def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    failure = refused(server[0], tmp_path, CA_FILE="")
    assert "the certificate of localhost is not trusted" in str(failure)
    assert not failure.lasting
    with (
        mail_server(tmp_path / "other", "tls") if (tmp_path / "other").mkdir() else mail_server(tmp_path / "other") as (
            port,
            inbox,
        )
    ):
        told = str(refused(port, tmp_path))  # signed by another authority than the one in our file
        assert "not trusted" in told
        assert inbox.mails == []


def test_a_certificate_for_another_name_is_refused(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    assert "not trusted" in str(refused(server[0], tmp_path, HOST="127.0.0.1"))


def test_recipients_and_messages_that_are_refused(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    port, inbox = server
    failure = refused(port, tmp_path, "nobody@example.org")
    assert (str(failure), failure.lasting) == (
        "localhost refuses nobody@example.org: 550 5.1.1 no such user here",
        True,
    )
    failure = refused(port, tmp_path, "later@example.org")
    assert (failure.lasting, "451 4.7.1 greylisted" in str(failure)) == (False, True)
    with pytest.raises(NotDelivered, match="refuses the message: 554") as caught:
        send(port, tmp_path, message=Message(**{**vars(MESSAGE), "title": "REJECT"}))
    assert not caught.value.lasting
    assert inbox.mails == []


def test_a_server_that_is_down(tmp_path: Path, server: tuple[int, Inbox]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("localhost", 0))
        assert "cannot be reached: Connection refused" in str(refused(nobody.getsockname()[1], tmp_path))
    told = str(refused(server[0], tmp_path, HOST="nonesuch.invalid"))
    assert told.startswith("nonesuch.invalid:")
    assert "cannot be reached" in told


def test_a_server_that_hangs(tmp_path: Path, server: tuple[int, Inbox], monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts and says nothing, it stops answering, or it drips for ever."""
    port, inbox = server
    monkeypatch.setattr(mail, "ANSWER_LIMIT", 0.5)
    with socket.create_server(("localhost", 0)) as silent:
        assert "does not answer" in str(refused(silent.getsockname()[1], tmp_path))
    inbox.hang.set()
    assert "does not answer" in str(refused(port, tmp_path))
    inbox.hang.clear()

    monkeypatch.setattr(mail, "DELIVERY_LIMIT", 1.0)
    with socket.create_server(("localhost", 0)) as dripping:
        threading.Thread(target=_drip, args=[dripping], daemon=True).start()
        assert "does not answer" in str(refused(dripping.getsockname()[1], tmp_path))


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, suppress(OSError):
        for _ in range(200):
            connection.sendall(b"220-here\r\n")
            time.sleep(0.1)


def test_down_and_then_up(
    context: Context, clock: StillClock, content: ContentFolder, tmp_path: Path, server: tuple[int, Inbox]
) -> None:
    port, inbox = server
    courier = Courier(content, lambda: Settings(mail_settings(port, tmp_path)), clock)
    order_ready(context, ANA, "mailto:bob@example.org")
    with socket.socket() as nobody:
        nobody.bind(("localhost", 0))
        down = Settings(mail_settings(nobody.getsockname()[1], tmp_path))
        failures = deliver_due(Courier(content, lambda: down, clock), context.store, "mailto:*")
    assert len(failures) == 2
    assert inbox.mails == []
    clock.advance(60)
    assert deliver_due(courier, context.store, "mailto:*") == []
    assert inbox.recipients == ["ana@example.org", "bob@example.org"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"HOST": ""}, "AIGEN_SMTP_HOST"),
        ({"FROM": "", "USER": "bot"}, "AIGEN_SMTP_FROM"),
        ({"SECURITY": "ssl"}, "'ssl'"),
        ({"SECURITY": "none", "HOST": "mail.example.org"}, "starttls or tls"),
        ({"PORT": "smtp"}, "'smtp'"),
        ({"PORT": "70000"}, "70000"),
        ({"FROM": "me"}, "'me'"),
        ({"FROM": "a@example.org\nBcc: b@example.org"}, "AIGEN_SMTP_FROM"),
        ({"PASSWORD": ""}, "AIGEN_SMTP_PASSWORD"),
        ({"CA_FILE": "/nonesuch.pem"}, "/nonesuch.pem"),
        ({}, "ca.pem"),  # which is empty
        ({"HOST": "[x", "SECURITY": "none", "CA_FILE": ""}, "[x"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    (tmp_path / "ca.pem").touch()
    with pytest.raises(UsageError) as caught:
        mail.read_server(Settings(mail_settings(1, tmp_path, **changed)), needed_for=ANA)
    assert told in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "nobody"),
    [
        ("550 5.1.1 no such user", True),
        ("550 unknown recipient", True),
        ("553 5.1.2 bad address", True),
        ("550 5.7.1 relaying denied", False),
        ("554 5.7.1 relay access denied", False),
        ("552 5.2.2 mailbox full", False),
        ("450 4.2.0 try again", False),
        ("530 5.7.0 authentication required", False),
    ],
)
def test_only_that_there_is_no_such_recipient_is_final(answer: str, nobody: bool) -> None:
    assert mail._is_nobody(answer) == nobody


def test_a_server_hides_its_password_and_has_usual_ports(tmp_path: Path) -> None:
    for security, port in (("starttls", 587), ("tls", 465), ("none", 25)):
        values = mail_settings(1, tmp_path, PORT="", SECURITY=security, FROM="", CA_FILE="")
        server = mail.read_server(Settings(values), needed_for=ANA)
        assert (server.port, server.sender) == (port, "bot@example.org")
        assert PASSWORD not in repr(server)
