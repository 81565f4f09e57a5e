"""What starts the notify-daemon at every login, for each system: printed, never installed."""

import sys
from pathlib import Path
from subprocess import list2cmdline

from aigen.content import ContentFolder
from aigen.errors import UsageError

NAME = "aigen-notify"
LABEL = "org.aigen.notify"


def text(system: str, content: ContentFolder, folder: Path, settings: Path, python: str = sys.executable) -> str:
    """The unit for `systemd`, `launchd` or `windows`.

    `folder` is where the daemon runs and looks for `.env`; `settings` is the user's file: the variables of a shell do
    not reach what is started at login, and the unit says so.
    """
    # -P: without it Python would load modules that lie in that folder.
    command = [python, "-P", "-m", "aigen", "notify-daemon", "--content", str(content.root)]
    if system == "systemd":
        return _systemd(command, folder, settings)
    if system == "launchd":
        return _launchd(command, folder, settings)
    if system == "windows":
        return _windows(command, settings)
    raise UsageError(f"--print-unit {system[:80]!r} is not known: use systemd, launchd or windows")


def _systemd(command: list[str], folder: Path, settings: Path) -> str:
    quoted = " ".join(f'"{_escaped(part)}"' for part in command)
    return f"""\
# Save as ~/.config/systemd/user/{NAME}.service, then:
#   systemctl --user daemon-reload && systemctl --user enable --now {NAME}
# What you have set in your shell does not reach it: put settings into {settings} or {folder / ".env"}.
# `systemctl --user disable --now {NAME}` undoes it. It runs while you are logged in; `loginctl enable-linger` \
keeps it running after that (then without a desktop).
[Unit]
Description=aigen: tells when orders are ready

[Service]
Type=exec
ExecStart={quoted}
WorkingDirectory=-{str(folder).replace("%", "%%")}
Environment=PYTHONUNBUFFERED=1
UMask=0077
Restart=on-failure
RestartSec=5
TimeoutStopSec=20
# A worker that it has started goes on.
KillMode=process

[Install]
WantedBy=default.target
"""


def _escaped(part: str) -> str:
    """One argument as systemd reads it between double quotes."""
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        part = part.replace(character, written)
    return part


def _launchd(command: list[str], folder: Path, settings: Path) -> str:
    import plistlib

    # Aqua: only a process of the user's own session can show something on the desktop.
    unit = {
        "Label": LABEL,
        "ProgramArguments": command,
        "WorkingDirectory": str(folder),
        "LimitLoadToSessionType": "Aqua",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "Umask": 0o077,
        "StandardErrorPath": str(Path.home() / "Library" / "Logs" / f"{NAME}.log"),
    }
    comment = (
        f"<!-- Save as ~/Library/LaunchAgents/{LABEL}.plist on the Mac itself, then: "
        f"launchctl bootstrap gui/$UID ~/Library/LaunchAgents/{LABEL}.plist (bootout undoes it). "
        "What you have set in your shell does not reach it: "
        f"put settings into {str(settings).replace('--', '…')}. -->\n"
    )
    head, separator, rest = plistlib.dumps(unit, sort_keys=False).decode().partition("<plist")
    return head + comment + separator + rest


def _windows(command: list[str], settings: Path) -> str:
    # pythonw has no window; the task must run in the user's own session, or nothing is seen.
    python = command[0]
    if python.lower().endswith("python.exe"):
        command = [f"{python[: -len('python.exe')]}pythonw.exe", *command[1:]]
    task = list2cmdline(command).replace('"', '\\"')
    return f"""\
rem Paste this into a command prompt on the Windows machine itself; schtasks /Delete /TN {NAME} undoes it.
rem Settings belong into {settings}.
schtasks /Create /F /SC ONLOGON /RL LIMITED /TN {NAME} /TR "{task}"
"""
