import json
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from aigen.content import ContentFolder
from aigen.errors import ContentError, GenerationError, StoreError, UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.store import Store
from aigen.store.migrations import migrations
from aigen.types.pipeline import Job, Run, Task
from aigen.types.request import Draft, Narration
from aigen.types.seen import Detection, ImageDescription
from tests.conftest import Scribbler, StillClock, run_aigen

HOSTILE_PROMPTS = [
    """it's "quoted" \\ and `ticked`""",
    "two\nlines\r\n\tand a tab",
    "🐋 under ⭐, 👩‍🚀 family",
    "شراع على البحر",
    "\u202eright to left\u202c override",
    "bell \x07 escape \x1b[31m null \x00 end",
    "'; DROP TABLE generations; --",
    "  spaces kept  ",
]


def test_a_folder_without_a_store_reads_as_empty_and_stays_untouched(content: ContentFolder) -> None:
    with Store.open(content) as store:
        assert store.generations() == []
        assert store.users() == []
    assert not content.root.exists()


def test_a_store_is_created_with_the_first_write(context: Context, request_two: Draft, tmp_path: Path) -> None:
    content = ContentFolder(tmp_path / "other")
    with Store.open(content) as store, Store.open(content) as another:
        order = placing.place(replace(context, content=content, store=store), request_two, "ana")
        assert store.generations() == another.generations() == [order]
    with Store.open(content) as store:
        assert store.generations() == [order]


def test_wal_and_every_migration_from_blank(content: ContentFolder) -> None:
    Store.open(content, create=True).close()
    with closing(Database(content.database)) as database:
        assert database.journal_mode == "wal"
        assert migrations.pending(database) == []
        assert {"users", "generations", "items", "notices", "user_activity"} <= set(database.table_names())
        assert [column.name for column in database["user_content"].columns] == [
            "user_id", "prompt", "video_paths", "image_paths", "status", "generated_at", "generation_id",
        ]  # fmt: skip


def test_an_interrupted_migration_is_finished(content: ContentFolder) -> None:
    content.root.mkdir()
    with closing(Database(content.database)) as database:
        migrations.apply(database, stop_before="m002_orders")
    with Store.open(content, create=True) as store:
        assert store.generations() == []


def test_items_of_an_older_store_have_no_jobs_and_cost_nothing(content: ContentFolder) -> None:
    content.root.mkdir()
    request = json.dumps(OLD_REQUEST)
    with closing(Database(content.database)) as database:
        migrations.apply(database, stop_before="m007_jobs")
        database.execute("INSERT INTO users (user_id, created_at, made) VALUES ('ana', '2026-11-21T12:00:00+00:00', 0)")
        database.execute(
            "INSERT INTO generations (generation_id, user_id, prompt, request, status, requested_at, detached) "
            "VALUES ('old1234567', 'ana', 'a cat', ?, 'Failed', '2026-11-21T12:00:00+00:00', 0)",
            [request],
        )
        database.execute(
            "INSERT INTO items (generation_id, kind, number, seed, model, state, checkpoint, error) "
            "VALUES ('old1234567', 'video', 1, 13, 'narrator', 'failed', '{\"picture-1\": 1}', 'no reason')"
        )
        database.conn.commit()
    with Store.open(content) as store:
        (item,) = store.items("old1234567")
        assert (item.job, item.paid, item.checkpoint) == ({}, None, {"picture-1": 1})
        store.save_job(item, Job("key-1", cost=0.5))
        assert store.items("old1234567")[0].paid == 0.5


def test_notices_of_an_older_store_stay_as_they_were(content: ContentFolder) -> None:
    """But for those of orders that somebody has erased by hand."""
    content.root.mkdir()
    with closing(Database(content.database)) as database:
        migrations.apply(database, stop_before="m012_addresses")
        database.execute("INSERT INTO users (user_id, created_at, made) VALUES ('ana', '2026-11-21T12:00:00+00:00', 0)")
        database.execute(
            "INSERT INTO generations (generation_id, user_id, prompt, request, status, requested_at, detached) "
            "VALUES ('old1234567', 'ana', 'a cat', ?, 'Completed', '2026-11-21T12:00:00+00:00', 0)",
            [json.dumps(OLD_REQUEST)],
        )
        for number, (generation_id, state) in enumerate((("old1234567", "sent"), ("gone123456", "ready"))):
            database.execute(
                "INSERT INTO notices (id, generation_id, channel, event, due_at, state, attempts, error) "
                "VALUES (?, ?, 'mailto:ana@example.org', 'completed', '2026-11-21T12:00:00+00:00', ?, 3, 'late')",
                [7 + number, generation_id, state],
            )
        database.conn.commit()
    with Store.open(content) as store:
        (notice,) = store.notices()
        assert (notice.id, notice.state, notice.attempts, notice.error) == (7, "sent", 3, "late")
        assert store._read("PRAGMA foreign_key_check") == []


# As orders from a picture stood in stores before fields were renamed; the keys must stay.
OLD_REQUEST = {
    "duration": None, "fast": False, "first": 1, "fps": None, "frames": None, "from_picture": True, "guidance": None,
    "guide": None, "image_model": "storybook", "images": 5, "model": None,
    "narration": {"captions": "srt", "music": None, "scenes": 2, "script": "It rains.", "styles": ["plain"],
        "transition": "cut", "voice": "hibari"},
    "negative": None, "notify": ["terminal"], "notify_at": None, "prompt": "a cat", "seed": 13,
    "seen": {"caption": "a cat", "colours": ["blue"], "description": "A cat.", "facts": "", "height": 600,
        "mark": "algorithmicMedia", "model": "nanodet",
        "objects": [{"name": "cat", "score": 0.8, "box": [1, 2, 30, 40]}], "width": 800},
    "size": None, "steps": None, "strength": None, "style": "plain", "styles": ["plain", "dramatic"],
    "video_model": "narrator", "videos": 1, "vision_model": "nanodet",
}  # fmt: skip


def test_an_order_of_an_earlier_version_is_read_and_written_alike(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana")
    with sqlite3.connect(context.content.database) as database:
        database.execute("UPDATE generations SET request = ?", [json.dumps(OLD_REQUEST)])
    found = context.store.generation(order.generation_id)
    assert found
    assert found.request.seen == ImageDescription(
        width=800,
        height=600,
        objects=(Detection("cat", 0.8, (1, 2, 30, 40)),),
        caption="a cat",
        colours=("blue",),
        description="A cat.",
        source_type="algorithmicMedia",
    )
    assert found.request.narration == Narration(
        script="It rains.", scenes=2, styles=("plain",), captions="srt", transition="cut"
    )
    kept = {key: value for key, value in OLD_REQUEST.items() if key != "model"}
    assert json.loads(json.dumps(found.request.as_json())) == kept | {"max_cost": None}


@pytest.mark.parametrize("prompt", HOSTILE_PROMPTS)
def test_prompts_are_read_back_exactly(context: Context, prompt: str) -> None:
    order = placing.place(context, Draft(prompt=prompt), "ana")
    found = context.store.generation(order.generation_id)
    assert found == order
    assert found.prompt == prompt
    assert found.request.prompt == prompt


def test_a_file_that_is_no_database_is_refused_and_left(content: ContentFolder) -> None:
    content.root.mkdir()
    content.database.write_bytes(b"this is a letter, not a database" * 100)
    before = content.database.read_bytes()
    with pytest.raises(StoreError, match="not a store"):
        Store.open(content, create=True)
    assert content.database.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left(content: ContentFolder) -> None:
    content.root.mkdir()
    with closing(Database(content.database)) as database:
        database["recipes"].insert({"name": "soup"})
    before = content.database.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(content, create=True)
    assert content.database.read_bytes() == before


def test_a_newer_store_is_refused_and_left(content: ContentFolder) -> None:
    Store.open(content, create=True).close()
    database = Database(content.database)
    database["_sqlite_migrations"].insert({"migration_set": "aigen", "name": "m999_future", "applied_at": "2030"})
    database.close()
    before = content.database.read_bytes()
    with pytest.raises(StoreError, match="m999_future"):
        Store.open(content, create=True)
    assert content.database.read_bytes() == before


def test_a_newer_store_is_left_even_where_its_writer_was_killed(content: ContentFolder, tmp_path: Path) -> None:
    """What a killed process left in the write-ahead log is not for an older program to move."""
    with Store.open(content, create=True) as store:
        store._database["_sqlite_migrations"].insert(
            {"migration_set": "aigen", "name": "m999_future", "applied_at": "2030"}
        )
        shutil.copytree(content.root, tmp_path / "killed")
    killed = ContentFolder(tmp_path / "killed")
    before = {path.name: path.read_bytes() for path in killed.root.glob("aigen.db*") if path.suffix != ".db-shm"}
    assert before["aigen.db-wal"]
    for create in (False, True):
        with pytest.raises(StoreError, match="m999_future"):
            Store.open(killed, create=create)
    assert {
        path.name: path.read_bytes() for path in killed.root.glob("aigen.db*") if path.suffix != ".db-shm"
    } == before


def test_a_store_that_another_process_is_migrating_is_told(
    content: ContentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.store.database.BUSY_TIMEOUT", 0.1)
    content.check_writable()
    with content.lock("store"), pytest.raises(StoreError, match="another process"):
        Store.open(content, create=True)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ContentError, match="cannot be written"):
        Store.open(ContentFolder(tmp_path / "file" / "below"), create=True)


def test_many_may_open_a_new_store_at_once(content: ContentFolder) -> None:
    failures: list[Exception] = []

    def open_it() -> None:
        try:
            Store.open(content, create=True).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_writer_waits_for_another(content: ContentFolder, context: Context, request_two: Draft) -> None:
    blocker = sqlite3.connect(content.database, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, blocker.rollback).start()
    order = placing.place(context, request_two, "ana")
    assert context.store.generation(order.generation_id) is not None
    blocker.close()


def test_a_state_change_needs_the_old_state(context: Context, request_two: Draft, clock: StillClock) -> None:
    store = context.store
    order = placing.place(context, request_two, "ana")
    name = order.generation_id
    assert not store.complete(name, clock()), "items are missing"
    assert store.fail(name, "no ink", clock())
    assert not store.fail(name, "again", clock())
    assert not store.heartbeat(name, "step", clock())
    assert store.reopen(name, context.clock())
    assert not store.reopen(name, context.clock())
    assert store.cancel(name)
    assert not store.cancel(name)
    assert not store.start(name, detached=False)


def test_notices_follow_the_order(context: Context, clock: StillClock) -> None:
    request = Draft(prompt="x", notify=("desktop", "mailto:ana@example.org", "desktop"))
    order = placing.place(context, request, "ana")
    assert [(notice.channel, notice.state) for notice in context.store.notices(order.generation_id)] == [
        ("desktop", "waiting"),
        ("mailto:ana@example.org", "waiting"),
    ]
    context.store.fail(order.generation_id, "no ink", clock())
    ready = [notice.channel for notice in context.store.notices(order.generation_id) if notice.state == "ready"]
    assert ready == ["desktop", "mailto:ana@example.org"]
    context.store.reopen(order.generation_id, context.clock())
    lifecycle.run(context, order.generation_id)
    states = {(notice.event, notice.state) for notice in context.store.notices(order.generation_id)}
    assert ("completed", "ready") in states


def test_ids_that_differ_only_in_case_are_refused(context: Context, request_two: Draft) -> None:
    placing.place(context, request_two, "ana")
    with pytest.raises(UsageError, match="upper and lower case"):
        placing.place(context, request_two, "Ana")
    assert [user["user_id"] for user in context.store.users()] == ["ana"]


def test_the_view_lists_paths_in_order(context: Context, request_two: Draft) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    with closing(Database(context.content.database)) as database:
        (row,) = database.query("SELECT * FROM user_content")
    name = order.generation_id
    assert row["image_paths"] == f'["ana/{name}-image-1.png","ana/{name}-image-2.png"]'
    assert row["video_paths"] == f'["ana/{name}-video-1.mp4","ana/{name}-video-2.mp4"]'
    assert (row["status"], row["generated_at"]) == ("Completed", "2026-11-21T12:00:00+00:00")


def test_checkpoints_are_kept_until_the_item_is_done(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    order = placing.place(context, request_two, "ana")
    item = context.store.items(order.generation_id)[0]
    context.store.remember(item, "job", "abc")
    context.store.remember(item, "step", 3)
    assert context.store.recall(item, "job") == "abc"
    assert context.store.items(order.generation_id)[0].checkpoint == {"job": "abc", "step": 3}
    scribbler.fail = {1}
    with pytest.raises(GenerationError):
        lifecycle.run(context, order.generation_id)
    assert context.store.recall(item, "job") == "abc"
    scribbler.fail = set()
    lifecycle.resume(context, order.generation_id)
    assert context.store.recall(item, "job") is None


def test_spending_counts_in_the_month_in_which_it_was_bought(
    context: Context, request_two: Draft, clock: StillClock
) -> None:
    order = placing.place(context, request_two, "ana")
    item = context.store.items(order.generation_id)[0]
    october, november = "2026-10-31T12:00:00+00:00", "2026-11-01T12:00:00+00:00"
    context.store.save_job(item, Job("one", "theirs", "runway", "fetched", 0.25, intended_at=october))
    context.store.fail(order.generation_id, "it broke", clock())
    context.store.reopen(order.generation_id, clock())
    assert context.store.spent("2026-11-01T00:00:00+00:00") == 0
    context.store.save_job(item, Job("two", "theirs", "runway", "fetched", 0.5, intended_at=november))
    assert context.store.spent("2026-11-01T00:00:00+00:00") == 0.5
    assert context.store.spent("2026-10-01T00:00:00+00:00") == 0.75


def test_an_empty_store_beside_files_of_orders_is_refused(context: Context, request_two: Draft) -> None:
    lifecycle.generate(context, request_two, "ana")
    context.store.close()
    for path in context.content.root.glob("aigen.db*"):
        path.unlink()
    context.content.database.touch()
    with pytest.raises(StoreError, match="is empty, but files of orders are beside it"):
        Store.open(context.content)
    assert context.content.database.stat().st_size == 0
    for path in context.content.user("ana").iterdir():
        path.unlink()
    Store.open(context.content, create=True).close()


def test_a_store_that_is_removed_while_an_order_is_made_is_said(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    def remove(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 2):
            for path in context.content.root.glob("aigen.db*"):
                path.unlink()

    scribbler.before = remove
    with pytest.raises(StoreError, match="was removed"):
        lifecycle.generate(context, request_two, "ana")


@pytest.mark.parametrize("is_whole", [True, False], ids=["closed", "with a write-ahead log"])
def test_a_folder_that_cannot_be_written_can_be_looked_at(
    context: Context, request_two: Draft, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    if is_whole:
        context.store.close()
    before = {path.name: path.read_bytes() for path in context.content.root.glob("aigen.db*")}
    monkeypatch.setattr("aigen.store.database.is_writable", lambda folder: False)
    with Store.open(context.content) as store:
        assert store.generations() == [order]
        assert len(store.items(order.generation_id)) == 4
        with pytest.raises(ContentError, match="is read-only: it can only be viewed"):
            store.cancel(order.generation_id)
    for command in (["status"], ["users", "list"], ["notices"], ["costs"]):
        done = run_aigen(*command, "--content", context.content.root)
        assert done.returncode == 0, done.stderr
    assert order.generation_id in run_aigen("status", "--content", context.content.root).stdout
    assert {path.name: path.read_bytes() for path in context.content.root.glob("aigen.db*")} == before
