from collections.abc import Iterator
from dataclasses import replace

import pytest

from aigen.errors import Interrupted
from aigen.orders import lifecycle, placing, tasks
from aigen.orders.context import Context
from aigen.orders.run import OrderRun
from aigen.types.pipeline import ImageSpec, Picture, Run, Task
from aigen.types.reports import Report, Started, Step
from aigen.types.request import GenerationRequest, Size
from tests.conftest import Scribbler, StillClock, scribble


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


def test_a_picture_that_an_earlier_version_made_is_not_made_again(
    context: Context, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    order = placing.place(context, replace(request_two, images=1, videos=0), "ana")
    items = context.store.items(order.generation_id)
    work = context.content.work(order.generation_id)
    (work / "pictures" / "1-1").mkdir(parents=True)
    path = scribble("image", work / "pictures" / "1-1" / "image-1")
    kept = {"name": "1-1/image-1.png", "media": "algorithmicMedia", "parameters": {"pen": "red"}}
    context.store.remember(items[0], "picture-1", kept)
    task = replace(tasks.task_of(order.request, "image", scribbler, items), work=work)
    run = OrderRun(context, order, task, items, None).run
    spec = ImageSpec("a kite", "plain", 1, 5, Size(16, 16))
    assert run.images(5, [spec], 0.0, 1.0) == [Picture(path, "storybook", "algorithmicMedia", {"pen": "red"})]
    assert scribbler.made == []


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
