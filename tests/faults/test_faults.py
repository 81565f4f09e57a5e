"""Whatever lasting call a process dies at, and whatever a power cut loses, the next command can go on.

`make test-faults` tries every call, whole and torn; with QUICK=--quick a sample.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from aigen.store.migrations import migrations
from tests.conftest import aigen_command, files_in, left_in_work, make_once, run_aigen
from tests.faults.power import Call, power_cuts, read_log

pytestmark = pytest.mark.system

EVERYTHING = os.environ.get("AIGEN_FAULTS") == "all"
SHIM = Path(__file__).with_name("shim.c")
ORDER = ("generate", "two cats under a full moon", "--user", "ana", "--seed", "7", "--size", "32x32")
SMALL = (*ORDER, "--images", "1", "--videos", "0")
LARGER = (*ORDER, "--images", "2", "--videos", "1", "--duration", "0.5")
# Of the calls of a scenario, how many are tried as a sample; and one of so many of the states after a power cut.
SAMPLE, POWER_SAMPLE = 6, 15
# So many calls make the store of a new folder, where more can go wrong.
BEGINNING = 44


def run_with(shim: Path, content: Path, *arguments: object, **faults: object) -> subprocess.CompletedProcess[bytes]:
    """Run a command below the shim."""
    # What begins with this counts, so a file beside the folder too; and of `restore`, the folder until it is whole.
    root = content.with_name(f".{content.name}") if arguments[0] == "restore" else content
    environment = {**os.environ, "LD_PRELOAD": str(shim), "FAULT_ROOT": str(root)}
    return subprocess.run(
        [*aigen_command(*arguments, "--content", content)],
        env=environment | {name: str(value) for name, value in faults.items()},
        capture_output=True,
        timeout=120,
        check=False,
    )


def place_old_order(folder: Path) -> None:
    """A content folder of an earlier version, with an order that ended."""
    folder.mkdir()
    with closing(Database(folder / "aigen.db")) as database:
        migrations.apply(database, stop_before="m004_web")
        database.execute("INSERT INTO users (user_id, created_at, made) VALUES ('ana', '2026-11-21T12:00:00+00:00', 0)")
        database.execute(
            "INSERT INTO generations (generation_id, user_id, prompt, request, status, requested_at, detached) "
            "VALUES ('old1234567', 'ana', 'a cat', ?, 'Cancelled', '2026-11-21T12:00:00+00:00', 0)",
            [json.dumps({"prompt": "a cat", "seed": 1})],
        )
        database.conn.commit()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shim, and content folders to begin with; not to be changed."""

    def compile_shim(path: Path) -> None:
        if not shutil.which("gcc"):
            pytest.skip("gcc is missing")
        path.mkdir()
        command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", path / "shim.so", SHIM, "-ldl"]
        subprocess.run(command, check=True)

    def order(*arguments: str) -> Callable[[Path], None]:
        def make(path: Path) -> None:
            assert run_aigen(*arguments, "--content", path).returncode == 0

        return make

    def back_up(path: Path) -> None:
        assert run_aigen("backup", path, "--content", path.with_name("larger")).returncode == 0

    def damage(path: Path) -> None:
        """A file that is gone, one that nobody knows, and no thumbnails."""
        shutil.copytree(path.with_name("larger"), path)
        next((path / "ana").glob("*-image-2.png")).unlink()
        (path / "ana" / "holiday-photo.png").write_bytes(b"not ours")
        shutil.rmtree(path / ".thumbs")

    makers = {"shim": compile_shim, "small": order(*SMALL), "larger": order(*LARGER), "old": place_old_order}
    folder = make_once(tmp_path_factory, "faults", makers)

    def find_middle(path: Path) -> None:
        """The number of a call after the first item was finished."""
        log = path.with_suffix(".log")
        run_with(folder / "shim" / "shim.so", path.with_suffix(".content"), *LARGER, FAULT_LOG=log, FAULT_AT=0)
        calls = counted(log)
        finished = next(number for number, call in enumerate(calls) if "content/ana/" in call.other)
        recorded = [number for number, call in enumerate(calls) if number > finished and is_of_store(call.path)]
        path.write_text(str(recorded[0] + 20))

    return make_once(tmp_path_factory, "faults", {"middle": find_middle, "backup": back_up, "damaged": damage})


@dataclass(frozen=True)
class Scenario:
    """A command, the content folder it begins with (None: there is none), and what must hold after it died.

    In the command, `ORDER` is the id of its first order, and `BESIDE` a file beside the folder.
    """

    command: tuple[str, ...]
    begin: str | None
    check: Callable[[Path, Path], None]
    interrupted: bool = False  # it begins with what the command `LARGER` leaves that dies in the middle

    def prepare(self, made: Path, content: Path) -> tuple[str, ...]:
        """Make what it begins with; the command with its words filled in."""
        if self.begin == "backup":
            shutil.copyfile(made / "backup", beside(content))
        elif self.begin:
            shutil.copytree(made / self.begin, content)
        elif self.interrupted:
            run_with(made / "shim" / "shim.so", content, *LARGER, FAULT_AT=int((made / "middle").read_text()))
            assert [order["done"] for order in orders(content)] == [1]
        return fill_in(self.command, content)


def beside(content: Path) -> Path:
    return content.with_name(f"{content.name}.tar")


def fill_in(command: tuple[str, ...], content: Path) -> tuple[str, ...]:
    """A command with the words `ORDER` and `BESIDE` filled in."""
    words = {"BESIDE": str(beside(content))}
    if "ORDER" in command:
        words["ORDER"] = orders(content)[0]["generation_id"]
    return tuple(words.get(word, word) for word in command)


def orders(content: Path) -> list[dict[str, Any]]:
    status = run_aigen("status", "--json", "--content", content)
    assert status.returncode == 0, status.stderr
    found: list[dict[str, Any]] = json.loads(status.stdout)
    return found


def is_whole(content: Path) -> None:
    with closing(sqlite3.connect(content / "aigen.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def order_is_made(command: tuple[str, ...], reference: str) -> Callable[[Path, Path], None]:
    """Check that the order can be finished, or placed again, and is then as if nothing had been."""

    def check(content: Path, made: Path) -> None:
        again = ("resume",) if orders(content) else command
        done = run_aigen(*again, "--content", content)
        assert done.returncode == 0, done.stderr
        (order,) = orders(content)
        assert order["status"] == "Completed"
        assert files_in(content) == files_in(made / reference)
        assert left_in_work(content) == []
        is_whole(content)

    return check


def user_is_erased(content: Path, made: Path) -> None:
    done = run_aigen("users", "delete", "ana", "--yes", "--content", content)
    assert done.returncode in (0, 2), done.stderr
    assert run_aigen("status", "--json", "--content", content).stdout.strip() == "[]"
    assert files_in(content) == {}
    assert not list((content / ".thumbs").rglob("*.webp"))
    is_whole(content)


def old_order_is_there(content: Path, made: Path) -> None:
    assert [order["generation_id"] for order in orders(content)] == ["old1234567"]
    with closing(Database(content / "aigen.db")) as database:
        assert migrations.pending(database) == []
    is_whole(content)


def order_is_cancelled(content: Path, made: Path) -> None:
    done = run_aigen(*fill_in(CANCEL, content), "--content", content)
    assert done.returncode in (0, 2), done.stderr
    (order,) = orders(content)
    assert order["status"] == "Cancelled"
    assert left_in_work(content) == []
    assert len(files_in(content)) == order["done"]
    is_whole(content)


def backup_is_whole(content: Path, made: Path) -> None:
    """It is there and whole, or not there and can be made; and the folder is as before."""
    if not beside(content).exists():
        done = run_aigen(*fill_in(BACKUP, content), "--content", content)
        assert done.returncode == 0, done.stderr
    again = content.with_name(f"{content.name}-again")
    restored = run_aigen(*fill_in(RESTORE, content), "--content", again)
    assert restored.returncode == 0, restored.stderr
    assert files_in(again) == files_in(content) == files_in(made / "larger")
    assert run_aigen("repair", "--content", content).returncode == 0
    assert left_in_work(content) == []
    assert list(content.parent.glob("*.unfinished")) == []
    is_whole(content)
    shutil.rmtree(again)
    beside(content).unlink()


def folder_is_restored(content: Path, made: Path) -> None:
    if not content.exists():
        done = run_aigen(*fill_in(RESTORE, content), "--content", content)
        assert done.returncode == 0, done.stderr
    assert files_in(content) == files_in(made / "larger")
    assert list(content.parent.glob(f".{content.name}*")) == []
    is_whole(content)
    beside(content).unlink()


def damage_is_repaired(content: Path, made: Path) -> None:
    assert run_aigen("repair", "--content", content).returncode in (0, 1)
    assert run_aigen("repair", "--dry-run", "--content", content).stdout == ""
    done = run_aigen("resume", orders(content)[0]["generation_id"], "--content", content)
    assert done.returncode in (0, 2), done.stderr
    whole = files_in(made / "larger")
    assert {name: data for name, data in files_in(content).items() if name in whole} == whole
    is_whole(content)


CANCEL, BACKUP, RESTORE = ("cancel", "ORDER"), ("backup", "BESIDE"), ("restore", "BESIDE")
SCENARIOS = {
    "the first command": Scenario(SMALL, None, order_is_made(SMALL, "small")),
    "an order of three": Scenario(LARGER, None, order_is_made(LARGER, "larger")),
    "resume": Scenario(("resume",), None, order_is_made(LARGER, "larger"), interrupted=True),
    "users delete": Scenario(("users", "delete", "ana", "--yes"), "larger", user_is_erased),
    "an upgrade": Scenario(("status",), "old", old_order_is_there),
    "cancel": Scenario(CANCEL, None, order_is_cancelled, interrupted=True),
    "backup": Scenario(BACKUP, "larger", backup_is_whole),
    "restore": Scenario(RESTORE, "backup", folder_is_restored),
    "repair": Scenario(("repair",), "damaged", damage_is_repaired),
}


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_process_may_die_at_any_lasting_call(name: str, torn: bool, made: Path, tmp_path: Path) -> None:
    scenario, shim = SCENARIOS[name], made / "shim" / "shim.so"
    command = scenario.prepare(made, tmp_path / "count")
    undisturbed = run_with(shim, tmp_path / "count", *command, FAULT_LOG=tmp_path / "log", FAULT_AT=0)
    assert undisturbed.returncode == 0, undisturbed.stderr
    calls = counted(tmp_path / "log")
    assert len(calls) > 10
    numbers = list(range(1, len(calls) + 1))
    if not EVERYTHING:
        beginning = numbers[:BEGINNING] if scenario.begin is None and not scenario.interrupted else []
        numbers = beginning[torn::4] + numbers[len(beginning) + torn :: max(1, len(calls) // SAMPLE)]
    survived = 0
    for number in numbers:
        content = tmp_path / f"content-{number}"
        command = scenario.prepare(made, content)
        faults = {"FAULT_AT": number} | ({"FAULT_TORN": 1} if torn else {})
        killed = run_with(shim, content, *command, **faults)
        assert killed.returncode in (-9, 0), killed.stderr
        survived += killed.returncode == 0
        try:
            scenario.check(content, made)
        except AssertionError as error:
            raise AssertionError(f"killed at call {number} of {name}: {error}") from error
        shutil.rmtree(content)
    assert survived <= len(numbers) // 2, "most were killed"
    print(f"{len(numbers) - survived} kills of {name}")


def counted(log: Path) -> list[Call]:
    """The calls at which a process may be killed."""
    return [call for call in read_log(log) if call.name != "write" or is_of_store(call.path)]


def is_of_store(path: str) -> bool:
    """Whether a write counts: others are counted by the sync and the rename after them."""
    return Path(path).name.startswith("aigen.db")


def test_a_power_cut_loses_no_finished_item(made: Path, tmp_path: Path) -> None:
    content = tmp_path / "content"
    done = run_with(made / "shim" / "shim.so", content, *LARGER, FAULT_LOG=tmp_path / "log")
    assert done.returncode == 0, done.stderr
    calls = read_log(tmp_path / "log")
    for number, disk in enumerate(power_cuts(calls, content)):
        if EVERYTHING or number % POWER_SAMPLE == 0:
            left = tmp_path / f"left-{number}"
            disk.write_to(left)
            try:
                nothing_finished_is_lost(left, made)
            except AssertionError as error:
                raise AssertionError(
                    f"a power cut before {calls[number] if number < len(calls) else 'the end'}"
                ) from error
            shutil.rmtree(left)


def nothing_finished_is_lost(content: Path, made: Path) -> None:
    status = run_aigen("status", "--json", "--content", content)
    assert status.returncode == 0, status.stderr
    for order in json.loads(status.stdout):
        finished = {f"ana/{Path(path).name.split('-', 1)[1]}" for path in (*order["images"], *order["videos"])}
        whole = files_in(made / "larger")
        here = files_in(content)
        assert {name: here.get(name) for name in finished} == {name: whole[name] for name in finished}
    order_is_made(LARGER, "larger")(content, made)
