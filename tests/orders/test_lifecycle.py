import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from aigen.errors import AlreadyRunning, Cancelled, ContentError, GenerationError, Interrupted, UsageError
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.types.pipeline import Run, Task
from aigen.types.reports import Placed, Report, Started
from aigen.types.request import Draft
from tests.conftest import Scribbler, files_in, left_in_work, wait_for


def test_a_failed_item_fails_the_order_but_not_the_others(
    context: Context, request_two: Draft, scribbler: Scribbler
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
    context: Context, request_two: Draft, scribbler: Scribbler
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
    context: Context, request_two: Draft, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scribbler.generate

    def only_one(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        yield next(whole(self, task, run))

    monkeypatch.setattr(Scribbler, "generate", only_one)
    with pytest.raises(GenerationError, match="without making image 2"):
        lifecycle.generate(context, request_two, "ana")
    assert [order.status for order in context.store.generations()] == ["Failed"]


def test_ctrl_c_leaves_an_interrupted_order_that_resume_finishes(
    context: Context, request_two: Draft, scribbler: Scribbler
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
    context: Context, request_two: Draft, scribbler: Scribbler, number: int
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
    context: Context, request_two: Draft, scribbler: Scribbler
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
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    order = placing.place(context, request_two, "ana")
    stray = context.content.user("ana") / f"{order.generation_id}-image-1.png"  # as a crash before its row leaves it
    stray.parent.mkdir()
    stray.touch()
    context.content.work(order.generation_id).mkdir(parents=True)
    lifecycle.cancel(context, order.generation_id)
    assert not stray.exists()
    assert left_in_work(context.content.root) == []


def test_only_one_process_runs_an_order(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana")
    with placing.hold(context.content, order.generation_id):
        assert not lifecycle.is_interrupted(context, order)
        with pytest.raises(AlreadyRunning, match=order.generation_id):
            lifecycle.resume(context, order.generation_id)


def test_an_order_is_never_taken_for_interrupted_before_it_starts(context: Context, request_two: Draft) -> None:
    seen: list[bool] = []

    def look(report: Report) -> None:
        if isinstance(report, Placed | Started):
            seen.append(lifecycle.is_interrupted(context, report.generation))

    lifecycle.generate(replace(context, report=look), request_two, "ana")
    assert seen == [False, False]


def test_tidy_removes_what_ended_orders_left(context: Context, request_two: Draft) -> None:
    done = lifecycle.generate(context, request_two, "ana").generation_id
    placed = placing.place(context, request_two, "ana").generation_id
    for name in (done, placed, "unknown123"):
        context.content.work(name).mkdir(parents=True)
    lifecycle.tidy(context)
    assert context.content.works() == [placed]


def test_an_error_that_ctrl_c_caused_counts_as_ctrl_c(
    context: Context, request_two: Draft, scribbler: Scribbler
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


def test_an_order_that_just_ended_is_not_taken_for_interrupted(context: Context, request_two: Draft) -> None:
    """Its row was read while it was being made; when its lock is looked at, it has ended."""
    order = placing.place(context, request_two, "ana")
    assert lifecycle.is_interrupted(context, order)
    lifecycle.resume(context, order.generation_id)
    assert not lifecycle.is_interrupted(context, order)


def test_resuming_what_another_process_completed_is_no_error(context: Context, request_two: Draft) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    assert lifecycle.resume(context, order.generation_id) == order


def test_a_failure_that_was_mended_is_not_told(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    scribbler.fail = {1}
    with pytest.raises(GenerationError):
        lifecycle.generate(context, request_two, "ana")
    scribbler.fail = set()
    (order,) = context.store.generations()
    lifecycle.resume(context, order.generation_id)
    assert [(notice.event, notice.state) for notice in context.store.notices(order.generation_id)] == [
        ("completed", "ready")
    ]


def test_an_order_is_completed_only_when_its_files_are_there(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    def lose(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("video", 2):
            wait_for(lambda: context.store.items(context.store.generations()[0].generation_id)[2].state == "done")
            shutil.rmtree(context.content.user("ana"))

    scribbler.before = lose
    with pytest.raises(GenerationError, match=r"image 1, image 2.*: its file is gone"):
        lifecycle.generate(context, request_two, "ana")
    (order,) = context.store.generations()
    assert order.status == "Failed"
    scribbler.before = lambda task, run, number: None
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert all(context.content.file(item.path or "").exists() for item in context.store.items(order.generation_id))


def test_resume_makes_the_missing_files_of_a_completed_order(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    order = lifecycle.generate(context, request_two, "ana")
    before = {path.name: path.read_bytes() for path in context.content.user("ana").iterdir()}
    context.content.file(context.store.items(order.generation_id)[1].path or "").unlink()
    scribbler.made.clear()
    assert lifecycle.resume(context, order.generation_id).status == "Completed"
    assert scribbler.made == [("image", 2)]
    assert {path.name: path.read_bytes() for path in context.content.user("ana").iterdir()} == before
