"""Items made side by side: each of a few processes makes one after another, so that every core has work.

Threads would not do, since skia draws under Python's lock. A process of the pool ends as soon as its parent does,
however that ends: it reads the parent's pipe all the time.
"""

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, BinaryIO
from weakref import finalize

from aigen.errors import GenerationError
from aigen.models.machine import count_cores
from aigen.types.pipeline import Output, Run, Task

# At 1280x720 a process needs some 190 MB, and more pixels need more: together no more processes or pixels than these.
MOST_PROCESSES, MOST_PIXELS = 4, 8_400_000
# Tasks of fewer pixels than these are made sooner than a process starts.
WORTH_IT = 4_000_000
# So often an item is tried whose process dies, such as when memory is short.
ATTEMPTS = 3
# How often a process says how far it is, and after how long a silence the parent looks whether it is still wanted.
STEP_SECONDS, CHECK_SECONDS = 0.1, 1.0


def pool_size(task: Task) -> int:
    """How many processes a task is worth."""
    if len(task.seeds) * task.frames * task.size.width * task.size.height < WORTH_IT:
        return 1
    return max(
        1, min(len(task.seeds), count_cores(), MOST_PROCESSES, MOST_PIXELS // (task.size.width * task.size.height))
    )


@dataclass(frozen=True)
class _Told:
    """What a process says of its item: how far it is, the item, or why it cannot be; or how the process ended."""

    step: tuple[int, int, str] | None = None
    output: Output | None = None
    error: BaseException | None = None
    exit_status: int | None = None


class Pool:
    """Some processes that keep what they have loaded from one task to the next. They end with this object."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[int, _Told]] = queue.Queue()
        self._processes: list[subprocess.Popen[bytes]] = []
        finalize(self, _end, self._processes)

    def make(self, task: Task, run: Run, count: int) -> Iterator[Output]:
        """The items of a task, each as soon as it is made. Steps are told of the first that is not made yet."""
        count = min(count, len(task.seeds))
        if any(process.poll() is not None for process in self._processes):  # one has died since: all anew
            _end(self._processes)
            self._processes.clear()
            self._told = queue.Queue()
        while len(self._processes) < count:
            self._processes.append(_start(len(self._processes), self._told))
        waiting = deque(_one(task, place) for place in range(len(task.seeds)))
        at_work: dict[int, Task] = {}
        steps: dict[int, tuple[int, int, str]] = {}
        deaths: Counter[int] = Counter()  # by seed
        try:
            for worker in range(count):
                at_work[worker] = waiting.popleft()
                _send(self._processes[worker], at_work[worker])
            while at_work:
                try:
                    worker, message = self._told.get(timeout=CHECK_SECONDS)
                except queue.Empty:  # nothing for long; the order may have been cancelled
                    run.check()
                    continue
                if message.error:
                    raise message.error
                if message.exit_status is not None:
                    if worker not in at_work:
                        continue
                    seed = at_work[worker].seeds[0]
                    deaths[seed] += 1
                    if deaths[seed] >= ATTEMPTS:
                        raise GenerationError(
                            f"a drawing process died {ATTEMPTS} times at the same item "
                            f"(exit status {message.exit_status}): is memory short?"
                        )
                    steps.pop(worker, None)
                    _end(self._processes[worker : worker + 1])
                    self._processes[worker] = _start(worker, self._told)
                    _send(self._processes[worker], at_work[worker])
                    continue
                if message.output:
                    del at_work[worker]
                    steps.pop(worker, None)
                    if waiting:
                        at_work[worker] = waiting.popleft()
                        _send(self._processes[worker], at_work[worker])
                    yield message.output
                elif message.step:
                    steps[worker] = message.step
                    _report(run, at_work, steps)
        finally:
            if at_work:  # nobody wants any more what is being made
                _end(self._processes)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Kill them all and wait for them; what may be called again."""
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        if process.stdin:
            with suppress(OSError):  # what was still to be sent is not wanted any more
                process.stdin.close()


def _one(task: Task, place: int) -> Task:
    return replace(task, numbers=task.numbers[place : place + 1], seeds=task.seeds[place : place + 1])


def _report(run: Run, at_work: dict[int, Task], steps: dict[int, tuple[int, int, str]]) -> None:
    first = min(at_work, key=lambda worker: at_work[worker].numbers)
    shares = {worker: done / total if total else 0.0 for worker, (done, total, _) in steps.items()}
    if first in steps:
        run.step(*steps[first], sum(share for worker, share in shares.items() if worker != first))
    else:
        run.check()


def _start(worker: int, told: queue.Queue[tuple[int, _Told]]) -> subprocess.Popen[bytes]:
    # -P: without it Python would load modules that lie in the current folder.
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "aigen.pipelines.storybook.pool"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    threading.Thread(target=_listen, args=(worker, process, told), name=f"pool-{worker}", daemon=True).start()
    return process


def _send(process: subprocess.Popen[bytes], task: Task) -> None:
    assert process.stdin
    try:
        pickle.dump(task, process.stdin)
        process.stdin.flush()
    except OSError:  # it has ended; `_listen` tells how
        pass


def _listen(worker: int, process: subprocess.Popen[bytes], told: queue.Queue[tuple[int, _Told]]) -> None:
    assert process.stdout
    try:
        while True:
            told.put((worker, pickle.load(process.stdout)))
    except Exception as error:  # the end of the pipe, or what is no message
        if not isinstance(error, EOFError):
            process.kill()
        code = process.wait()
        process.stdout.close()
        told.put((worker, _Told(exit_status=code)))


# In a process of the pool


def _work() -> None:
    """Make what the parent sends, until it is gone."""
    from aigen.pipelines.storybook.items import make_item

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not speak into the pipe
    tasks: queue.Queue[Task] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()

    def tell(message: _Told) -> None:
        pickle.dump(message, pipe)
        pipe.flush()

    told_at = 0.0

    def step(done: int, total: int, text: str) -> None:
        nonlocal told_at
        if monotonic() - told_at > STEP_SECONDS:
            told_at = monotonic()
            tell(_Told(step=(done, total, text)))

    while True:
        task = tasks.get()
        try:
            output = make_item(task, step)
        except Exception as error:
            tell(_Told(error=_portable(error)))
        else:
            tell(_Told(output=output))


def _read(pipe: BinaryIO, tasks: queue.Queue[Task]) -> None:
    try:
        while True:
            tasks.put(pickle.load(pipe))
    except EOFError:
        os._exit(0)  # the parent is gone, and with it whoever wants what is being made
    except BaseException:
        os._exit(1)


def _portable(error: Exception) -> BaseException:
    """The error itself where it can travel between processes, else its words."""
    try:
        copy: Any = pickle.loads(pickle.dumps(error))
    except Exception:
        return GenerationError(f"{type(error).__name__}: {error}")
    return copy if isinstance(copy, BaseException) else GenerationError(str(error))


if __name__ == "__main__":
    # As part of the package, so that what is pickled here is known there by the same name.
    from aigen.pipelines.storybook import pool

    pool._work()
