"""What a notice says, its link, and how a terminal shows it."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from aigen.content import ContentFolder
from aigen.errors import NotDelivered, UsageError
from aigen.notify import links, messages, services, terminal
from aigen.notify.delivery import Courier, deliver_due
from aigen.notify.messages import Message
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store.hashing import hash_token
from aigen.types.rows import Generation
from tests.conftest import StillClock
from tests.notices import order_ready

SOMEWHERE = "https://gallery.example.org"


def a_link(context: Context, order: Generation) -> links.Link:
    return links.make(context.store, order, context.clock)


def composed(context: Context, **request: object) -> Message:
    order = order_ready(context, "desktop", **request)  # type: ignore[arg-type]
    (notice,) = context.store.notices(order.generation_id)
    return messages.compose(
        context.store, context.content, notice, order, a_link(context, order), SOMEWHERE, context.clock
    )


def test_it_says_what_was_asked_what_was_made_and_how_long_it_took(context: Context, clock: StillClock) -> None:
    message = composed(context, prompt="a kite " * 40, images=3, videos=1)
    assert (message.event, message.heading) == ("completed", "Your content is ready")
    assert len(message.title) <= 60
    assert message.prompt.startswith("a kite a kite")
    assert len(message.prompt) == 200
    assert message.facts == ("3 images and 1 video by storybook, made in 1 s.",)
    assert len(message.pictures) == 3
    assert all(path.suffix == ".webp" and path.exists() for path in message.pictures)
    assert message.picture is not None
    assert message.picture.name.endswith("image-1.png")
    assert (message.written_at, message.served) == (clock(), False)


def test_only_videos_are_shown_by_their_posters(context: Context) -> None:
    message = composed(context, images=0, videos=2)
    assert message.facts == ("2 videos by storybook, made in 1 s.",)
    assert [path.name.split("-", 1)[1] for path in message.pictures] == ["video-1-small.webp", "video-2-small.webp"]
    assert message.picture is None


def test_a_picture_that_is_gone_is_left_out(context: Context, content: ContentFolder) -> None:
    order = order_ready(context, "desktop", images=2)
    for item in context.store.items(order.generation_id):
        if item.number == 1 and item.path:
            content.file(item.path).unlink()
            for thumbnail in content.thumbs("ana").iterdir():
                thumbnail.unlink()
    (notice,) = context.store.notices(order.generation_id)
    message = messages.compose(context.store, content, notice, order, a_link(context, order), SOMEWHERE, context.clock)
    assert len(message.pictures) == 1


def test_the_link_has_a_token_of_which_the_store_keeps_only_the_hash(
    context: Context, content: ContentFolder, clock: StillClock
) -> None:
    message = composed(context)
    token = message.link.removeprefix(f"{SOMEWHERE}/open/")
    assert len(token) == 32  # 192 bits
    assert message.expires_at == datetime(2026, 11, 28, 12, tzinfo=UTC)
    rows = context.store._read("SELECT * FROM links")
    order = context.store.generations()[0]
    assert rows == [
        {
            "token_hash": hash_token(token),
            "user_id": "ana",
            "generation_id": order.generation_id,
            "made_at": "2026-11-21T12:00:00+00:00",
            "expires_at": "2026-11-28T12:00:00+00:00",
            "used_at": None,
        }
    ]
    context.store.close()
    assert token.encode() not in b"".join(path.read_bytes() for path in content.root.glob("aigen.db*"))


def test_expired_links_go_and_a_users_links_go_with_the_user(context: Context, clock: StillClock) -> None:
    composed(context)
    clock.advance(links.LIFETIME.total_seconds() + 1)
    composed(context)
    assert len(context.store._read("SELECT * FROM links")) == 1
    orders = [order.generation_id for order in context.store.generations("ana")]
    context.store.delete_user("ana", orders)
    assert context.store._read("SELECT * FROM links") == []


def test_the_base_url_is_the_one_set_or_where_the_gallery_last_listened(content: ContentFolder) -> None:
    assert links.base_url(Settings({}), content) == "http://127.0.0.1:8000"
    content.write_note("serve", {"url": "http://127.0.0.1:8123"})
    assert links.base_url(Settings({}), content) == "http://127.0.0.1:8123"
    assert links.base_url(Settings({"AIGEN_BASE_URL": "https://a.example.org/"}), content) == "https://a.example.org"
    (content.making / "serve.json").write_text("[damaged")
    assert links.base_url(Settings({}), content) == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/path",
        "http://[x",
        "gallery.example.org",
        "ftp://example.org",
        "https://",
        "http://a b",
        "https://a\nb",
    ],
)
def test_a_base_url_that_is_none_is_refused(url: str, content: ContentFolder) -> None:
    with pytest.raises(UsageError, match="AIGEN_BASE_URL"):
        links.base_url(Settings({"AIGEN_BASE_URL": url}), content)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.8.8.8", True),
        ("http://[::1]:8000", True),
        ("http://localhost:8000", True),
        ("http://aigen.localhost", True),
        ("http://192.168.1.5:8000", False),
        ("https://localhost.example.org", False),
    ],
)
def test_what_is_of_this_machine_only(url: str, loopback: bool) -> None:
    assert links.is_loopback(url) == loopback


# On the terminal


def shown(message: Message, width: int, terminal_width: bool = True) -> str:
    written = StringIO()
    terminal.show(message, Console(file=written, width=width, force_terminal=terminal_width, color_system=None))
    return written.getvalue()


def test_a_panel_has_the_prompt_the_facts_the_folder_and_the_link(context: Context, content: ContentFolder) -> None:
    message = replace(composed(context, prompt="a kite\x1b[31m"), folder=Path("/somewhere/ana"))
    lines = [line.strip("│ ") for line in shown(message, 100).splitlines()]
    assert lines[0].startswith("╭─ Your content is ready ─")
    assert lines[1:4] == ["a kite\\x1b[31m", "1 image by storybook, made in 1 s.", "/somewhere/ana"]
    assert message.link in lines[4]
    assert "opens while aigen serve runs" in lines[5]


def test_a_link_that_does_not_fit_is_not_cut(context: Context) -> None:
    message = composed(context)
    lines = shown(message, 40).splitlines()
    assert lines[-1] == message.link
    assert max(map(len, lines[:-1])) <= 40


def test_where_messages_go_into_a_file_they_are_plain_lines(context: Context) -> None:
    message = composed(context)
    assert shown(message, 40, terminal_width=False).splitlines() == [
        "Your content is ready: a kite",
        "1 image by storybook, made in 1 s.",
        f"{message.link} (opens while aigen serve runs)",
    ]


def test_a_terminal_that_has_gone_is_the_reason(context: Context, clock: StillClock, content: ContentFolder) -> None:
    class Gone(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    message = composed(context)
    with pytest.raises(NotDelivered, match="the terminal has gone"):
        terminal.show(message, Console(file=Gone()))


# By a messenger


def test_a_messenger_is_told_what_apprise_sends_it(
    context: Context, content: ContentFolder, clock: StillClock, messenger: "Messenger"
) -> None:
    channel = f"json://user:s3cret@localhost:{messenger.port}/hook"
    services.check(channel)
    order_ready(context, channel)
    assert deliver_due(Courier(content, lambda: Settings({}), clock), context.store, "*://*") == []
    (received,) = messenger.received
    assert received["title"] == "Ready: a kite"
    assert received["message"].startswith("1 image by storybook, made in 1 s.\nhttp://127.0.0.1:8000/open/")


def test_what_a_messenger_refuses_is_told_without_its_secrets(
    context: Context,
    content: ContentFolder,
    clock: StillClock,
    messenger: "Messenger",
    capfd: pytest.CaptureFixture[str],
) -> None:
    messenger.status = 403
    order_ready(context, f"json://user:s3cret@localhost:{messenger.port}/hooktoken")
    (failure,) = deliver_due(Courier(content, lambda: Settings({}), clock), context.store, "*://*")
    assert "the notice by json://… could not be sent: " in str(failure)
    assert "error=403" in str(failure)
    (notice,) = context.store.notices()
    for told in (str(failure), str(notice.error), *capfd.readouterr()):
        assert "s3cret" not in told
        assert "hooktoken" not in told


def test_a_url_that_apprise_does_not_know_is_refused_without_its_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    for channel in ("pigeon://s3cret", "slack://s3cret"):
        with pytest.raises(UsageError, match="not one that Apprise knows") as caught:
            services.check(channel)
        assert "s3cret" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_without_apprise_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(UsageError, match=r"pip install 'aigen\[apprise\]'"):
        services.check("ntfy://topic")


class Messenger:
    """A messenger's server on this machine: keeps the JSON it is sent, and answers with `status`."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 200:
                    outer.received.append(json.loads(body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("localhost", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def messenger() -> Iterator["Messenger"]:
    found = Messenger()
    yield found
    found.server.shutdown()
    found.server.server_close()
