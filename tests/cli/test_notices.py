"""Notices as users meet them: the program in processes of its own, mail to a real server."""

import json
import os
import plistlib
import pty
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aigen.content import ContentFolder
from aigen.notify import foreground, units
from aigen.notify.delivery import Courier, deliver_everywhere
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.times import utc_now
from aigen.types.request import Draft
from tests.conftest import StillClock, aigen_command, kill, run_aigen, run_process, start_aigen, wait_for
from tests.notices import Inbox, mail_server, mail_settings, order_ready

ANA = "mailto:ana@example.org"
QUICK = ("--size", "32x32", "--images", 1, "--videos", 0)
CONTENT = Path("generated_content")


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A mail server that the settings of every command name."""
    with mail_server(tmp_path) as (port, inbox):
        for name, value in mail_settings(port, tmp_path).items():
            monkeypatch.setenv(name, value)
        yield inbox


def notices(*arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run_aigen("notices", *arguments, "--json").stdout)
    return found


def on_terminal(*arguments: object) -> str:
    """Run the program with a terminal for its messages; what it wrote there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(aigen_command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:  # the terminal has gone with the process
            pass
        process.wait(timeout=60)
    os.close(ours)
    return written.decode()


def test_an_order_is_told_by_mail_when_it_is_ready(inbox: Inbox) -> None:
    result = run_aigen("generate", "a kite", *QUICK, "--notify", ANA, "--notify", "terminal", "--json")
    assert [(notice["channel"], notice["state"]) for notice in json.loads(result.stdout)["notices"]] == [
        (ANA, "sent"),
        ("terminal", "sent"),
    ]
    assert [mail["Subject"] for mail in inbox.mails] == ["Ready: a kite"]
    assert "to http://127.0.0.1:8000, opens on this machine only (AIGEN_BASE_URL sets" in result.stderr
    assert "and while aigen serve runs, which it does not now" in result.stderr


@pytest.mark.system
def test_without_a_daemon_the_command_waits_and_sends_it_itself(inbox: Inbox) -> None:
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))
    result = run_aigen("generate", "a kite", *QUICK, "--notify", ANA, "--notify-at", due, "--json")
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) >= due
    assert f"no notify-daemon runs: this command waits and tells you by {ANA} itself" in result.stderr
    assert "in the web gallery: http://127.0.0.1:8000/dash" in result.stderr
    assert len(inbox.mails) == 1


@pytest.mark.system
def test_a_mail_that_cannot_be_sent_does_not_fail_the_order(inbox: Inbox) -> None:
    result = run_aigen("generate", "a kite", *QUICK, "--notify", "mailto:nobody@example.org", "--notify", "terminal")
    assert result.returncode == 0
    assert "could not be sent: localhost refuses nobody@example.org: 550" in result.stderr
    assert [(notice["channel"], notice["state"]) for notice in notices()] == [
        ("mailto:nobody@example.org", "failed"),
        ("terminal", "sent"),
    ]
    table = run_aigen("notices").stdout
    assert "given up" in table
    assert "550 5.1.1 no such user here (attempt 1 of 10)" in table
    assert "aigen notices --retry" in table
    assert "notices to be tried again: 1" in run_aigen("notices", "--retry").stderr
    assert notices()[0]["state"] == "ready"


@pytest.mark.system
def test_a_failed_order_is_told_too(inbox: Inbox) -> None:
    """Its process is killed three times, and then the worker gives it up."""
    with Store.open(ContentFolder(CONTENT.absolute()), create=True) as store:
        context = Context(ContentFolder(CONTENT.absolute()), store)
        request = Draft(prompt="a kite", images=1, videos=0, notify=(ANA, "terminal"))
        order = placing.place(context, request, "ana", detached=True)
        for _ in range(3):
            store.start(order.generation_id, detached=True)
    assert run_aigen("worker", "--once").returncode == 0
    assert [mail["Subject"] for mail in inbox.mails] == ["Failed: a kite"]
    text = inbox.mails[0].get_body(("plain",))
    assert text is not None
    assert f"died 3 times: try again with aigen resume {order.generation_id}" in text.get_content()
    assert "Your order failed" in on_terminal("status")


@pytest.mark.system
def test_a_detached_order_is_told_by_its_worker_and_on_the_next_terminal(inbox: Inbox) -> None:
    order = run_process(
        "generate", "a kite", *QUICK, "--user", "ana", "--notify", ANA, "--notify", "terminal", "--detach"
    )
    assert "the first aigen command on a terminal after it is ready tells you" in order.stderr
    wait_for(lambda: inbox.mails)
    assert notices("ana")[1]["state"] == "ready"
    assert "Your content is ready" not in run_aigen("status").stderr  # that is no terminal
    shown = on_terminal("status", "ana")
    assert "Your content is ready" in shown
    assert "/open/" in shown
    assert "Your content is ready" not in on_terminal("status", "ana")
    assert notices("ana")[1]["state"] == "sent"


@pytest.mark.system
def test_a_terminal_notice_is_its_own_process_s_for_as_long_as_that_lives() -> None:
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 15))
    process = start_aigen("generate", "a kite", *QUICK, "--notify-at", due)
    wait_for(lambda: notices() and notices()[0]["state"] == "ready")
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > due)
    assert "Your content is ready" not in on_terminal("status")
    kill(process, signal.SIGKILL)
    assert "Your content is ready" in on_terminal("status")
    assert [path.name for path in (CONTENT / ".work").glob("*-terminal.lock")] == []


@pytest.mark.system
def test_ctrl_c_ends_the_waiting_and_keeps_the_notice() -> None:
    process = start_aigen("generate", "a kite", *QUICK, "--notify-at", "2099-01-01T00:00")
    wait_for(lambda: notices() and notices()[0]["state"] == "ready")
    time.sleep(0.5)
    _, told = kill(process, signal.SIGINT)
    assert process.returncode == 130
    assert "you will be told at 2099-01-01 00:00" in told
    assert "not waiting any more; it is made" in told
    assert notices()[0]["state"] == "ready"


@pytest.mark.system
def test_resume_tells_of_what_it_has_finished(inbox: Inbox) -> None:
    order = ("generate", "a kite", "--images", 20, "--videos", 2, "--size", "64x48")
    process = start_aigen(*order, "--notify", ANA, "--notify", "terminal")
    wait_for(lambda: list(CONTENT.glob("*/*.png")))
    kill(process, signal.SIGKILL)
    result = run_aigen("resume")
    assert result.returncode == 0
    assert "Your content is ready: a kite" in result.stderr
    assert [mail["Subject"] for mail in inbox.mails] == ["Ready: a kite"]


# The daemon


@pytest.fixture
def daemon() -> Iterator[Callable[[], subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        running.append(start_aigen("notify-daemon"))
        # Not only that one runs: it also has to have written down which.
        told = f"(process {running[-1].pid})"
        wait_for(lambda: told in run_aigen("notify-daemon", "--status").stdout)
        return running[-1]

    yield start
    for process in running:
        kill(process)


@pytest.mark.system
def test_the_daemon_sends_what_becomes_due(inbox: Inbox, daemon: Callable[[], subprocess.Popen[str]]) -> None:
    process = daemon()
    second = run_aigen("notify-daemon")
    assert second.returncode == 3
    assert f"already running on '{CONTENT.absolute()}' (process {process.pid})" in second.stderr
    assert f"running (process {process.pid}) since " in run_aigen("notify-daemon", "--status").stdout

    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    order = run_aigen("generate", "a kite", *QUICK, "--notify", ANA, "--notify-at", due)
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) < due or not inbox.mails  # it did not wait for the time
    assert "no notify-daemon" not in order.stderr
    wait_for(lambda: inbox.mails)
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) >= due
    wait_for(lambda: notices()[0]["state"] == "sent")

    _, log = kill(process, signal.SIGTERM)
    assert process.returncode == 0
    lines = log.splitlines()
    assert all(line[:4].isdigit() and line[13] == ":" for line in lines), log
    assert f" sent: {ANA} about order " in lines[1]
    assert lines[-1].endswith(" ended")
    assert run_aigen("notify-daemon", "--status").stdout.splitlines() == [
        "not running: start it with aigen notify-daemon",
        "notices: 1 sent",
    ]


@pytest.mark.system
def test_a_daemon_that_is_ended_in_mid_delivery_ends_at_once_and_loses_nothing(
    inbox: Inbox, daemon: Callable[[], subprocess.Popen[str]]
) -> None:
    inbox.hang.set()
    process = daemon()
    run_aigen("generate", "a kite", *QUICK, "--notify", ANA)
    wait_for(inbox.asked.is_set)
    assert notices()[0]["state"] == "sending"
    asked_at = time.monotonic()
    kill(process, signal.SIGTERM)
    assert process.returncode == 0
    assert time.monotonic() - asked_at < 5  # the server is waited for much longer
    assert (notices()[0]["state"], notices()[0]["attempts"]) == ("ready", 0)
    inbox.hang.clear()
    assert run_aigen("notify-daemon", "--once").returncode == 0
    assert notices()[0]["state"] == "sent"
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 1


@pytest.mark.system
def test_a_daemon_that_is_killed_in_mid_delivery_loses_nothing(
    inbox: Inbox, daemon: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    inbox.hang.set()
    process = daemon()
    run_aigen("generate", "a kite", *QUICK, "--notify", ANA)
    wait_for(inbox.asked.is_set)
    kill(process)
    assert run_aigen("notify-daemon", "--once").returncode == 0
    assert notices()[0]["state"] == "sending"  # it could still be at it, for all that others know
    inbox.hang.clear()
    assert len(inbox.mails) == 1  # the server had it all: the notice was sent, and nobody could say so

    content, clock = ContentFolder(CONTENT.absolute()), StillClock()
    clock.now = utc_now() + timedelta(seconds=301)
    with Store.open(content) as store:
        deliver_everywhere(Courier(content, lambda: Settings(dict(os.environ)), clock), store)
    assert notices()[0]["state"] == "sent"
    assert len(inbox.mails) == 2
    assert len({mail["Message-ID"] for mail in inbox.mails}) == 1


@pytest.mark.system
def test_four_at_once_send_400_notices_once_each(inbox: Inbox) -> None:
    content = ContentFolder(CONTENT.absolute())
    with Store.open(content, create=True) as store:
        context = Context(content, store)
        channels = tuple(f"mailto:user{number}@example.org" for number in range(400))
        lifecycle.generate(context, Draft(prompt="a kite", images=1, videos=0, size="32x32", notify=channels), "ana")
    daemons = [start_aigen("notify-daemon", "--once") for _ in range(4)]
    logs = [kill_politely(process) for process in daemons]
    assert [process.returncode for process in daemons] == [0] * 4
    assert sorted(inbox.recipients) == sorted(channel.removeprefix("mailto:") for channel in channels)
    assert sum(log.count(" sent: ") for log in logs) == 400
    assert all(" sent: " in log for log in logs)
    with Store.open(content) as store:
        assert {notice.state for notice in store.notices()} == {"sent"}


def kill_politely(process: subprocess.Popen[str]) -> str:
    """Wait for a process to end by itself; what it wrote."""
    return process.communicate(timeout=120)[1]


def test_once_says_what_it_could_not_send(inbox: Inbox, context: Context, content: ContentFolder) -> None:
    order_ready(context, "mailto:later@example.org", ANA)
    result = run_aigen("notify-daemon", "--once", "--content", content.root)
    assert result.returncode == 1
    assert "not sent: mailto:later@example.org" in result.stderr
    assert "451 4.7.1 greylisted, come back later; attempt 1 of 10, next try at " in result.stderr
    assert "that was all that is due; aigen notices shows all 2" in result.stderr
    assert len(inbox.mails) == 1
    assert "nothing sends them now: start aigen notify-daemon" in run_aigen("notices", "--content", content.root).stdout


def test_the_ways_of_the_daemon_exclude_each_other() -> None:
    result = run_aigen("notify-daemon", "--once", "--status")
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert not CONTENT.exists()


@pytest.mark.system
def test_the_password_is_in_no_file_and_no_output(inbox: Inbox) -> None:
    password = os.environ["AIGEN_SMTP_PASSWORD"]
    result = run_aigen("--debug", "generate", "a kite", *QUICK, "--notify", ANA)
    outputs = [result.stdout, result.stderr, run_aigen("notices").stdout, run_aigen("doctor").stdout]
    assert not any(password in output for output in outputs)
    for path in CONTENT.rglob("*"):
        assert path.is_dir() or password.encode() not in path.read_bytes()


# What is said when an order is placed


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"AIGEN_SMTP_HOST": "mail.example.org"}, "AIGEN_SMTP_FROM"),
        (
            {"AIGEN_SMTP_HOST": "mail.example.org", "AIGEN_SMTP_FROM": "a@b.c", "AIGEN_SMTP_PORT": "x"},
            "AIGEN_SMTP_PORT",
        ),
        ({"AIGEN_BASE_URL": "gallery.example.org"}, "AIGEN_BASE_URL"),
    ],
)
def test_settings_that_would_keep_a_notice_from_being_sent_are_refused(environment: dict[str, str], named: str) -> None:
    server = {"AIGEN_SMTP_HOST": "mail.example.org", "AIGEN_SMTP_FROM": "a@example.org"}
    result = run_aigen(
        "generate",
        "a kite",
        "--notify",
        ANA,
        environment=environment if "AIGEN_SMTP_HOST" in environment else server | environment,
    )
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)
    assert named in result.stderr
    assert not CONTENT.exists()


def announced(context: Context, waits: bool = True, detached: bool = False, **request: Any) -> list[str]:
    order = placing.place(context, Draft(prompt="x", **request), "ana", detached=detached)
    return foreground.announce(order, Settings({}), context.content, waits)


LATER = "2026-11-21T18:30:00Z"  # the clock says 12:00
SERVED = "while aigen serve runs, which it does not now"
LINK = f"the link in the notice, to http://127.0.0.1:8000, opens {SERVED}"
ONLY_HERE = (
    "the link in the notice, to http://127.0.0.1:8000, opens on this machine only "
    f"(AIGEN_BASE_URL sets another address) and {SERVED}"
)
NO_DESKTOP = (
    "there is no desktop: DBUS_SESSION_BUS_ADDRESS is not set and no session bus is running; "
    "the notice is tried until there is one"
)


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({}, []),
        ({"notify_at": "2026-11-21T10:00:00Z"},
            ["10:00 today has passed: you will be told when it is ready; for tomorrow: --notify-at 'tomorrow 10:00'"]),
        ({"notify_at": "2026-11-01T10:00:00Z"}, ["2026-11-01 10:00 has passed: you will be told when it is ready"]),
        ({"notify_at": LATER}, ["you will be told at 18:30 today"]),
        (
            {"notify_at": "2026-11-22T07:00:00Z", "waits": False},
            ["you will be told at 07:00 tomorrow", "the first aigen command on a terminal after that tells you"],
        ),
        ({"waits": False}, []),
        ({"waits": False, "detached": True}, ["the first aigen command on a terminal after it is ready tells you"]),
        ({"notify": ("desktop",)}, [NO_DESKTOP, LINK]),
        ({"notify": (ANA,)}, [ONLY_HERE]),
        (
            {"notify": ("desktop", "terminal"), "notify_at": LATER},
            ["you will be told at 18:30 today",
                "no notify-daemon runs: this command waits and tells you by desktop itself", NO_DESKTOP, LINK],
        ),
        (
            {"notify": ("desktop", "ntfy://secret"), "notify_at": LATER, "waits": False},
            [
                "you will be told at 18:30 today",
                "nothing runs that would tell you by desktop and ntfy://… then: start aigen notify-daemon",
                NO_DESKTOP,
                ONLY_HERE,
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_said_when_an_order_is_placed(
    context: Context, asked: dict[str, Any], lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonesuch")
    assert announced(context, **asked) == lines


def test_where_something_runs_nothing_is_missing(
    context: Context, content: ContentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/somewhere")
    content.write_note("serve", {"url": "http://192.168.1.5:8000"})
    with content.hold("serve", 0, "held"):
        assert announced(context, notify=("desktop", ANA), notify_at=LATER, waits=False)[1:] == []
    assert announced(context, notify=(ANA,)) == [LINK.replace("127.0.0.1", "192.168.1.5")]


# What starts the daemon


def awkward_folder() -> ContentFolder:
    return ContentFolder(Path('/home/ana/my "100%" $HOME \\ pictures'))


def test_launchd_reads_its_unit(tmp_path: Path) -> None:
    unit = plistlib.loads(
        units.text("launchd", awkward_folder(), tmp_path, tmp_path / "a--b.toml", "/usr/bin/python3").encode()
    )
    assert unit["ProgramArguments"] == [
        "/usr/bin/python3", "-P", "-m", "aigen", "notify-daemon", "--content", str(awkward_folder().root),
    ]  # fmt: skip
    assert (unit["KeepAlive"], unit["WorkingDirectory"]) == ({"SuccessfulExit": False}, str(tmp_path))
    assert unit["LimitLoadToSessionType"] == "Aqua"


def test_windows_has_a_task_without_a_window(tmp_path: Path) -> None:
    told = units.text(
        "windows", ContentFolder(Path("C:/my pictures")), tmp_path, tmp_path, r"C:\Program Files\Python\python.exe"
    )
    task = told.splitlines()[-1]
    assert task.startswith("schtasks /Create /F /SC ONLOGON ")
    assert r'/TR "\"C:\Program Files\Python\pythonw.exe\" -P -m aigen notify-daemon --content ' in task


@pytest.mark.system
def test_systemd_finds_nothing_wrong_with_its_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    folder = tmp_path / 'my "100%" $HOME pictures'
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    unit = tmp_path / "aigen-notify.service"
    unit.write_text(run_aigen("notify-daemon", "--print-unit", "systemd").stdout)
    assert 'my \\"100%%\\" $$HOME pictures/generated_content' in unit.read_text()
    verified = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (verified.returncode, verified.stderr) == (0, "")
