from collections.abc import Iterator
from dataclasses import replace

import pytest

from aigen.errors import Cancelled, GenerationError, Interrupted
from aigen.orders import lifecycle, placing, tasks
from aigen.orders.context import Context
from aigen.orders.device import Device
from aigen.orders.run import OrderRun
from aigen.types.pipeline import Failure, ImageSpec, Job, Output, Picture, Run, Task
from aigen.types.reports import Report, Started, Step
from aigen.types.request import Draft, Size
from tests.conftest import Scribbler, StillClock, scribble


def test_progress_names_the_item_in_hand(context: Context, request_two: Draft) -> None:
    reports: list[Report] = []
    lifecycle.generate(replace(context, report=reports.append), request_two, "ana")
    steps = [(report.item.name, report.text) for report in reports if isinstance(report, Step)]
    assert steps == [(name, "scribbling") for name in ("image 1", "image 2", "video 1", "video 2")]


def test_a_job_survives_crash_failure_and_cancelling(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    known: list[Job | None] = []

    def buy(task: Task, run: Run, number: int) -> None:
        if (task.kind, number) == ("image", 1):
            known.append(job := run.job(task.seeds[0]))
            if job is None:
                run.save_job(task.seeds[0], Job("key-1"))
                raise KeyboardInterrupt
            run.save_job(task.seeds[0], Job("key-1", "theirs-1", "example.org", "submitted", 0.25))
            scribbler.fail = {1}

    scribbler.before = buy
    with pytest.raises(Interrupted):
        lifecycle.generate(context, request_two, "ana")
    (order,) = lifecycle.interrupted(context)
    with pytest.raises(GenerationError, match="the pen broke"):
        lifecycle.resume(context, order.generation_id)
    bought = Job("key-1", "theirs-1", "example.org", "submitted", 0.25, intended_at="2026-11-21T12:00:00+00:00")
    item = context.store.items(order.generation_id)[0]
    assert (item.state, item.job, item.cost) == ("failed", {"item": bought}, 0.25)
    with pytest.raises(GenerationError, match="the pen broke"):
        lifecycle.resume(context, order.generation_id)
    assert known == [None, Job("key-1", intended_at=bought.intended_at), bought]
    lifecycle.cancel(context, order.generation_id)
    assert context.store.job(item) == bought


def test_what_an_item_cost_is_the_sum_of_its_parts(
    context: Context, request_two: Draft, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is paid for the pictures of a video counts, also where one of them could not be made."""
    whole = Scribbler.generate
    video = Scribbler(kinds=("video",), starts_from="picture")

    def paid(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        for output in whole(self, task, run):
            yield replace(output, cost=0.5) if isinstance(output, Output) else output

    def have_pictures_made(task: Task, run: Run, number: int) -> None:
        specs = [ImageSpec("a kite", "plain", place, 1000 + place, Size(16, 16)) for place in (1, 2, 3)]
        run.images(task.seeds[number - 1], specs, 0.0, 0.5)

    def buy(task: Task, run: Run, number: int) -> None:
        if task.seeds[0] > 1000:
            run.save_job(task.seeds[0], Job(f"key-{number}", f"theirs-{number}", cost=0.25))

    monkeypatch.setattr(Scribbler, "generate", paid)
    video.before, scribbler.before, scribbler.fail = have_pictures_made, buy, {3}
    both = replace(context, load=lambda name, settings: video if name == "video" else scribbler)
    asked = replace(request_two, images=1, videos=1, image_model="image", video_model="video")
    order = lifecycle.generate(both, asked, "ana")
    image, film = context.store.items(order.generation_id)
    assert (image.cost, image.job["item"].cost) == (0.5, 0.5)
    assert film.cost == 0.5 + 0.5 + 0.5 + 0.25
    assert film.job["picture-2"] == Job("key-2", "theirs-2", cost=0.5)
    assert film.job["picture-3"] == Job("key-3", "theirs-3", cost=0.25)


def test_what_was_paid_is_kept_of_cancelled_orders_and_of_replaced_jobs(
    context: Context, request_two: Draft, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scribbler.generate

    def cancelled(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        for output in whole(self, task, run):
            assert isinstance(output, Output)
            for key in ("key-1", "key-2"):
                run.save_job(output.seed, Job(key, "theirs", cost=0.25))
            context.store.cancel(context.store.generations()[0].generation_id)
            yield replace(output, cost=0.5)

    monkeypatch.setattr(Scribbler, "generate", cancelled)
    with pytest.raises(Cancelled):
        lifecycle.generate(context, request_two, "ana")
    item = context.store.items(context.store.generations()[0].generation_id)[0]
    assert (item.state, item.paid, item.cost) == ("planned", 0.75, 0.75)
    assert item.job == {
        "item": Job("key-2", "theirs", cost=0.5), "item~key-1": Job("key-1", "theirs", cost=0.25),
    }  # fmt: skip


def test_of_a_failed_item_what_was_made_for_it_is_not_made_again(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    video = Scribbler(kinds=("video",), starts_from="picture")

    def have_pictures_made(task: Task, run: Run, number: int) -> None:
        specs = [ImageSpec("a kite", "plain", place, 1000 + place, Size(16, 16)) for place in (1, 2, 3)]
        video.fail = {1} if any(isinstance(each, Failure) for each in run.images(5, specs, 0.0, 0.5)) else set()

    video.before, scribbler.fail = have_pictures_made, {3}
    both = replace(context, load=lambda name, settings: video if name == "video" else scribbler)
    asked = replace(request_two, images=0, videos=1, image_model="image", video_model="video")
    with pytest.raises(GenerationError, match="the pen broke"):
        lifecycle.generate(both, asked, "ana")
    scribbler.fail = set()
    (order,) = context.store.generations()
    assert lifecycle.resume(both, order.generation_id).status == "Completed"
    assert scribbler.made == [("image", 1), ("image", 2), ("image", 3)]


def test_cancelling_reaches_a_pipeline_where_it_stands(
    context: Context, request_two: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, closed = Scribbler.generate, []

    def with_something_open(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        try:
            for output in whole(self, task, run):
                context.store.cancel(context.store.generations()[0].generation_id)
                yield output
        finally:
            closed.append(task.kind)

    monkeypatch.setattr(Scribbler, "generate", with_something_open)
    with pytest.raises(Cancelled) as raised:
        lifecycle.generate(context, request_two, "ana")
    assert closed == ["image"]  # while the error, which holds what was in the making, is still there
    assert raised


def test_a_picture_that_an_earlier_version_made_is_not_made_again(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    order = placing.place(context, replace(request_two, images=1, videos=0), "ana")
    items = context.store.items(order.generation_id)
    work = context.content.work(order.generation_id)
    (work / "pictures" / "1-1").mkdir(parents=True)
    path = scribble("image", work / "pictures" / "1-1" / "image-1")
    kept = {"name": "1-1/image-1.png", "media": "algorithmicMedia", "parameters": {"pen": "red"}}
    context.store.remember(items[0], "picture-1", kept)
    task = replace(tasks.task_of(order.request, "image", scribbler, items), work=work)
    run = OrderRun(context, order, task, items, None, Device(context, order.generation_id))
    spec = ImageSpec("a kite", "plain", 1, 5, Size(16, 16))
    assert run.images(5, [spec], 0.0, 1.0) == [Picture(path, "storybook", "algorithmicMedia", {"pen": "red"})]
    assert scribbler.made == []


def test_a_step_after_the_last_output_is_harmless(
    context: Context, request_two: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Scribbler.generate

    def tidy_up_after(self: Scribbler, task: Task, run: Run) -> Iterator[object]:
        yield from whole(self, task, run)
        run.step(1, 1, "putting the pens away")
        run.check()
        run.save_job(task.seeds[0], Job("pens"))

    monkeypatch.setattr(Scribbler, "generate", tidy_up_after)
    assert lifecycle.generate(context, request_two, "ana").status == "Completed"


def test_how_long_a_model_takes_is_known_to_the_next_order(
    context: Context,
    request_two: Draft,
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
    request_two: Draft,
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
