import pytest
from conftest import Scribbler

from aigen.errors import AlreadyRunning, Interrupted
from aigen.orders import lifecycle, placing, worker
from aigen.orders.context import Workshop
from aigen.orders.lifecycle import ATTEMPTS
from aigen.types.pipeline import Run, Task
from aigen.types.request import GenerationRequest


def no_sleep(seconds: float) -> None:
    pass


def test_it_makes_detached_orders_oldest_first_and_leaves_others(
    workshop: Workshop, request_two: GenerationRequest
) -> None:
    first = placing.place(workshop, request_two, "ana", detached=True)
    second = placing.place(workshop, request_two, "bob", detached=True)
    foreground = placing.place(workshop, request_two, "ana")
    worker.work(workshop, no_sleep, once=True)
    states = {order.generation_id: order.status for order in workshop.store.generations()}
    assert states == {
        first.generation_id: "Completed",
        second.generation_id: "Completed",
        foreground.generation_id: "Processing",
    }


def test_a_failed_order_does_not_stop_the_next(
    workshop: Workshop, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    placing.place(workshop, GenerationRequest(prompt="bad", images=1, videos=0), "ana", detached=True)
    placing.place(workshop, request_two, "ana", detached=True)

    def refuse(task: Task, run: Run, number: int) -> None:
        if task.prompt == "bad":
            raise RuntimeError("no")

    scribbler.before = refuse
    worker.work(workshop, no_sleep, once=True)
    assert [order.status for order in workshop.store.generations()] == ["Failed", "Completed"]


def test_an_order_whose_worker_died_is_tried_again_but_not_for_ever(
    workshop: Workshop, request_two: GenerationRequest
) -> None:
    order = placing.place(workshop, request_two, "ana", detached=True)
    for _ in range(ATTEMPTS):
        workshop.store.start(order.generation_id, detached=True)  # and then it was killed
    worker.work(workshop, no_sleep, once=True)
    (failed,) = workshop.store.generations()
    assert failed.status == "Failed"
    assert failed.error is not None
    assert "died 3 times" in failed.error
    assert lifecycle.resume(workshop, order.generation_id).status == "Completed"


def test_a_worker_that_is_ended_politely_gives_the_attempt_back(
    workshop: Workshop, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    order = placing.place(workshop, request_two, "ana", detached=True)

    def press(task: Task, run: Run, number: int) -> None:
        raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        worker.work(workshop, no_sleep, once=True)
    found = lifecycle.find(workshop.store, order.generation_id)
    assert (found.attempts, found.status) == (0, "Processing")
    assert [waiting.generation_id for waiting in worker.waiting(workshop)] == [order.generation_id]


def test_only_one_worker_at_a_time(workshop: Workshop) -> None:
    with workshop.content.lock("worker"):
        assert worker.is_running(workshop.content)
        with pytest.raises(AlreadyRunning):
            worker.work(workshop, no_sleep, once=True)


def test_it_ends_after_a_while_without_work(workshop: Workshop) -> None:
    slept: list[float] = []
    worker.work(workshop, slept.append, idle_limit=0.01)
    assert not worker.is_running(workshop.content)


def test_an_order_placed_as_it_ends_is_not_left_lying(
    workshop: Workshop, request_two: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look for work and the release of the lock, an order comes: it finds a worker that still runs."""
    whole = worker._work_until_idle
    orders: list[str] = []

    def late_order(*arguments: object) -> None:
        whole(*arguments)  # type: ignore[arg-type]
        if not orders:
            orders.append(placing.place(workshop, request_two, "ana", detached=True).generation_id)

    monkeypatch.setattr(worker, "_work_until_idle", late_order)
    worker.work(workshop, no_sleep, idle_limit=0.0)
    assert lifecycle.find(workshop.store, orders[0]).status == "Completed"


def test_an_order_that_was_taken_since_it_was_listed_is_left_alone(
    workshop: Workshop, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    """While the worker makes the first, the second is resumed in the foreground, and that is interrupted."""
    placing.place(workshop, request_two, "ana", detached=True)
    second = placing.place(workshop, GenerationRequest(prompt="second"), "ana", detached=True)

    def resume_second(task: Task, run: Run, number: int) -> None:
        if task.prompt == "a kite":
            workshop.store.start(second.generation_id, detached=False)

    scribbler.before = resume_second
    worker.work(workshop, no_sleep, once=True)
    found = lifecycle.find(workshop.store, second.generation_id)
    assert (found.status, found.detached) == ("Processing", False)
    assert not workshop.store.start(second.generation_id, detached=True), "the store refuses it too"


def test_an_order_in_other_hands_is_not_given_up(workshop: Workshop, request_two: GenerationRequest) -> None:
    order = placing.place(workshop, request_two, "ana", detached=True)
    for _ in range(ATTEMPTS):
        workshop.store.start(order.generation_id, detached=True)
    with placing.hold(workshop.content, order.generation_id):
        worker._work_on(workshop, order.generation_id)
    assert lifecycle.find(workshop.store, order.generation_id).status == "Processing"
