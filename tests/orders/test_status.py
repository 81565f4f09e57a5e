import re

import pytest

from aigen.cli import tables
from aigen.errors import Interrupted
from aigen.orders import lifecycle, placing, status
from aigen.orders.context import Context
from aigen.types.pipeline import Job, Run, Task
from aigen.types.request import Draft
from tests.conftest import Scribbler, StillClock


def test_statuses_say_what_to_do_next(context: Context, request_two: Draft, scribbler: Scribbler) -> None:
    done = lifecycle.generate(context, request_two, "ana")
    waiting = placing.place(context, request_two, "ana", detached=True)
    placing.place(context, request_two, "bob")

    def press(task: Task, run: Run, number: int) -> None:
        raise KeyboardInterrupt

    scribbler.before = press
    with pytest.raises(Interrupted):
        lifecycle.generate(context, request_two, "ana")

    first, second, third = status.list_orders(context, "ana")
    assert (first.state, first.done, first.remark) == ("Completed", 4, "")
    assert first.order == done
    assert first.images[0].endswith(f"ana/{done.generation_id}-image-1.png")
    assert (second.order, second.state, second.remark) == (waiting, "Processing", "waiting for its turn")
    assert (third.state, third.done) == ("interrupted", 0)
    assert third.remark == f"aigen resume {third.order.generation_id}"
    assert len(status.list_orders(context, None)) == 4


def test_the_json_of_a_status_has_the_agreed_fields(context: Context, request_two: Draft) -> None:
    lifecycle.generate(context, request_two, "ana")
    (found,) = status.list_orders(context, None)
    assert list(found.as_json()) == [
        "generation_id", "user_id", "prompt", "status", "interrupted", "done", "total", "requested_at", "generated_at",
        "images", "videos", "error", "cost", "jobs",
    ]  # fmt: skip
    assert found.as_json()["done"] == found.as_json()["total"] == 4
    assert found.as_json()["cost"] is None


def test_what_was_paid_up_to_now_is_told_also_of_what_is_not_done(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana")
    first, second, *_ = context.store.items(order.generation_id)
    context.store.save_job(first, Job("key-1", "theirs-1", cost=0.1))
    context.store.save_job(second, Job("key-2", "theirs-2", cost=0.2))
    context.store.save_job(second, Job("key-3"), "picture-1")
    assert context.store.cancel(order.generation_id)
    (found,) = status.list_orders(context, None)
    assert found.as_json()["cost"] == 0.3


def test_following_ends_when_nothing_is_being_made(context: Context, request_two: Draft) -> None:
    order = placing.place(context, request_two, "ana", detached=True)
    shown: list[str] = []

    def make_it(seconds: float) -> None:
        with placing.hold(context.content, order.generation_id):
            lifecycle.run(context, order.generation_id, detached=True)

    status.follow(context, "ana", make_it, lambda statuses: shown.append(statuses[0].state))
    assert shown == ["Processing", "Completed"]


def test_an_order_that_no_worker_will_take_says_so(context: Context, request_two: Draft, clock: StillClock) -> None:
    placing.place(context, request_two, "ana", detached=True)
    clock.advance(60)
    (found,) = status.list_orders(context, None)
    assert (found.remark, found.active) == ("no worker runs: aigen worker", False)
    with context.content.lock("worker"):
        (found,) = status.list_orders(context, None)
    assert (found.remark, found.active) == ("waiting for its turn", True)


def test_the_table_has_one_line_an_order_on_a_narrow_terminal(
    context: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    order = lifecycle.generate(context, Draft(prompt="a very long prompt " * 20, images=1, videos=0), None)
    tables.print_orders(status.list_orders(context, None), None)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert lines[1].startswith(f"{order.generation_id}  Completed    1 of 1    11-21 ")
    assert "a very long" in lines[1]
    tables.print_orders(status.list_orders(context, order.user_id), order.user_id)
    assert str(context.content.user(order.user_id)) in capsys.readouterr().out
