"""Whatever is done to the processes, no finished item is lost and no half one is kept."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import (
    aigen_command,
    files_in,
    kill,
    kill_worker,
    left_in_work,
    patiently,
    run_aigen,
    run_process,
    start_aigen,
    wait_for,
)

ORDER = ("generate", "two cats under a full moon in the snow", "--user", "ana", "--seed", "7", "--size", "320x180",
    "--images", "3", "--videos", "3")  # fmt: skip


def order_status(content: Path) -> dict[str, object]:
    (found,) = json.loads(run_aigen("status", "--json", "--content", content).stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    content = tmp_path_factory.mktemp("undisturbed")
    assert run_aigen(*ORDER, "--content", content).returncode == 0
    return files_in(content)


@pytest.mark.parametrize("instant", [3, *patiently(0, 1, 2, 4, 5)])
def test_killed_at_any_instant_and_resumed_it_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: dict[str, bytes], instant: int
) -> None:
    """Killed once `instant` items are finished (0: as soon as the order exists)."""
    content = tmp_path / "content"
    process = start_aigen(*ORDER, "--content", content)
    wait_for(lambda: (content / "aigen.db").exists() and json.loads(run_status(content)))
    wait_for(lambda: len(files_in(content)) >= instant)
    kill(process)
    survived = files_in(content)
    before = order_status(content)
    assert (before["status"], before["interrupted"]) == ("Processing", True)
    assert before["total"] == 6
    assert survived.items() <= undisturbed.items(), "a half file has a final name"

    resumed = run_aigen("resume", "--content", content)
    assert resumed.returncode == 0, resumed.stderr
    made = [line for line in resumed.stderr.splitlines() if line.startswith(("image", "video"))]
    assert len(made) == 6 - int(str(before["done"])), "exactly the missing items are made"
    assert files_in(content) == undisturbed
    assert left_in_work(content) == []
    assert order_status(content)["status"] == "Completed"


def run_status(content: Path) -> str:
    return run_aigen("status", "--json", "--content", content).stdout or "[]"


@pytest.mark.system
def test_killed_again_and_again_it_still_ends_the_same(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    content = tmp_path / "content"
    process = start_aigen(*ORDER, "--content", content)
    for pause in (1.2, 0.9, 1.1, 1.0):
        time.sleep(pause)
        kill(process)
        assert files_in(content).items() <= undisturbed.items()
        process = start_aigen("resume", "--content", content)
    process.communicate(timeout=120)
    if not files_in(content):  # the first was killed before it had placed its order
        assert run_aigen(*ORDER, "--content", content).returncode == 0
    assert run_aigen("resume", "--content", content).returncode == 0
    assert files_in(content) == undisturbed
    assert left_in_work(content) == []


def test_ctrl_c_keeps_what_is_finished_and_restarts_nothing(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    content = tmp_path / "content"
    process = start_aigen(*ORDER, "--content", content)
    wait_for(lambda: len(files_in(content)) >= 2)
    _, errors = kill(process, signal.SIGINT)
    assert process.returncode == 130
    assert "aigen resume" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    finished = files_in(content)
    assert 2 <= len(finished) < 6
    before = order_status(content)
    assert (before["interrupted"], before["done"]) == (True, len(finished))
    assert "interrupted" in run_aigen("status", "--content", content).stdout
    assert run_aigen("worker", "--once", "--content", content).returncode == 0
    assert files_in(content) == finished, "a worker does not restart it behind the user's back"
    assert run_aigen("resume", "--content", content).returncode == 0
    assert files_in(content) == undisturbed


def test_cancel_stops_a_running_order_within_two_seconds(tmp_path: Path) -> None:
    content = tmp_path / "content"
    process = start_aigen(*ORDER[:-1], "50", "--content", content)
    wait_for(lambda: len(files_in(content)) >= 1)
    name = str(order_status(content)["generation_id"])
    assert run_aigen("cancel", name, "--content", content).returncode == 0
    cancelled_at = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - cancelled_at < 2.5
    assert process.returncode == 1
    assert errors.splitlines()[-1] == f"aigen: order {name} was cancelled"
    after = order_status(content)
    assert after["status"] == "Cancelled"
    assert len(files_in(content)) == after["done"]
    assert left_in_work(content) == []


@pytest.mark.system
def test_a_worker_killed_in_mid_order_is_followed_by_one_that_finishes(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    content = tmp_path / "content"
    assert run_process(*ORDER, "--content", content, "--detach", "--json").returncode == 0
    wait_for(lambda: len(files_in(content)) >= 2)
    assert kill_worker(content, signal.SIGKILL) == 1
    wait_for(lambda: order_status(content)["interrupted"])
    assert run_aigen("worker", "--once", "--content", content).returncode == 0
    assert files_in(content) == undisturbed
    assert left_in_work(content) == []


@pytest.mark.system
def test_two_orders_a_worker_and_status_at_once_lose_nothing(tmp_path: Path) -> None:
    content = tmp_path / "content"
    # Large enough for an order to take longer than the second after which another says that it waits.
    small = ("--size", "640x360", "--images", "3", "--videos", "2", "--content", content)
    assert run_process("generate", "a dog", *small, "--detach", "--user", "worker").returncode == 0
    processes = [start_aigen("generate", f"{name}'s kite", *small, "--user", name) for name in ("ana", "bob", "eve")]
    watcher = start_aigen("status", "--watch", "--json", "--content", content)
    while any(process.poll() is None for process in processes):
        assert run_process("status", "--content", content).returncode == 0
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert any("another order is being made" in errors for _, errors in outputs)
    wait_for(lambda: all(order["status"] == "Completed" for order in json.loads(run_status(content))))
    _, errors = watcher.communicate(timeout=60)
    assert (watcher.returncode, errors) == (0, "")
    assert "locked" not in "".join(errors for _, errors in outputs)
    assert len(files_in(content)) == 4 * 5
    assert left_in_work(content) == []
    kill_worker(content, signal.SIGKILL)


@pytest.mark.system
def test_erasing_a_user_stops_her_running_order(tmp_path: Path) -> None:
    content = tmp_path / "content"
    process = start_aigen(*ORDER[:-1], "50", "--content", content)
    wait_for(lambda: len(files_in(content)) >= 1)
    assert run_aigen("users", "delete", "ana", "--yes", "--content", content).returncode == 0
    process.communicate(timeout=30)
    assert files_in(content) == {}
    assert left_in_work(content) == []
    assert not (content / "ana").exists()
    assert json.loads(run_status(content)) == []


@pytest.mark.system
def test_what_the_disk_cannot_hold_is_told_and_can_be_resumed(tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk, which needs root (test_system.py has the real one)."""
    content = tmp_path / "content"
    order = aigen_command(
        "generate", "a kite in the rain", "--size", "2000x2000", "--images", 2, "--videos", 0, "--content", content
    )
    result = subprocess.run(
        ["bash", "-c", 'ulimit -f 500; trap "" XFSZ; exec "$@"', "limited", *order],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert "full" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert files_in(content) == {}
    assert order_status(content)["interrupted"]
    assert run_aigen("resume", "--content", content).returncode == 0
    assert len(files_in(content)) == 2
    assert left_in_work(content) == []


@pytest.mark.system
def test_ctrl_c_while_it_starts_is_ctrl_c(tmp_path: Path) -> None:
    """At any moment of starting up: either nothing was ordered, or the order is interrupted; never failed."""
    for number, pause in enumerate((0.1, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8)):
        content = tmp_path / str(number)
        process = start_aigen(*ORDER, "--content", content)
        time.sleep(pause)
        _, errors = kill(process, signal.SIGINT)
        orders = json.loads(run_status(content))
        if "import typer" in errors or "KeyboardInterrupt" in errors:
            assert orders == [], "only before the program proper has begun"
            continue
        # Python ends by the signal itself where a library was running code of its own; to a shell that is 130 too.
        assert process.returncode in (130, -signal.SIGINT), errors
        assert [order["status"] for order in orders] in ([], ["Processing"])
        assert all(order["interrupted"] for order in orders)
