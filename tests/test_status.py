import pytest
from conftest import Scribbler, StillClock

from aigen import generation, status
from aigen.errors import Interrupted
from aigen.generation import Workshop
from aigen.types import GenerationRequest, Run, Task


def test_standings_say_what_to_do_next(
    workshop: Workshop, request_two: GenerationRequest, scribbler: Scribbler
) -> None:
    done = generation.generate(workshop, request_two, "ana")
    waiting = generation.place(workshop, request_two, "ana", detached=True)
    generation.place(workshop, request_two, "bob")

    def press(task: Task, run: Run, number: int) -> None:
        raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        generation.generate(workshop, request_two, "ana")

    first, second, third = status.look(workshop, "ana")
    assert (first.state, first.done, first.remark) == ("Completed", 4, "")
    assert first.order == done
    assert first.images[0].endswith(f"ana/{done.generation_id}-image-1.txt")
    assert (second.order, second.state, second.remark) == (waiting, "Processing", "waiting for a worker")
    assert (third.state, third.done) == ("interrupted", 0)
    assert third.remark == f"aigen resume {third.order.generation_id}"
    assert len(status.look(workshop, None)) == 4


def test_the_json_of_a_standing_has_the_agreed_fields(workshop: Workshop, request_two: GenerationRequest) -> None:
    generation.generate(workshop, request_two, "ana")
    (standing,) = status.look(workshop, None)
    assert list(standing.as_json()) == [
        "generation_id", "user_id", "prompt", "status", "interrupted", "done", "total", "requested_at", "generated_at",
        "images", "videos", "error",
    ]  # fmt: skip
    assert standing.as_json()["done"] == standing.as_json()["total"] == 4


def test_following_ends_when_nothing_is_being_made(workshop: Workshop, request_two: GenerationRequest) -> None:
    order = generation.place(workshop, request_two, "ana", detached=True)
    shown: list[str] = []

    def make_it(seconds: float) -> None:
        with generation.hold(workshop.content, order.generation_id):
            generation.run(workshop, order.generation_id, detached=True)

    status.follow(workshop, "ana", make_it, lambda standings: shown.append(standings[0].state))
    assert shown == ["Processing", "Completed"]


def test_an_order_that_no_worker_will_take_says_so(
    workshop: Workshop, request_two: GenerationRequest, clock: StillClock
) -> None:
    generation.place(workshop, request_two, "ana", detached=True)
    clock.advance(60)
    (standing,) = status.look(workshop, None)
    assert (standing.remark, standing.active) == ("no worker runs: aigen worker", False)
    with workshop.content.lock("worker"):
        (standing,) = status.look(workshop, None)
    assert (standing.remark, standing.active) == ("waiting for a worker", True)
