"""A backup is the whole content folder at one moment, also while orders are made, and comes back as it was."""

import io
import tarfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aigen.content import ContentFolder
from aigen.errors import AlreadyRunning, ContentError, UsageError
from aigen.orders import backup, deletion, lifecycle, placing
from aigen.orders.context import Context
from aigen.store import Store
from aigen.types.pipeline import Run, Task
from aigen.types.request import Draft
from tests.conftest import Scribbler, files_in, left_in_work, run_aigen


def restored(archive: Path, tmp_path: Path, context: Context) -> Context:
    folder = ContentFolder(tmp_path / "restored")
    backup.restore(archive, folder)
    return replace(context, content=folder, store=Store.open(folder))


def test_everything_comes_back(context: Context, request_two: Draft, tmp_path: Path) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    made = backup.back_up(context, tmp_path / "backup.tar")
    assert (made.orders, made.files, made.missing) == (1, 4, ())
    again = restored(tmp_path / "backup.tar", tmp_path, context)
    assert again.store.generations() == [order]
    assert again.store.items(order.generation_id) == context.store.items(order.generation_id)
    assert files_in(again.content.root) == files_in(context.content.root)
    again.store.close()


def test_a_backup_of_a_running_order_can_be_finished(
    context: Context, request_two: Draft, scribbler: Scribbler, tmp_path: Path
) -> None:
    """What is finished is in it; `resume` makes the rest."""
    archive = tmp_path / "backup.tar"

    def back_up(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("video", 1):
            with Store.open(context.content) as store:
                backup.back_up(replace(context, store=store), archive)

    scribbler.before = back_up
    order = lifecycle.generate(context, request_two, "ana")
    scribbler.before = lambda task, run, number: None
    again = restored(archive, tmp_path, context)
    assert again.store.generations()[0].status == "Processing"
    assert lifecycle.resume(again, order.generation_id).status == "Completed"
    assert files_in(again.content.root) == files_in(context.content.root)
    again.store.close()


@pytest.mark.system
def test_backups_beside_a_writer_are_each_whole(context: Context, request_two: Draft, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with Store.open(context.content) as store:
            own = replace(context, store=store)
            while not stop.is_set():
                order = lifecycle.generate(own, request_two, "ana")
                if int(order.generation_id[0], 36) % 2:
                    deletion.erase_order(own, order.generation_id)

    thread = threading.Thread(target=write)
    placing.place(context, request_two, "ben", detached=True)
    thread.start()
    try:
        for number in range(4):
            archive, folder = tmp_path / f"{number}.tar", ContentFolder(tmp_path / f"restored-{number}")
            backup.back_up(context, archive)
            backup.restore(archive, folder)
            with Store.open(folder) as store:
                again = replace(context, content=folder, store=store)
                for order in store.generations("ana"):
                    gone = lifecycle.missing_files(again, order.generation_id)
                    assert not gone or context.store.generation(order.generation_id) is None
    finally:
        stop.set()
        thread.join()


def test_who_tidies_up_meanwhile_leaves_it_alone(
    context: Context, request_two: Draft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.generate(context, request_two, "ana")
    write = backup._write

    def tidy_first(*arguments: Any) -> Any:
        with Store.open(context.content) as store:
            lifecycle.tidy(replace(context, store=store))
        return write(*arguments)

    monkeypatch.setattr(backup, "_write", tidy_first)
    assert backup.back_up(context, tmp_path / "backup.tar").files == 4
    assert left_in_work(context.content.root) == []


def test_one_backup_is_made_at_a_time_and_what_a_killed_one_left_goes(
    context: Context, request_two: Draft, tmp_path: Path
) -> None:
    lifecycle.generate(context, request_two, "ana")
    with context.content.hold("backup", 1.0, "held"), pytest.raises(AlreadyRunning, match="is being made already"):
        backup.back_up(context, tmp_path / "backup.tar")
    (tmp_path / "backup.tar.123.unfinished").touch()
    (tmp_path / ".restored.unfinished").mkdir()
    backup.back_up(context, tmp_path / "backup.tar")
    restored(tmp_path / "backup.tar", tmp_path, context).store.close()
    assert list(tmp_path.glob("*.unfinished")) == []


def test_what_is_missing_is_said(context: Context, request_two: Draft, tmp_path: Path) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    context.content.file(f"ana/{order.generation_id}-image-1.png").unlink()
    done = run_aigen("backup", tmp_path / "backup.tar", "--content", context.content.root)
    assert (done.returncode, f"{order.generation_id}-image-1.png" in done.stderr) == (1, True)
    assert (tmp_path / "backup.tar").exists()


def test_nothing_is_overwritten(context: Context, request_two: Draft, tmp_path: Path) -> None:
    lifecycle.generate(context, request_two, "ana")
    archive = tmp_path / "backup.tar"
    backup.back_up(context, archive)
    with pytest.raises(UsageError, match="exists"):
        backup.back_up(context, archive)
    with pytest.raises(UsageError, match="not empty"):
        backup.restore(archive, context.content)
    with pytest.raises(UsageError, match="nothing to back up"):
        backup.back_up(replace(context, content=ContentFolder(tmp_path / "none")), tmp_path / "other.tar")
    with pytest.raises(UsageError, match="no file"):
        backup.restore(tmp_path / "nothing.tar", ContentFolder(tmp_path / "new"))


@pytest.mark.parametrize("place", [100, 5000, 9000, b'"files"'])
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    context: Context, request_two: Draft, tmp_path: Path, place: int | bytes
) -> None:
    lifecycle.generate(context, request_two, "ana")
    archive = tmp_path / "backup.tar"
    backup.back_up(context, archive)
    data = bytearray(archive.read_bytes())
    data[place if isinstance(place, int) else data.index(place)] ^= 255
    archive.write_bytes(data)
    with pytest.raises(ContentError):
        backup.restore(archive, ContentFolder(tmp_path / "new"))
    archive.write_bytes(data[: len(data) // 2])
    with pytest.raises(ContentError):
        backup.restore(archive, ContentFolder(tmp_path / "new"))
    assert sorted(path.name for path in tmp_path.iterdir() if "new" in path.name) == []


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/../../outside"])
def test_a_hostile_backup_writes_nothing_outside(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "backup.tar"
    with tarfile.open(archive, "w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 4
        tar.addfile(info, io.BytesIO(b"evil"))
    with pytest.raises(ContentError, match="which no backup has"):
        backup.restore(archive, ContentFolder(tmp_path / "folder" / "new"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["backup.tar"]


def test_a_user_backs_up_and_restores(tmp_path: Path) -> None:
    assert run_aigen("generate", "a kite", "--images", "1", "--videos", "0", "--size", "32x32").returncode == 0
    assert run_aigen("backup", "everything.tar").returncode == 0
    done = run_aigen("restore", "everything.tar", "--content", "elsewhere")
    assert (done.returncode, "orders: 1, files: 1" in done.stderr) == (0, True)
    assert files_in(tmp_path / "elsewhere") == files_in(tmp_path / "generated_content")
