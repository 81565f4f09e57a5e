import pytest

from aigen.errors import Cancelled, UsageError
from aigen.orders import deletion, lifecycle, placing
from aigen.orders.context import Context
from aigen.types.pipeline import Run, Task
from aigen.types.request import Draft
from aigen.types.rows import Item
from tests.conftest import Scribbler, StillClock, files_in, left_in_work


def test_erasing_a_user_leaves_nothing(context: Context, request_two: Draft, clock: StillClock) -> None:
    lifecycle.generate(context, request_two, "ana")
    lifecycle.generate(context, request_two, "bob")
    started = placing.place(context, request_two, "ana")
    context.content.work(started.generation_id).mkdir(parents=True)
    context.content.thumbs("ana").mkdir(parents=True, exist_ok=True)
    activity = {"at": "2026-11-21T12:00:00+00:00", "user_id": "ana", "action": "login"}
    context.store._table("user_activity").insert(activity)

    deletion.erase_user(context, "ana")

    remaining = [str(path.relative_to(context.content.root)) for path in context.content.root.rglob("*")]
    assert not [path for path in remaining if "ana" in path or started.generation_id in path]
    for table in context.store._database.tables:
        assert "ana" not in {row.get("user_id") for row in table.rows}
    assert {row["user_id"] for row in context.store.users()} == {"bob"}
    assert {item.generation_id for item in _all_items(context)} == {
        order.generation_id for order in context.store.generations("bob")
    }
    assert len(files_in(context.content.root)) == 4


def _all_items(context: Context) -> list[Item]:
    rows = context.store._read("SELECT DISTINCT generation_id FROM items")
    return [item for row in rows for item in context.store.items(row["generation_id"])]


def test_erasing_an_unknown_user_is_refused(context: Context) -> None:
    with pytest.raises(UsageError, match="not known"):
        deletion.erase_user(context, "nobody")


def test_erasing_keeps_files_that_are_not_ours_and_says_so(context: Context, request_two: Draft) -> None:
    lifecycle.generate(context, request_two, "photos")
    wedding = context.content.user("photos") / "wedding.jpg"
    wedding.touch()
    assert deletion.erase_user(context, "photos") == ["wedding.jpg"]
    assert [path.name for path in wedding.parent.iterdir()] == ["wedding.jpg"]
    assert context.store.users() == []


def test_an_order_placed_while_its_user_is_erased_goes_too(
    context: Context, request_two: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifecycle.generate(context, request_two, "ana")
    whole = type(context.content).remove_user
    late: list[str] = []

    def order_once_more(content: object, user_id: str, names: list[str]) -> list[str]:
        kept = whole(context.content, user_id, names)
        if not late:
            late.append(placing.place(context, request_two, "ana", detached=True).generation_id)
        return kept

    monkeypatch.setattr(type(context.content), "remove_user", order_once_more)
    deletion.erase_user(context, "ana")
    assert late
    assert context.store.users() == []
    assert context.store.generations() == []


def test_an_item_finished_after_its_order_was_erased_leaves_no_file(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    def erase(task: Task, run: Run, number: int) -> None:
        context.store.delete_user("ana", [order.generation_id for order in context.store.generations("ana")])

    scribbler.before = erase
    with pytest.raises(Cancelled):
        lifecycle.generate(context, request_two, "ana")
    assert files_in(context.content.root) == {}
    assert left_in_work(context.content.root) == []
