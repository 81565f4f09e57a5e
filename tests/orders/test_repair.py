"""What was damaged is found, and mended where it can be; what is whole is left as it is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aigen.errors import Cancelled
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.orders.repair import Damage, repair
from aigen.types.pipeline import Run, Task
from aigen.types.request import Draft
from tests.conftest import Scribbler, run_aigen


@pytest.fixture
def order(context: Context, request_two: Draft) -> str:
    return lifecycle.generate(context, request_two, "ana").generation_id


def mend(context: Context, dry_run: bool = False) -> list[str]:
    return [damage.name for damage in repair(context, dry_run)]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a content folder but those of the store, which readers may change."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("aigen.db")
    }


def test_nothing_is_found_where_nothing_is_wrong(context: Context, order: str) -> None:
    before = snapshot(context.content.root)
    assert mend(context) == []
    assert snapshot(context.content.root) == before


def test_missing_files_are_planned_again(context: Context, order: str) -> None:
    whole = snapshot(context.content.root)
    context.content.file(context.store.items(order)[0].path or "").unlink()
    assert mend(context, dry_run=True) == ["missing files"]
    assert context.store.items(order)[0].state == "done"
    (damage,) = repair(context)
    assert (damage.text, damage.mending) == (f"image 1 of order {order}", f"planned again: aigen resume {order}")
    assert mend(context) == []
    assert lifecycle.resume(context, order).status == "Completed"
    after = snapshot(context.content.root)
    assert {name: after[name] for name in whole if name.startswith("ana")} == {
        name: data for name, data in whole.items() if name.startswith("ana")
    }


def test_files_whose_rows_are_lost_are_adopted(context: Context, order: str) -> None:
    before = context.store.items(order)
    context.store.delete_order(order)
    assert mend(context, dry_run=True) == ["files without rows"]
    assert context.store.generations() == []
    assert mend(context) == ["files without rows"]
    assert mend(context) == []
    (found,) = context.store.generations("ana")
    assert (found.generation_id, found.prompt, found.status) == (order, "a kite", "Completed")
    after = context.store.items(order)
    assert [(item.kind, item.number, item.seed, item.path, item.state) for item in after] == [
        (item.kind, item.number, item.seed, item.path, item.state) for item in before
    ]
    assert lifecycle.resume(context, order).status == "Completed"


def test_a_lost_store_is_rebuilt_from_the_files(context: Context, order: str) -> None:
    content = context.content.root
    context.store.close()
    for path in content.glob("aigen.db*"):
        path.unlink()
    done = run_aigen("repair", "--content", content)
    assert (done.returncode, "adopted" in done.stdout) == (0, True)
    assert order in run_aigen("status", "--content", content).stdout


def test_files_that_say_nothing_are_set_aside(context: Context, order: str) -> None:
    strange = context.content.user("ana") / "zzzzzzzzzz-image-1.png"
    strange.write_bytes(b"no picture")
    (context.content.user("ana") / "my notes.txt").write_text("mine")
    assert mend(context) == ["files without rows"]
    assert not strange.exists()
    assert (context.content.root / ".aside" / "ana" / strange.name).read_bytes() == b"no picture"
    assert (context.content.user("ana") / "my notes.txt").exists()
    assert mend(context) == []


def test_a_file_of_a_cancelled_item_is_set_aside(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    def cancel(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("video", 2):
            context.store.cancel(context.store.generations()[0].generation_id)

    scribbler.before = cancel
    with pytest.raises(Cancelled):
        lifecycle.generate(context, request_two, "ana")
    (order,) = context.store.generations()
    first = context.content.file(context.store.items(order.generation_id)[0].path or "")
    shutil.copy(first, first.with_name(f"{order.generation_id}-image-7.png"))
    assert mend(context) == ["files without rows"]
    assert mend(context) == []


def test_thumbnails_are_made_again(context: Context, order: str) -> None:
    shutil.rmtree(context.content.root / ".thumbs")
    assert set(mend(context)) == {"missing thumbnails"}
    assert mend(context) == []


def test_a_damaged_file_is_named_and_left(context: Context, order: str) -> None:
    file = context.content.file(context.store.items(order)[0].path or "")
    file.write_bytes(b"\x89PNG but not really")
    shutil.rmtree(context.content.root / ".thumbs")
    found = list(repair(context))
    assert [damage.name for damage in found].count("damaged file") == 1
    assert file.exists()


def test_the_search_index_is_written_anew(context: Context, order: str) -> None:
    with closing(sqlite3.connect(context.content.database)) as database:
        database.execute("UPDATE prompts SET prompt = 'something else'")
        database.commit()
    assert mend(context) == ["search index"]
    assert [each.generation_id for each in context.store.newest("ana", 5, words="kite")] == [order]
    assert mend(context) == []


def test_what_orders_left_in_work_is_removed(context: Context, order: str) -> None:
    context.content.work("zzzzzzzzzz").mkdir(parents=True)
    (context.content.making / "zzzzzzzzzz.lock").touch()
    assert mend(context) == ["work folders", "locks"]
    assert mend(context) == []


def test_orders_that_are_being_made_are_left_alone(context: Context, order: str) -> None:
    context.content.file(context.store.items(order)[0].path or "").unlink()
    with placing.hold(context.content, order):
        assert mend(context) == []


def test_a_damaged_store_is_said_by_repair_and_doctor(context: Context, order: str) -> None:
    context.store.close()
    with closing(sqlite3.connect(context.content.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'user_activity'").fetchone()[0]
        size = database.execute("PRAGMA page_size").fetchone()[0]
    with context.content.database.open("rb+") as file:
        file.seek((root - 1) * size)
        file.write(bytes(size))
    done = run_aigen("repair", "--dry-run", "--content", context.content.root)
    assert (done.returncode, "restore a backup" in done.stdout) == (1, True)
    assert "wrong  store" in run_aigen("doctor", "--content", context.content.root).stdout


def test_damage_is_printed_for_programs_too(context: Context, order: str) -> None:
    context.store.delete_order(order)
    done = run_aigen("repair", "--dry-run", "--json", "--content", context.content.root)
    assert (done.returncode, '"mended": false' in done.stdout) == (1, True)
    assert Damage("a", "b", "c").mended is False
