"""What needs more than a user's machine has or allows: exiftool, a mount of its own."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SMALL, aigen_command, run_aigen

pytestmark = pytest.mark.system


def mounter(folder: Path) -> list[str]:
    """The command before which `mount` may be used: none for root,
    else a name space of its own. Skips where neither works.
    """
    for prefix in ([], ["unshare", "-rm"]):
        attempt = [*prefix, "bash", "-c", f"mount -t tmpfs tmpfs {folder} && umount {folder}"]
        if subprocess.run(attempt, capture_output=True, check=False).returncode == 0:
            return prefix
    pytest.skip("mounting needs root or user namespaces")


def test_a_full_disk_is_told_and_the_order_is_resumed_when_there_is_space(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    content = disk / "content"
    order = aigen_command("generate", "a kite", "--seed", 7, "--size", "1024x1024", "--videos", 0, "--content", content)
    script = f"""
        mount -t tmpfs -o size=1500k tmpfs {disk} || exit 99
        trap 'umount {disk}' EXIT
        "$@"; echo "exit $?" >&2
        {" ".join(aigen_command("status", "--json", "--content", content))}
        mount -o remount,size=100m {disk}
        {" ".join(aigen_command("resume", "--content", content))}; echo "exit $?" >&2
        ls {content}/*/*.png | wc -l
        ls {content}/.work
    """
    command = [*mounter(disk), "bash", "-c", script, "script", *order]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("exit")] == ["exit 1", "exit 0"], result.stderr
    told = lines[lines.index("exit 1") - 1]
    assert "full" in told
    assert "aigen resume" in told
    assert "Traceback" not in result.stderr
    assert '"interrupted": true' in result.stdout
    assert result.stdout.splitlines()[-3:] == ["5", "device.lock", "store.lock"]


def test_a_read_only_folder_can_be_looked_at_and_nothing_else(tmp_path: Path) -> None:
    """Such as a backup on a mount of its own; and a disk that the system has made read-only while an order was made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    content = disk / "content"
    order = aigen_command(
        "generate", "a kite", *SMALL, "--images", 1, "--videos", 0, "--user", "ana", "--content", content
    )

    def say(*arguments: str) -> str:
        return f'{" ".join(aigen_command(*arguments, "--content", content))}; echo "exit $?" >&2'

    script = f"""
        mount -t tmpfs -o size=100m tmpfs {disk} || exit 99
        trap 'umount {disk}' EXIT
        "$@" >/dev/null 2>&1
        mount -o remount,ro {disk}
        {say("status", "--json")}
        {say("users", "list")}
        {say("notices")}
        {say("resume")}
        {say("cancel", "nothing123")}
        {say("worker", "--once")}
        timeout --preserve-status -s INT 6 {say("serve", "--port", "0")}
        "$@" >/dev/null; echo "exit $?" >&2
    """
    command = [*mounter(disk), "bash", "-c", script, "script", *order]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = result.stderr.splitlines()
    codes = [line for line in lines if line.startswith("exit")]
    assert codes == ["exit 0", "exit 0", "exit 0", "exit 0", "exit 2", "exit 1", "exit 0", "exit 1"], result.stderr
    assert f"{content} is read-only: it can be viewed; nothing is made or sent" in lines
    assert '"status": "Completed"' in result.stdout
    assert "unexpected" not in result.stderr
    assert sum("cannot be written (Read-only file system)" in line for line in lines) == 2


def test_exiftool_finds_what_files_say() -> None:
    if not shutil.which("exiftool"):
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    order = ("generate", "two kites,\n鯨 & <b>", *SMALL, "--images", 1, "--videos", 1, "--json")
    made = json.loads(run_aigen(*order).stdout)
    command = ["exiftool", "-json", "-G1", "-b", *made["images"], *made["videos"]]
    picture, video = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for told in (picture, video):
        source_type = told["XMP-iptcExt:DigitalSourceType"]
        assert source_type == "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
        assert "ExifTool:Warning" not in told
    settings = "Steps: 1, Sampler: storybook, Seed: 7, Size: 64x48, Model: storybook, Style: plain, Number: 1"
    assert picture["PNG:Parameters"] == f"two kites,\n鯨 & <b>\n{settings}"
    exact = json.loads(run_aigen("info", made["images"][0], "--json").stdout)
    assert json.loads(picture["PNG:Aigen"]) == exact
    assert video["ItemList:Title"] == "two kites, 鯨 & <b>"
    assert json.loads(video["ItemList:Comment"])["prompt"] == "two kites,\n鯨 & <b>"
