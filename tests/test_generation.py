import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import Scribbler, StillClock, files_in, left_in_work, wait_for

from aigen import pipelines
from aigen.errors import AlreadyRunning, Cancelled, ContentError, GenerationError, Interrupted, UsageError
from aigen.media import provenance, thumbnails
from aigen.orders import deletion, lifecycle, placing
from aigen.orders.context import Context
from aigen.types.pipeline import Pipeline, Provenance, Run, Task
from aigen.types.reports import Placed, Report, Said, Started, Step
from aigen.types.request import SEED_LIMIT, GenerationRequest
from aigen.types.rows import Item


def test_an_order_becomes_files_and_rows(context: Context, request_two: GenerationRequest) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    assert (order.status, order.generated_at, order.attempts) == ("Completed", "2026-11-21T12:00:00+00:00", 1)
    assert list(files_in(context.content.root)) == [
        "ana/image-1.png", "ana/image-2.png", "ana/video-1.mp4", "ana/video-2.mp4",
    ]  # fmt: skip
    items = context.store.items(order.generation_id)
    assert [(item.kind, item.number, item.seed, item.state) for item in items] == [
        ("image", 1, 5, "done"),
        ("image", 2, 6, "done"),
        ("video", 1, 5, "done"),
        ("video", 2, 6, "done"),
    ]
    assert items[1].parameters == {"number": 2, "style": "plain", "size": "1024x1024", "pen": "blue"}
    assert items[2].parameters == {
        "number": 1, "style": "plain", "size": "1280x720", "duration": 4.0, "fps": 24, "pen": "blue",
    }  # fmt: skip
    for item in items:
        assert item.path
        said = provenance.read(context.content.file(item.path))
        assert said == Provenance(
            item.kind, "a kite", "storybook", item.seed, "algorithmicMedia", item.parameters or {}
        )
    assert left_in_work(context.content.root) == []


def test_a_made_user_id_is_long_and_typable(context: Context, request_two: GenerationRequest) -> None:
    first, second = (placing.place(context, request_two, None).user_id for _ in range(2))
    assert first != second
    assert len(first.replace("-", "")) == 20
    assert all(user["made"] for user in context.store.users())


def test_the_request_is_frozen_with_seed_models_and_time(context: Context) -> None:
    request = GenerationRequest(prompt="x", videos=0, notify_at="2030-01-01T00:00Z")
    frozen = placing.place(context, request, "ana").request
    assert (frozen.image_model, frozen.video_model, frozen.model) == ("storybook", None, None)
    assert frozen.seed is not None
    assert frozen.notify_at == "2030-01-01T00:00:00+00:00"
    assert placing.check(frozen, "ana") == frozen


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "nonesuch"}, "storybook"),
        ({"image_model": "nonesuch"}, "nonesuch"),
        ({"style": "cubist"}, "watercolour"),
        ({"notify_at": "25:00"}, "25:00"),
    ],
)
def test_bad_names_are_refused_naming_those_that_exist(changes: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        placing.check(GenerationRequest(prompt="x", **changes), "ana")  # type: ignore[arg-type]


def test_a_model_that_makes_no_videos_is_refused_for_them(scribbler: Scribbler) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    request = GenerationRequest(prompt="x", video_model="scribbler")
    with pytest.raises(UsageError, match="makes no videos"):
        placing.check(request, "ana", load=lambda name: pictures_only)
    assert placing.check(replace(request, videos=0), "ana", load=lambda name: pictures_only)


def test_of_a_model_for_everything_that_makes_no_videos_its_pictures_are_set_in_motion(scribbler: Scribbler) -> None:
    pictures_only = replace(scribbler, kinds=("image",))

    def load(name: str) -> Pipeline:
        return pictures_only if name == "scribbler" else scribbler

    checked = placing.check(GenerationRequest(prompt="x", model="scribbler"), "ana", load=load)
    assert (checked.image_model, checked.video_model) == ("scribbler", "motion")
    default = placing.check(GenerationRequest(prompt="x"), "ana", "scribbler", load=load)
    assert (default.image_model, default.video_model) == ("scribbler", "motion")


def test_videos_are_by_the_model_of_the_images_where_that_makes_both(
    scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures_only = replace(scribbler, kinds=("image",))
    monkeypatch.setattr(pipelines, "_installed", lambda kind, suits=None: "pictures" if kind == "image" else None)

    def load(name: str) -> Pipeline:
        return pictures_only if name == "pictures" else scribbler

    def chosen(**named: Any) -> tuple[str | None, str | None]:
        request = placing.check(GenerationRequest(prompt="x", **named), "ana", load=load)
        return request.image_model, request.video_model

    assert chosen() == ("pictures", "motion")
    assert chosen(image_model="storybook") == ("storybook", "storybook")
    assert chosen(image_model="pictures") == ("pictures", "motion")
    assert chosen(video_model="storybook") == ("pictures", "storybook")


def test_an_option_that_no_model_heeds_is_refused(scribbler: Scribbler) -> None:
    request = GenerationRequest(prompt="x", steps=3)
    with pytest.raises(UsageError, match="steps means nothing to storybook"):
        placing.check(request, "ana", load=lambda name: scribbler)
    heeding = replace(scribbler, options=frozenset({"steps"}))
    assert placing.check(request, "ana", load=lambda name: heeding).steps == 3


def test_a_failed_item_fails_the_order_but_not_the_others(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    scribbler.fail = {1}
    with pytest.raises(GenerationError, match="image 1, video 1: the pen broke"):
        lifecycle.generate(context, request_two, "ana")
    (order,) = context.store.generations()
    assert order.status == "Failed"
    assert order.error is not None
    assert "video 1: the pen broke" in order.error
    assert scribbler.made == [("image", 2), ("video", 2)]
    assert lifecycle.interrupted(context) == []

    scribbler.fail = set()
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert scribbler.made == [("image", 2), ("video", 2), ("image", 1), ("video", 1)]
    assert left_in_work(context.content.root) == []


def test_an_exception_ends_the_order_and_names_itself(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    def explode(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("video", 1):
            raise RuntimeError("out of colours")

    scribbler.before = explode
    with pytest.raises(GenerationError, match="RuntimeError: out of colours"):
        lifecycle.generate(context, request_two, "ana")
    (order,) = context.store.generations()
    assert (order.status, order.error) == ("Failed", "RuntimeError: out of colours")
    assert scribbler.made == [("image", 1), ("image", 2)]


def test_a_pipeline_that_stops_early_fails_the_order(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scribbler.generate

    def only_one(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        yield next(whole(self, task, run))

    monkeypatch.setattr(Scribbler, "generate", only_one)
    with pytest.raises(GenerationError, match="without making image 2"):
        lifecycle.generate(context, request_two, "ana")
    assert [order.status for order in context.store.generations()] == ["Failed"]


def test_ctrl_c_leaves_an_interrupted_order_that_resume_finishes(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    def press(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("video", 2):
            raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted, match="aigen resume"):
        lifecycle.generate(context, request_two, "ana")
    (order,) = lifecycle.interrupted(context)
    assert order.status == "Processing"
    assert len(files_in(context.content.root)) == 3

    scribbler.before = Scribbler.before
    lifecycle.resume(context, order.generation_id)
    assert scribbler.made == [("image", 1), ("image", 2), ("video", 1), ("video", 2)]
    assert lifecycle.interrupted(context) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_and_the_order_can_be_resumed(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler, number: int
) -> None:
    def fill(task: Task, run: Run, item: int) -> None:
        if (task.kind, item) == ("image", 2):
            raise OSError(number, os.strerror(number))

    scribbler.before = fill
    with pytest.raises(ContentError, match="full"):
        lifecycle.generate(context, request_two, "ana")
    (order,) = lifecycle.interrupted(context)
    scribbler.before = Scribbler.before
    assert lifecycle.resume(context, order.generation_id).status == "Completed"


def test_cancel_stops_a_running_order_and_keeps_what_is_finished(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    def cancel(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 2):
            (order,) = context.store.generations()
            wait_for(lambda: context.store.items(order.generation_id)[0].state == "done")
            lifecycle.cancel(context, order.generation_id)
            run.check()

    scribbler.before = cancel
    with pytest.raises(Cancelled):
        lifecycle.generate(context, request_two, "ana")
    (order,) = context.store.generations()
    assert order.status == "Cancelled"
    assert list(files_in(context.content.root)) == ["ana/image-1.png"]
    assert left_in_work(context.content.root) == []
    with pytest.raises(UsageError, match="was cancelled"):
        lifecycle.resume(context, order.generation_id)
    with pytest.raises(UsageError, match="nothing to cancel"):
        lifecycle.cancel(context, order.generation_id)


def test_cancelling_what_nobody_runs_leaves_no_file_behind(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    order = placing.place(context, request_two, "ana")
    stray = context.content.user("ana") / f"{order.generation_id}-image-1.png"  # as a crash before its row leaves it
    stray.parent.mkdir()
    stray.touch()
    context.content.work(order.generation_id).mkdir(parents=True)
    lifecycle.cancel(context, order.generation_id)
    assert not stray.exists()
    assert left_in_work(context.content.root) == []


def test_only_one_process_runs_an_order(context: Context, request_two: GenerationRequest) -> None:
    order = placing.place(context, request_two, "ana")
    with placing.hold(context.content, order.generation_id):
        assert not lifecycle.is_interrupted(context, order)
        with pytest.raises(AlreadyRunning, match=order.generation_id):
            lifecycle.resume(context, order.generation_id)


def test_an_order_is_never_taken_for_interrupted_before_it_starts(
    context: Context, request_two: GenerationRequest
) -> None:
    seen: list[bool] = []

    def look(report: Report) -> None:
        if isinstance(report, Placed | Started):
            seen.append(lifecycle.is_interrupted(context, report.generation))

    lifecycle.generate(replace(context, report=look), request_two, "ana")
    assert seen == [False, False]


def test_tidy_removes_what_ended_orders_left(context: Context, request_two: GenerationRequest) -> None:
    done = lifecycle.generate(context, request_two, "ana").generation_id
    placed = placing.place(context, request_two, "ana").generation_id
    for name in (done, placed, "unknown123"):
        context.content.work(name).mkdir(parents=True)
    lifecycle.tidy(context)
    assert context.content.works() == [placed]


def test_progress_names_the_item_in_hand(context: Context, request_two: GenerationRequest) -> None:
    reports: list[Report] = []
    lifecycle.generate(replace(context, report=reports.append), request_two, "ana")
    steps = [(report.item.name, report.text) for report in reports if isinstance(report, Step)]
    assert steps == [(name, "scribbling") for name in ("image 1", "image 2", "video 1", "video 2")]


def test_a_checkpoint_survives_for_the_next_attempt(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    recalled: list[object] = []

    def remember_and_die(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 1):
            recalled.append(run.recall(task.seeds[0], "job"))
            run.remember(task.seeds[0], "job", "remote-1")
            if len(recalled) == 1:
                raise KeyboardInterrupt

    scribbler.before = remember_and_die
    with pytest.raises(Interrupted):
        lifecycle.generate(context, request_two, "ana")
    (order,) = lifecycle.interrupted(context)
    lifecycle.resume(context, order.generation_id)
    assert recalled == [None, "remote-1"]


def test_erasing_a_user_leaves_nothing(context: Context, request_two: GenerationRequest, clock: StillClock) -> None:
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


def test_erasing_keeps_files_that_are_not_ours_and_says_so(context: Context, request_two: GenerationRequest) -> None:
    lifecycle.generate(context, request_two, "photos")
    wedding = context.content.user("photos") / "wedding.jpg"
    wedding.touch()
    assert deletion.erase_user(context, "photos") == ["wedding.jpg"]
    assert [path.name for path in wedding.parent.iterdir()] == ["wedding.jpg"]
    assert context.store.users() == []


def test_an_order_placed_while_its_user_is_erased_goes_too(
    context: Context, request_two: GenerationRequest, monkeypatch: pytest.MonkeyPatch
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
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    def erase(task: Task, run: Run, number: int) -> None:
        context.store.delete_user("ana", [order.generation_id for order in context.store.generations("ana")])

    scribbler.before = erase
    with pytest.raises(Cancelled):
        lifecycle.generate(context, request_two, "ana")
    assert files_in(context.content.root) == {}
    assert left_in_work(context.content.root) == []


def test_an_error_that_ctrl_c_caused_counts_as_ctrl_c(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    """A library that is being imported turns KeyboardInterrupt into an ImportError of its own."""
    pressed: list[bool] = []

    def press(task: Task, run: Run, number: int) -> None:
        pressed.append(True)
        raise ImportError("initialization failed")

    scribbler.before = press
    with pytest.raises(Interrupted):
        lifecycle.generate(replace(context, interrupted=lambda: bool(pressed)), request_two, "ana")
    assert len(lifecycle.interrupted(context)) == 1


def test_an_order_that_just_ended_is_not_taken_for_interrupted(
    context: Context, request_two: GenerationRequest
) -> None:
    """Its row was read while it was being made; when its lock is looked at, it has ended."""
    order = placing.place(context, request_two, "ana")
    assert lifecycle.is_interrupted(context, order)
    lifecycle.resume(context, order.generation_id)
    assert not lifecycle.is_interrupted(context, order)


def test_resuming_what_another_process_completed_is_no_error(context: Context, request_two: GenerationRequest) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    assert lifecycle.resume(context, order.generation_id) == order


def test_a_step_after_the_last_output_is_harmless(
    context: Context, request_two: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scribbler.generate

    def tidy_up_after(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        yield from whole(self, task, run)
        run.step(1, 1, "putting the pens away")
        run.check()
        run.remember(task.seeds[0], "pens", "away")

    monkeypatch.setattr(Scribbler, "generate", tidy_up_after)
    assert lifecycle.generate(context, request_two, "ana").status == "Completed"


def test_a_failure_that_was_mended_is_not_told(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    scribbler.fail = {1}
    with pytest.raises(GenerationError):
        lifecycle.generate(context, request_two, "ana")
    scribbler.fail = set()
    (order,) = context.store.generations()
    lifecycle.resume(context, order.generation_id)
    assert [(notice.event, notice.state) for notice in context.store.notices(order.generation_id)] == [
        ("completed", "ready")
    ]


def test_the_largest_seed_has_room_for_every_item(context: Context) -> None:
    request = GenerationRequest(prompt="x", images=100, videos=0, seed=SEED_LIMIT)
    order = placing.place(context, request, "ana")
    assert max(item.seed for item in context.store.items(order.generation_id)) == 2**32 - 1


def test_numbers_may_start_later_and_seeds_go_on_from_the_first(context: Context) -> None:
    order = lifecycle.generate(context, GenerationRequest(prompt="x", images=2, videos=0, seed=9, first=4), "ana")
    items = context.store.items(order.generation_id)
    assert [(item.number, item.seed) for item in items] == [(4, 9), (5, 10)]
    assert list(files_in(context.content.root)) == ["ana/image-4.png", "ana/image-5.png"]


def test_thumbnails_that_a_crash_prevented_are_made_when_the_order_ends(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(thumbnails, "save_thumbnails", die)
        with pytest.raises(Interrupted):
            lifecycle.generate(context, request_two, "ana")
    assert not context.content.thumbs("ana").exists()
    (order,) = lifecycle.interrupted(context)
    lifecycle.resume(context, order.generation_id)
    assert scribbler.made.count(("image", 1)) == 1
    for item in context.store.items(order.generation_id):
        assert all(path.exists() for path in thumbnails.thumbnails(context.content, item).values())


def test_a_thumbnail_that_cannot_be_made_is_told_and_stops_nothing(
    context: Context, request_two: GenerationRequest
) -> None:
    (context.content.root / ".thumbs").touch()
    reports: list[Report] = []
    order = lifecycle.generate(replace(context, report=reports.append), request_two, "ana")
    assert order.status == "Completed"
    said = [report.text for report in reports if isinstance(report, Said)]
    assert f"no thumbnail of {order.generation_id}-image-1.png can be made: " in said[0]
    assert left_in_work(context.content.root) == []


def test_thumbnails_of_damaged_files_do_not_keep_an_order_from_its_end(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    def press(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 2):
            raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        lifecycle.generate(context, request_two, "ana")
    (first,) = context.content.user("ana").iterdir()
    first.write_bytes(b"")
    shutil.rmtree(context.content.root / ".thumbs")
    scribbler.before = lambda task, run, number: None
    (order,) = lifecycle.interrupted(context)
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert len(list(context.content.thumbs("ana").iterdir())) == 6


def test_how_long_a_model_takes_is_known_to_the_next_order(
    context: Context,
    request_two: GenerationRequest,
    scribbler: Scribbler,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aigen.orders.run.monotonic", lambda: clock().timestamp())
    scribbler.before = lambda task, run, number: clock.advance(2 if task.kind == "image" else 8)
    pace = context.store.pace
    assert pace("image", "storybook", request_two) is None
    lifecycle.generate(context, request_two, "ana")
    assert pace("image", "storybook", request_two) == 2
    assert pace("video", "storybook", request_two) == 8
    assert pace("video", "sd-turbo", request_two) is None
    assert pace("image", "storybook", replace(request_two, size="64x64")) is None
    assert pace("image", "storybook", replace(request_two, steps=9)) is None
    reports: list[Report] = []
    lifecycle.generate(replace(context, report=reports.append), request_two, "ana")
    (started,) = [report for report in reports if isinstance(report, Started)]
    assert started.paces == {"image": 2, "video": 8}


def test_what_is_of_no_item_such_as_loading_does_not_count(
    context: Context,
    request_two: GenerationRequest,
    scribbler: Scribbler,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aigen.orders.run.monotonic", lambda: clock().timestamp())

    def load_first(task: Task, run: Run, number: int) -> None:
        if number == 1:
            run.step(0, 0, "loading…")
            clock.advance(60)
            run.step(0, 1, "reading the prompt…")
        clock.advance(2)

    scribbler.before = load_first
    lifecycle.generate(context, request_two, "ana")
    assert context.store.pace("image", "storybook", request_two) == 2
