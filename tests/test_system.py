"""What needs more than a user's machine allows: a mount of its own."""

import subprocess
from pathlib import Path

import pytest
from conftest import aigen_command

pytestmark = pytest.mark.system


def mounter(folder: Path) -> list[str]:
    """The command before which `mount` may be used: none for root, else a name space of its own. Skips where neither works."""
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
