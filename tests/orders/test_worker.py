import pytest

from aigen.errors import AlreadyRunning, Interrupted
from aigen.orders import lifecycle, placing, worker
from aigen.orders.context import Context
from aigen.orders.lifecycle import ATTEMPTS
from aigen.types.pipeline import Run, Task
from aigen.types.request import Draft
from tests.conftest import Scribbler


def no_sleep(seconds: float) -> None:
    pass


def test_it_makes_detached_orders_oldest_first_and_leaves_others(context: Context, request_two: Draft) -> None:
    first = placing.place(context, request_two, "ana", detached=True)
    second = placing.place(context, request_two, "bob", detached=True)
    foreground = placing.place(context, request_two, "ana")
    worker.work(context, no_sleep, once=True)
    states = {order.generation_id: order.status for order in context.store.generations()}
    assert states == {
        first.generation_id: "Completed",
        second.generation_id: "Completed",
        foreground.generation_id: "Processing",
    }


def test_a_failed_order_does_not_stop_the_next(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    placing.place(context, Draft(prompt="bad", images=1, videos=0), "ana", detached=True)
    placing.place(context, request_two, "ana", detached=True)

    def refuse(task: Task, run: Run, number: int) -> None:
        if task.prompt == "bad":
            raise RuntimeError("no")

    scribbler.before = refuse
    worker.work(context, no_sleep, once=True)
    assert [order.status for order in context.store.generations()] == ["Failed", "Completed"]


def test_an_order_whose_worker_died_is_tried_again_but_not_for_ever(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana", detached=True)
    for _ in range(ATTEMPTS):
        context.store.start(order.generation_id, detached=True)  # and then it was killed
    worker.work(context, no_sleep, once=True)
    (failed,) = context.store.generations()
    assert failed.status == "Failed"
    assert failed.error is not None
    assert "died 3 times" in failed.error
    assert lifecycle.resume(context, order.generation_id).status == "Completed"


def test_a_worker_that_is_ended_politely_gives_the_attempt_back(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    order = placing.place(context, request_two, "ana", detached=True)

    def press(task: Task, run: Run, number: int) -> None:
        raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        worker.work(context, no_sleep, once=True)
    found = lifecycle.find(context.store, order.generation_id)
    assert (found.attempts, found.status) == (0, "Processing")
    assert [waiting.generation_id for waiting in worker.waiting(context)] == [order.generation_id]


def test_only_one_worker_at_a_time(context: Context) -> None:
    with context.content.lock("worker"):
        assert worker.is_running(context.content)
        with pytest.raises(AlreadyRunning):
            worker.work(context, no_sleep, once=True)


def test_it_ends_after_a_while_without_work(context: Context) -> None:
    slept: list[float] = []
    worker.work(context, slept.append, idle_limit=0.01)
    assert not worker.is_running(context.content)


def test_an_order_placed_as_it_ends_is_not_left_lying(
    context: Context, request_two: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look for work and the release of the lock, an order comes: it finds a worker that still runs."""
    whole = worker._work_until_idle
    orders: list[str] = []

    def late_order(*arguments: object) -> None:
        whole(*arguments)  # type: ignore[arg-type]
        if not orders:
            orders.append(placing.place(context, request_two, "ana", detached=True).generation_id)

    monkeypatch.setattr(worker, "_work_until_idle", late_order)
    worker.work(context, no_sleep, idle_limit=0.0)
    assert lifecycle.find(context.store, orders[0]).status == "Completed"


def test_an_order_that_was_taken_since_it_was_listed_is_left_alone(
    context: Context, request_two: Draft, scribbler: Scribbler
) -> None:
    """While the worker makes the first, the second is resumed in the foreground, and that is interrupted."""
    placing.place(context, request_two, "ana", detached=True)
    second = placing.place(context, Draft(prompt="second"), "ana", detached=True)

    def resume_second(task: Task, run: Run, number: int) -> None:
        if task.prompt == "a kite":
            context.store.start(second.generation_id, detached=False)

    scribbler.before = resume_second
    worker.work(context, no_sleep, once=True)
    found = lifecycle.find(context.store, second.generation_id)
    assert (found.status, found.detached) == ("Processing", False)
    assert not context.store.start(second.generation_id, detached=True), "the store refuses it too"


def test_an_order_in_other_hands_is_not_given_up(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana", detached=True)
    for _ in range(ATTEMPTS):
        context.store.start(order.generation_id, detached=True)
    with placing.hold(context.content, order.generation_id):
        worker._work_on(context, order.generation_id)
    assert lifecycle.find(context.store, order.generation_id).status == "Processing"
