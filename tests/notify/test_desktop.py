"""Toasts: a real session bus with a real service on it, and what happens where there is none (marked `system`)."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aigen.errors import NotDelivered
from aigen.notify import desktop
from aigen.notify.messages import Message
from tests.conftest import SMALL, run_aigen

MESSAGE = Message(
    key="abc",
    event="completed",
    title="-Ready: zwei <Füchse> 🐋",
    heading="Your content is ready",
    prompt="zwei <Füchse> 🐋",
    facts=("5 images & 5 videos.",),
    link="http://127.0.0.1:8000/open/a&b",
    written_at=datetime(2026, 11, 21, tzinfo=UTC),
)

# No service is started by the bus itself, whatever is installed on this machine.
CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


@pytest.fixture
def no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def bus(no_session: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a session bus of its own."""
    if not shutil.which("dbus-daemon"):
        pytest.skip("dbus-daemon is not installed (Debian: dbus-daemon)")
    configuration = tmp_path / "bus.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path))
    command = ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        process.terminate()


class Service:
    """A notification service in a process of its own, which writes down what it is asked to show."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = folder / "toasts.jsonl"
        command = [sys.executable, __file__, str(self._log), *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == "ready"

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def toasts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []


def test_without_a_session_bus_that_is_the_reason(no_session: None) -> None:
    with pytest.raises(NotDelivered, match="no desktop: DBUS_SESSION_BUS_ADDRESS is not set"):
        desktop.show_by_dbus(MESSAGE)


def test_a_bus_that_is_gone_is_the_reason(no_session: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/gone")
    with pytest.raises(NotDelivered, match="cannot be reached"):
        desktop.show_by_dbus(MESSAGE)


def test_where_there_is_no_desktop_plyer_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than on Linux; here plyer finds nothing, as on a Mac without pyobjus."""
    from plyer.facades import Notification

    monkeypatch.setattr("plyer.notification", Notification())
    for platform, advice in (("darwin", "pip install pyobjus"), ("win32", "no way to show")):
        with pytest.raises(NotDelivered, match=advice):
            desktop.show(MESSAGE, platform)


def test_what_windows_cannot_show_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[str, str] = {}

    class Notification:
        def notify(self, **given: Any) -> None:
            shown.update(given)

    monkeypatch.setattr("plyer.notification", Notification())
    desktop.show(replace(MESSAGE, title="🐋" * 60, facts=("x" * 300,)), "win32")
    assert shown["title"] == "🐋" * 31 + "…"
    assert len(shown["title"].encode("utf-16-le")) // 2 <= 63
    assert len(shown["message"]) == 255
    assert desktop.cut("short", 63) == "short"


@pytest.mark.system
def test_a_toast_is_shown(bus: str, tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        desktop.show_by_dbus(replace(MESSAGE, picture=tmp_path / "a kite.png"))
    (toast,) = service.toasts
    assert (toast["app"], toast["summary"], toast["timeout"]) == ("aigen", "-Ready: zwei <Füchse> 🐋", 15000)
    assert toast["body"] == "5 images & 5 videos.\nhttp://127.0.0.1:8000/open/a&b"
    assert toast["hints"]["image-path"] == f"file://{tmp_path}/a%20kite.png"


@pytest.mark.system
def test_a_service_that_reads_markup_gets_it(bus: str, tmp_path: Path) -> None:
    link = "http://127.0.0.1:8000/open/a&amp;b"
    with Service(tmp_path, "body-markup") as service:
        desktop.show_by_dbus(MESSAGE)
        assert service.toasts[-1]["body"] == f"5 images &amp; 5 videos.\n{link}"
    with Service(tmp_path, "body-markup", "body-hyperlinks") as service:
        desktop.show_by_dbus(MESSAGE)
        assert service.toasts[-1]["body"] == f'5 images &amp; 5 videos.\n<a href="{link}">{link}</a>'


@pytest.mark.system
def test_a_process_from_outside_the_session_finds_its_bus(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bus").symlink_to(bus.partition("path=")[2].partition(",")[0])
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    with Service(tmp_path, f"--bus=unix:path={tmp_path / 'bus'}") as service:
        desktop.show_by_dbus(MESSAGE)
        assert len(service.toasts) == 1


@pytest.mark.system
def test_a_bus_without_a_service_is_the_reason(bus: str) -> None:
    with pytest.raises(NotDelivered, match="ServiceUnknown"):
        desktop.show_by_dbus(MESSAGE)


@pytest.mark.system
def test_a_service_that_hangs_is_the_reason(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desktop, "ANSWER_LIMIT", 1.0)
    with Service(tmp_path, "--hang"), pytest.raises(NotDelivered, match="did not answer within 1 s"):
        desktop.show_by_dbus(MESSAGE)


@pytest.mark.system
def test_a_service_that_refuses_is_the_reason(bus: str, tmp_path: Path) -> None:
    with Service(tmp_path, "--refuse"), pytest.raises(NotDelivered, match="too many toasts"):
        desktop.show_by_dbus(MESSAGE)


@pytest.mark.system
def test_an_order_shows_a_toast(bus: str, tmp_path: Path) -> None:
    """The whole program; and where the desktop is gone, the order is none the worse for it."""
    order = ("generate", "a kite", *SMALL, "--images", 1, "--videos", 0, "--notify", "desktop", "--json")
    with Service(tmp_path) as service:
        result = run_aigen(*order)
    assert [notice["state"] for notice in json.loads(result.stdout)["notices"]] == ["sent"]
    assert [toast["summary"] for toast in service.toasts] == ["Ready: a kite"]

    result = run_aigen(*order)
    assert result.returncode == 0
    (notice,) = json.loads(result.stdout)["notices"]
    assert (notice["state"], notice["attempts"]) == ("ready", 1)
    assert "ServiceUnknown" in result.stderr
    assert "start aigen notify-daemon to have it tried again" in result.stderr

    with Service(tmp_path) as service:
        assert run_aigen("doctor", "--notify", "desktop").returncode == 0
        assert service.toasts[-1]["summary"] == "A test of aigen"


async def serve(log: Path, arguments: list[str]) -> None:
    """Be a notification service; with the arguments `--hang`, `--refuse`, `--bus=ADDRESS`, or capabilities."""
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusError
    from dbus_fast.service import ServiceInterface, dbus_method

    class Notifications(ServiceInterface):
        def __init__(self) -> None:
            super().__init__("org.freedesktop.Notifications")

        @dbus_method()
        async def Notify(  # noqa: N802
            self,
            app: "s",  # type: ignore[name-defined]  # noqa: F821
            replaces: "u",  # type: ignore[name-defined]  # noqa: F821
            icon: "s",  # type: ignore[name-defined]  # noqa: F821
            summary: "s",  # type: ignore[name-defined]  # noqa: F821
            body: "s",  # type: ignore[name-defined]  # noqa: F821
            actions: "as",  # type: ignore[valid-type]  # noqa: F722
            hints: "a{sv}",  # type: ignore[valid-type]  # noqa: F722
            timeout: "i",  # type: ignore[name-defined]  # noqa: F821
        ) -> "u":  # type: ignore[name-defined]  # noqa: F821
            if "--hang" in arguments:
                await asyncio.sleep(60)
            if "--refuse" in arguments:
                raise DBusError("org.example.Refused", "too many toasts")
            values = {name: hint.value for name, hint in hints.items()}
            toast = {"app": app, "summary": summary, "body": body, "timeout": timeout, "hints": values}
            with log.open("a") as file:
                file.write(json.dumps(toast) + "\n")
            return 1

        @dbus_method()
        def GetCapabilities(self) -> "as":  # type: ignore[valid-type]  # noqa: F722, N802
            return ["body", *(argument for argument in arguments if not argument.startswith("--"))]

    address = next((each.removeprefix("--bus=") for each in arguments if each.startswith("--bus=")), None)
    bus = await MessageBus(address or os.environ["DBUS_SESSION_BUS_ADDRESS"]).connect()
    bus.export("/org/freedesktop/Notifications", Notifications())
    await bus.request_name("org.freedesktop.Notifications")
    print("ready", flush=True)
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2:]))
