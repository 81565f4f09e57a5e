"""Orders that wait for a provider: what is said meanwhile, and who collects what a killed command has left."""

import errno
import json
import re
import signal
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from aigen.content import ContentFolder
from aigen.errors import AigenError, ContentError, Interrupted, ProviderError
from aigen.orders import lifecycle, placing, worker
from aigen.orders.context import Context
from aigen.orders.device import Device
from aigen.orders.lifecycle import ATTEMPTS
from aigen.pipelines.hosted.lanes import lane
from aigen.settings import NO_SETTINGS, Settings
from aigen.store import Store
from aigen.times import utc_now
from aigen.types.pipeline import Job, Run, Task
from aigen.types.request import Draft
from aigen.types.rows import Item
from tests.conftest import Scribbler, kill, kill_worker, start_aigen, wait_for
from tests.pipelines.hosted.conftest import Shop
from tests.pipelines.hosted.stand_in import Reply, wait_until

RUNNING = {"status": "RUNNING", "progress": 0.4, "estimatedCost": {"credits": 25}}


def leave(shop: Shop, monkeypatch: pytest.MonkeyPatch, count: int, sold: int, *more: object) -> str:
    """Order so many items, and kill the command when so many are sold; the order's id."""
    shop.server.polls = [RUNNING] * 100_000
    process = shop.start(monkeypatch, *shop.arguments(count, *more))
    wait_until(lambda: sum(item.job.get("item", Job("")).progress == "40 %" for item in made(shop)) == sold)
    kill(process)
    shop.server.polls = []
    return shop.order_id


def made(shop: Shop) -> list[Item]:
    try:
        return shop.items
    except (AigenError, IndexError):  # nothing is ordered yet
        return []


def test_a_worker_collects_what_a_killed_command_left_and_buys_nothing(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = leave(runway, monkeypatch, 5, 4)
    told = runway.run("status").stdout
    assert re.search(rf"{order}: 4 jobs at Runway since \d\d:\d\d, 40 %: aigen resume {order}", told), told
    assert runway.run("worker", "--once").returncode == 0
    assert (runway.status["done"], runway.status["interrupted"], len(runway.server.sales)) == (4, True, 4)
    assert runway.run("worker", "--once").returncode == 0
    assert len(runway.server.sales) == 4
    assert runway.resume().returncode == 0
    assert (runway.status["status"], len(runway.server.sales)) == ("Completed", 5)


@pytest.mark.system
def test_an_order_of_which_all_is_bought_is_completed_and_told_of(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(runway, monkeypatch, 2, 2, "--notify", "mailto:ana@example.org", environment_of_mail(monkeypatch))
    assert runway.run("worker", "--once").returncode == 0
    assert (runway.status["status"], len(runway.server.sales)) == ("Completed", 2)
    (notice,) = json.loads(runway.run("notices", "--json").stdout)
    assert notice["event"] == "completed"
    assert notice["state"] in ("ready", "failed")


def environment_of_mail(monkeypatch: pytest.MonkeyPatch) -> str:
    """Set a mail server that does not answer; an option that changes nothing."""
    for name, value in {"HOST": "127.0.0.1", "PORT": "9", "FROM": "aigen@example.org", "SECURITY": "none"}.items():
        monkeypatch.setenv(f"AIGEN_SMTP_{name}", value)
    return "--no-wait"


@pytest.mark.system
def test_what_the_provider_ended_fails_the_order_when_nothing_else_is_missing(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(runway, monkeypatch, 2, 2)
    runway.server.polls = [{"status": "FAILED", "failure": "too scary", "failureCode": "SAFETY.INPUT"}]
    assert runway.run("worker", "--once").returncode == 0
    assert (runway.status["status"], runway.status["done"]) == ("Failed", 1)
    assert "too scary" in runway.status["error"]


@pytest.mark.system
def test_without_a_key_a_worker_leaves_them_and_looks_again_later(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(runway, monkeypatch, 1, 1)
    done = runway.run("worker", "--once", environment={"RUNWAYML_API_SECRET": "", "AIGEN_HOSTED_POLL": "60"})
    assert (done.returncode, "was interrupted, nothing is bought for it; Runway needs a key" in done.stderr) == (
        0,
        True,
    )
    assert runway.status["interrupted"]
    with Store.open(ContentFolder(runway.content)) as store:
        assert store.generations()[0].collect_at
        assert worker.collectable(Context(ContentFolder(runway.content), store)) == []
    assert runway.resume().returncode == 0


@pytest.mark.system
def test_ctrl_c_says_that_jobs_go_on_and_how_to_collect_them(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runway.server.polls = [RUNNING] * 100_000
    process = runway.start(monkeypatch, *runway.arguments(1))
    wait_until(lambda: sum(seen.method == "GET" for seen in runway.server.seen) > 5)
    _, errors = kill(process, signal.SIGINT)
    assert (
        f"1 job at Runway goes on; aigen resume {runway.order_id} collects the results and buys what is missing"
        in errors
    )
    assert "aigen worker collects the results and buys nothing" in errors


def test_a_worker_that_is_killed_while_it_only_waits_does_not_use_up_attempts(context: Context) -> None:
    order = placing.place(context, Draft(prompt="a kite", images=1, videos=0), "ana", detached=True)
    (item,) = context.store.items(order.generation_id)
    context.store.save_job(item, Job("key", "task-1", "runway", "submitted"))
    found: list[int] = []

    def look(task: Task, run: Run, number: int) -> None:
        found.append(lifecycle.find(context.store, order.generation_id).attempts)

    scribbler = Scribbler(before=look)
    for _ in range(ATTEMPTS):
        context.store.start(order.generation_id, detached=True)  # and then it was killed
    worker.work(replace(context, load=lambda name, settings: scribbler), lambda seconds: None, once=True)
    assert lifecycle.find(context.store, order.generation_id).status == "Completed"
    assert found == [ATTEMPTS], "looking was not counted"


@pytest.fixture
def two(context: Context) -> tuple[Context, Scribbler, Scribbler]:
    """A world with a model of this machine and a hosted one."""
    here, there = Scribbler(), Scribbler(local=False)
    return replace(context, load=lambda name, settings: there if name == "there" else here), here, there


def place(context: Context, model: str, user: str) -> str:
    return placing.place(
        context, Draft(prompt=model, images=1, videos=0, model=model), user, detached=True
    ).generation_id


def test_hosted_orders_are_made_beside_local_ones(two: tuple[Context, Scribbler, Scribbler]) -> None:
    context, here, there = two
    both = threading.Barrier(2, timeout=30)

    def meet(task: Task, run: Run, number: int) -> None:
        both.wait()

    here.before = there.before = meet
    local, hosted = place(context, "here", "ana"), place(context, "there", "ana")
    worker.work(context, lambda seconds: None, once=True)
    assert [context.store.generation(each).status for each in (local, hosted)] == ["Completed", "Completed"]  # type: ignore[union-attr]


def test_a_local_order_keeps_no_hosted_one_waiting_that_comes_later(
    two: tuple[Context, Scribbler, Scribbler],
) -> None:
    context, here, there = two
    made = threading.Event()
    there.before = lambda task, run, number: made.set()

    def order_another(task: Task, run: Run, number: int) -> None:
        place(context, "there", "bob")
        assert made.wait(30)

    here.before = order_another
    place(context, "here", "ana")
    worker.work(context, lambda seconds: None, once=True)
    assert {order.status for order in context.store.generations()} == {"Completed"}


def test_a_worker_that_ends_stops_hosted_orders_and_gives_their_attempt_back(
    two: tuple[Context, Scribbler, Scribbler],
) -> None:
    context, here, there = two
    waits = threading.Event()

    def wait(task: Task, run: Run, number: int) -> None:
        waits.set()
        for _ in range(600):
            run.check()
            threading.Event().wait(0.05)

    def press(task: Task, run: Run, number: int) -> None:
        assert waits.wait(30)
        raise KeyboardInterrupt

    there.before, here.before = wait, press
    hosted, _ = place(context, "there", "ana"), place(context, "here", "ana")
    with pytest.raises(Interrupted):
        worker.work(context, lambda seconds: None, once=True)
    order = lifecycle.find(context.store, hosted)
    assert (order.status, order.attempts) == ("Processing", 0)


def test_what_breaks_beside_ends_the_worker(
    two: tuple[Context, Scribbler, Scribbler], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, _, _ = two
    place(context, "there", "ana")

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(worker.lifecycle, "run", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        worker.work(context, lambda seconds: None, once=True)


def test_no_more_than_so_many_hosted_orders_are_made_at_once_and_users_take_turns(
    two: tuple[Context, Scribbler, Scribbler], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, _, there = two
    monkeypatch.setattr(worker, "HOSTED_ORDERS", 2)
    monkeypatch.setattr(worker, "PAUSE", 0.01)
    at_once, most, begun = 0, 0, []
    lock, pair = threading.Lock(), threading.Barrier(2, timeout=30)

    def count(task: Task, run: Run, number: int) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            begun.append(task.prompt)
        pair.wait()
        with lock:
            at_once -= 1

    there.before = count
    for user in ("ana", "ana", "ana", "bob"):
        placing.place(context, Draft(prompt=user, images=1, videos=0, model="there"), user, detached=True)
    worker.work(context, lambda seconds: None, once=True)
    assert (most, len(begun)) == (2, 4)
    assert "bob" in begun[:2]


def test_what_one_order_learns_of_a_provider_holds_for_no_other() -> None:
    first, second, stop = lane("runway", "first"), lane("runway", "second"), threading.Event()
    with first.joined(), second.joined():
        first.accept("gen4.5")
        first.fail(ProviderError("no credit left", "credit"))
        with pytest.raises(ProviderError), first.flight("gen4.5", stop, 4, True):
            pass
        assert not second.is_accepted("gen4.5")
        with second.flight("gen4.5", stop, 4, True):
            pass
        assert lane("runway", "first") is first
    assert lane("runway", "first") is not first, "it is forgotten with its order"


@pytest.mark.system
def test_a_result_that_could_not_be_downloaded_is_collected_later(
    runway: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(runway, monkeypatch, 1, 1)
    runway.server.downloads = [Reply(503)] * 1000
    assert runway.run("worker", "--once").returncode == 0
    assert "at Runway since" in runway.run("status").stdout
    assert "ready" in runway.run("status").stdout
    runway.server.downloads = []
    wait_until(lambda: runway.run("worker", "--once").returncode == 0 and runway.status["status"] == "Completed")
    assert len(runway.server.sales) == 1


def test_a_worker_without_a_key_fails_no_order_and_does_not_stay_for_it(runway: Shop) -> None:
    folder = ContentFolder(runway.content)
    with Store.open(folder, create=True) as store:
        context = Context(folder, store, settings=Settings(runway.environment))
        draft = Draft(prompt="a kite", images=0, videos=1, model="runway", yes=True)
        order = placing.place(context, draft, "ana", detached=True)
        without = replace(context, settings=NO_SETTINGS)
        worker.work(without, threading.Event().wait, idle_limit=0.2)
        waiting = lifecycle.find(store, order.generation_id)
        assert (waiting.status, waiting.attempts) == ("Processing", 0)
        assert "Runway needs a key" in str(waiting.step)
        later = replace(context, clock=lambda: utc_now() + timedelta(minutes=2))
        worker.work(later, lambda seconds: None, once=True)
        assert lifecycle.find(store, order.generation_id).status in ("Completed", "Processing")
    assert len(runway.server.sales) == 1


def test_a_worker_reads_its_settings_anew_for_each_order(runway: Shop) -> None:
    folder = ContentFolder(runway.content)
    with Store.open(folder, create=True) as store:
        context = Context(folder, store, settings=Settings(runway.environment))
        draft = Draft(prompt="a kite", images=0, videos=1, model="runway", yes=True)
        placing.place(context, draft, "ana", detached=True)
        started_without = replace(context, settings=NO_SETTINGS)
        worker.work(started_without, lambda seconds: None, True, None, lambda: Settings(runway.environment))
        assert store.generations()[0].status == "Completed"


def interrupted(context: Context, **wanted: int) -> list[Item]:
    """An order of somebody's command that was killed; its first item is at a provider."""
    order = placing.place(context, Draft(prompt="a kite", **{"images": 1, "videos": 0, **wanted}), "ana")
    items = context.store.items(order.generation_id)
    context.store.save_job(items[0], Job("key", "task-1", "runway", "submitted"))
    return items


@pytest.mark.parametrize("error", [ValueError("an odd answer"), RuntimeError("broken")])
def test_what_goes_wrong_while_collecting_ends_neither_order_nor_worker(context: Context, error: Exception) -> None:
    interrupted(context)
    other = placing.place(context, Draft(prompt="other", images=1, videos=0), "bob", detached=True)

    def stumble(task: Task, run: Run, number: int) -> None:
        if task.prompt == "a kite":
            raise error

    scribbler = Scribbler(before=stumble)
    worker.work(replace(context, load=lambda name, settings: scribbler), lambda seconds: None, once=True)
    states = {order.user_id: order.status for order in context.store.generations()}
    assert states == {"ana": "Processing", "bob": "Completed"}
    assert worker.due(context) == []
    assert lifecycle.find(context.store, other.generation_id).status == "Completed"


def test_a_full_disk_while_collecting_ends_the_worker_with_a_line(context: Context) -> None:
    interrupted(context)

    def fill(task: Task, run: Run, number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    scribbler = Scribbler(before=fill)
    with pytest.raises(ContentError, match="is full"):
        worker.work(replace(context, load=lambda name, settings: scribbler), lambda seconds: None, once=True)


def test_what_failed_here_while_its_job_goes_on_is_not_looked_at_again_and_again(context: Context) -> None:
    interrupted(context, images=2)
    scribbler = Scribbler(fail={1})
    worker.work(replace(context, load=lambda name, settings: scribbler), lambda seconds: None, once=True)
    assert [item.state for item in context.store.items(context.store.generations()[0].generation_id)] == [
        "failed",
        "planned",
    ]


def test_ctrl_c_says_what_a_worker_does_with_a_detached_order(context: Context) -> None:
    order = placing.place(context, Draft(prompt="a kite", images=1, videos=0), "ana", detached=True)
    (item,) = context.store.items(order.generation_id)
    context.store.save_job(item, Job("key", "task-1", "runway", "submitted"))

    def press(task: Task, run: Run, number: int) -> None:
        raise KeyboardInterrupt

    scribbler = Scribbler(before=press)
    with pytest.raises(Interrupted, match=r"1 job at Runway goes on; .*, aigen worker goes on with the order$"):
        worker.work(replace(context, load=lambda name, settings: scribbler), lambda seconds: None, once=True)


def test_who_waits_for_the_device_hears_that_the_worker_ends(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    order = placing.place(context, Draft(prompt="a kite", images=1, videos=0), "ana", detached=True)
    ending = replace(context, interrupted=lambda: True)
    monkeypatch.setattr("aigen.orders.device.HEARTBEAT", 0.05)
    with context.content.lock("device"), pytest.raises(Interrupted):
        Device(ending, order.generation_id).use(True)


def test_a_job_that_is_made_at_last_is_not_said_to_be_in_the_queue(runway: Shop) -> None:
    queued, being_made = ({"status": status, "estimatedCost": {"credits": 25}} for status in ("PENDING", "RUNNING"))
    runway.server.polls = [queued, being_made] + [being_made] * 100_000
    assert runway.order(1, environment={"AIGEN_HOSTED_DEADLINE": "0.2"}).returncode == 1
    assert re.search(r"at Runway since \d\d:\d\d$", runway.run("status").stdout, re.MULTILINE)


@pytest.mark.system
def test_the_notify_daemon_is_enough_to_be_told(runway: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(runway, monkeypatch, 2, 2)
    daemon = start_aigen("notify-daemon", "--content", runway.content)
    try:
        wait_for(lambda: runway.status["status"] == "Completed")
    finally:
        kill(daemon, signal.SIGTERM)
        kill_worker(runway.content, signal.SIGKILL)
    assert len(runway.server.sales) == 2
