from dataclasses import replace

import pytest

from aigen import pipelines
from aigen.errors import Cancelled, GenerationError
from aigen.orders import lifecycle
from aigen.orders.context import Context
from aigen.types.pipeline import ImageSpec, Run, Task
from aigen.types.reports import Report, Waiting
from aigen.types.request import Draft, Size
from tests.conftest import Scribbler


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look ten times as often whether the device is free."""
    monkeypatch.setattr("aigen.orders.device.HEARTBEAT", 0.1)


def is_held(context: Context) -> bool:
    return context.content.is_locked("device")


def test_an_order_waits_for_the_device_and_says_so_once(context: Context, request_two: Draft) -> None:
    told: list[Report] = []
    steps: list[str | None] = []

    def report(event: Report) -> None:
        told.append(event)
        if isinstance(event, Waiting):
            steps.append(context.store.generations()[0].step)
            device.release()

    device = context.content.lock("device")
    device.acquire()
    assert lifecycle.generate(replace(context, report=report), request_two, "ana").status == "Completed"
    assert [event.text for event in told if isinstance(event, Waiting)] == [
        "another order is being made; this one starts when it has finished"
    ]
    assert steps == ["waiting for another order to finish"]


def test_who_waits_can_be_cancelled(context: Context, request_two: Draft) -> None:
    def cancel(event: Report) -> None:
        if isinstance(event, Waiting):
            context.store.cancel(context.store.generations()[0].generation_id)

    with context.content.lock("device"), pytest.raises(Cancelled):
        lifecycle.generate(replace(context, report=cancel), request_two, "ana")


def test_what_is_made_elsewhere_waits_for_nobody(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    scribbler.local = False
    with context.content.lock("device"):
        assert lifecycle.generate(context, request_two, "ana").status == "Completed"


def test_the_device_is_held_for_what_is_made_here_alone(context: Context, request_two: Draft) -> None:
    """Also for the pictures that something made elsewhere starts from, and not for those that are made elsewhere."""
    held: list[tuple[str, str, bool]] = []

    def having_pictures_made(name: str, local: bool) -> Scribbler:
        def before(task: Task, run: Run, number: int) -> None:
            held.append((name, task.kind, is_held(context)))
            if task.kind == "video":
                run.images(task.seeds[0], [ImageSpec("a kite", "plain", 1, 1000, Size(16, 16))], 0.0, 0.5)
                held.append((name, "then", is_held(context)))

        return Scribbler(local=local, before=before)

    here, elsewhere = having_pictures_made("here", True), having_pictures_made("elsewhere", False)
    both = replace(context, load=lambda name, settings: here if name == "here" else elsewhere)
    asked = replace(request_two, images=0, videos=1)
    here.starts_from = "picture"
    lifecycle.generate(both, replace(asked, image_model="elsewhere", video_model="here"), "ana")
    assert held == [("here", "video", True), ("elsewhere", "image", False), ("here", "then", True)]
    held.clear()
    here.starts_from, elsewhere.starts_from = "prompt", "picture"
    lifecycle.generate(both, replace(asked, image_model="here", video_model="elsewhere"), "ana")
    assert held == [("elsewhere", "video", False), ("here", "image", True), ("elsewhere", "then", False)]
    assert not is_held(context)


def test_an_error_leaves_the_device(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    def fail(task: Task, run: Run, number: int) -> None:
        assert is_held(context)
        raise ZeroDivisionError

    scribbler.before = fail
    with pytest.raises(GenerationError, match="ZeroDivisionError"):
        lifecycle.generate(context, request_two, "ana")
    assert not is_held(context)


def test_weights_are_let_go_of_before_work_elsewhere(
    context: Context, request_two: Draft, scribbler: Scribbler, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[bool] = []
    monkeypatch.setattr(pipelines, "release", lambda: released.append(True))
    lifecycle.generate(context, request_two, "ana")
    assert released == []
    scribbler.local = False
    lifecycle.generate(context, request_two, "ana")
    assert released
