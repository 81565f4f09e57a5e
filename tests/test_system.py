"""What needs more than a user's machine has: a mount of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import aigen_command

pytestmark = pytest.mark.system


# A user makes a name space in which they may mount; root just keeps the mount to itself.
UNSHARE = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]


def may_mount() -> bool:
    return shutil.which("unshare") is not None and subprocess.run([*UNSHARE, "true"], check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="mounting needs root or user namespaces")
def test_a_full_disk_is_told_and_the_order_is_resumed_when_there_is_space(tmp_path: Path) -> None:
    content = tmp_path / "disk" / "content"
    content.parent.mkdir()
    order = aigen_command("generate", "a kite", "--seed", 7, "--size", "1024x1024", "--videos", 0, "--content", content)
    script = f"""
        mount -t tmpfs -o size=1500k tmpfs {content.parent} || exit 99
        "$@"; echo "exit $?" >&2
        {" ".join(aigen_command("status", "--json", "--content", content))}
        mount -o remount,size=100m {content.parent}
        {" ".join(aigen_command("resume", "--content", content))}; echo "exit $?" >&2
        ls {content}/*/*.png | wc -l
        ls {content}/.work
    """
    result = subprocess.run(
        [*UNSHARE, "bash", "-c", script, "script", *order],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = result.stderr.splitlines()
    exits = [line for line in lines if line.startswith("exit")]
    assert exits == ["exit 1", "exit 0"], result.stderr
    told = lines[lines.index("exit 1") - 1]
    assert "full" in told
    assert "aigen resume" in told
    assert "Traceback" not in result.stderr
    assert '"interrupted": true' in result.stdout
    assert result.stdout.splitlines()[-3:] == ["5", "device.lock", "store.lock"]
