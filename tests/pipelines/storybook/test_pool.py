"""Items made side by side: the same bytes as alone, whatever happens to one of the processes or to their parent."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aigen.errors import GenerationError
from aigen.pipelines.storybook import Storybook, pool
from aigen.pipelines.storybook.items import make_item
from aigen.pipelines.storybook.pool import Pool, pool_size
from aigen.types.pipeline import Task
from aigen.types.request import Size
from tests.runs import Listener


def task(folder: Path, many: int = 3, **changes: Any) -> Task:
    folder.mkdir(exist_ok=True)
    numbers = tuple(range(1, many + 1))
    return replace(
        Task(
            kind="image", prompt="a kite", style="plain", numbers=numbers, seeds=numbers, size=Size(96, 64), work=folder
        ),
        **changes,
    )


def test_side_by_side_gives_the_same_bytes_as_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[Any, ...]] = []
    run = Listener()
    monkeypatch.setattr(run, "step", lambda *step: steps.append(step))
    both = {made.seed: made for made in Pool().make(task(tmp_path / "both"), run, 2)}
    assert set(both) == {1, 2, 3}
    assert steps
    assert all(len(step) == 4 for step in steps)
    for number in (1, 2, 3):
        alone = make_item(task(tmp_path / "alone", numbers=(number,), seeds=(number,)), lambda *_: None)
        assert alone.path.read_bytes() == both[number].path.read_bytes()
        assert alone.parameters == both[number].parameters


def test_a_pool_is_kept_for_the_next_task_and_ends_with_its_storybook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "pool_size", lambda task: 2)
    storybook = Storybook()
    list(storybook.generate(task(tmp_path / "a"), Listener()))
    first = [process.pid for process in storybook._pool._processes]
    list(storybook.generate(task(tmp_path / "b", kind="video", frames=4), Listener()))
    assert [process.pid for process in storybook._pool._processes] == first
    processes = storybook._pool._processes[:]
    del storybook
    assert all(process.poll() is not None for process in processes)


def test_small_tasks_are_made_without_a_pool(tmp_path: Path) -> None:
    assert pool_size(task(tmp_path)) == 1
    large = task(tmp_path, 5, size=Size(1024, 1024))
    assert pool_size(large) == min(len(os.sched_getaffinity(0)), 4)
    assert pool_size(replace(large, numbers=(1,), seeds=(1,))) == 1
    assert pool_size(replace(large, size=Size(4096, 4096))) == 1, "too much memory"


def test_an_error_comes_out_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(Pool().make(replace(task(tmp_path), work=tmp_path / "nowhere"), Listener(), 2))


@pytest.mark.system
def test_what_a_process_was_making_when_it_died_is_made_again(tmp_path: Path) -> None:
    large = Size(900, 900)
    undisturbed = Pool().make(task(tmp_path / "a", 4, size=large), Listener(), 2)
    whole = {output.seed: output.path.read_bytes() for output in undisturbed}
    some = Pool()
    made = some.make(task(tmp_path / "b", 4, size=large), Listener(), 2)
    outputs = [next(made)]
    for process in some._processes:
        process.send_signal(signal.SIGKILL)
    outputs += made
    assert {output.seed: output.path.read_bytes() for output in outputs} == whole


@pytest.mark.system
def test_a_pool_of_which_one_died_is_made_anew(tmp_path: Path) -> None:
    some = Pool()
    list(some.make(task(tmp_path / "a", 2), Listener(), 2))
    some._processes[1].kill()
    some._processes[1].wait()
    assert len(list(some.make(task(tmp_path / "b", 2), Listener(), 2))) == 2
    assert len(list(some.make(task(tmp_path / "c", 1), Listener(), 2))) == 1


def test_what_is_no_message_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(GenerationError, match="died 3 times at the same item"):
        list(Pool().make(task(tmp_path / "a"), Listener(), 2))


def test_giving_up_ends_the_processes(tmp_path: Path) -> None:
    some = Pool()
    made = some.make(task(tmp_path, 5, size=Size(900, 900)), Listener(), 2)
    next(made)
    processes = some._processes[:]
    made.close()
    assert all(process.poll() is not None for process in processes)


@pytest.mark.system
def test_the_pool_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from aigen.types.pipeline import Task; from aigen.types.request "
        "import Size; from tests.runs import Listener; from aigen.pipelines.storybook.pool import Pool\n"
        "pool = Pool()\n"
        "numbers = tuple(range(1, 40))\n"
        "made = pool.make(Task(kind='image', prompt='a kite', style='plain', "
        "numbers=numbers, seeds=numbers, size=Size(800, 800),"
        f" work=Path({str(tmp_path)!r})), Listener(), 2)\n"
        "next(made); print(*(process.pid for process in pool._processes), flush=True); list(made)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(
        Path(f"/proc/{pid}/cmdline").exists() and b"pool" in Path(f"/proc/{pid}/cmdline").read_bytes()
        for pid in children
    ):
        assert time.monotonic() < deadline, "the pool outlives its parent"
        time.sleep(0.05)
