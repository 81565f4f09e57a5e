"""The items of one task, bought side by side: each in a thread, while the order's thread reports and yields them."""

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aigen.errors import Interrupted, StillRunning
from aigen.pipelines.hosted.jobs import Purchases, TooEarly
from aigen.pipelines.hosted.provider import ItemRequest
from aigen.types.pipeline import Failure, Job, Run

# Seconds between two looks at whether the order was cancelled.
_PAUSE = 0.25


@dataclass(frozen=True)
class Wanted:
    """An item to make: its seed, the name of its file, its estimated price in USD, and what to ask for."""

    seed: int
    name: str
    price: float | None
    request: Callable[[], ItemRequest]


@dataclass(frozen=True)
class Progress:
    """How far an item is, in words and from 0 to 1."""

    text: str
    share: float | None


class Batch:
    """Makes items in threads. What they tell comes by a queue, so that only one thread talks to the order."""

    def __init__(self, run: Run, wanted: Sequence[Wanted]) -> None:
        self._run, self._wanted = run, wanted
        self._events: queue.SimpleQueue[tuple[int, Progress | Job | Failure | BaseException]] = queue.SimpleQueue()
        self._progress: dict[int, Progress] = {}
        self._left = [each.seed for each in wanted]

    def tell(self, seed: int, text: str, share: float | None) -> None:
        """Hear how far an item is; called by the threads."""
        self._events.put((seed, Progress(text, share)))

    def make(self, purchases: Purchases) -> Generator[tuple[int, Job | Failure], None, None]:
        """Yield the seed of each item with its job or failure, as soon as it has ended.

        After an error nothing more is bought, but what is bought is waited for. Then raises that error, or StillRunning
        if jobs are not done.
        """
        todo: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
        for each in self._wanted:
            todo.put(each)

        def work() -> None:
            with suppress(queue.Empty):
                while True:
                    self._make_one(purchases, todo.get_nowait())

        # Daemons: a second Ctrl-C ends the program although a request is under way.
        count = min(purchases.patience.parallel, len(self._wanted))
        threads = [threading.Thread(target=work, name="purchase", daemon=True) for _ in range(count)]
        try:
            for thread in threads:
                thread.start()
            yield from self._collect(purchases)
        finally:
            purchases.stop.set()
            _join(threads, self._run, purchases.sending)

    def _make_one(self, purchases: Purchases, wanted: Wanted) -> None:
        try:
            made = purchases.make(wanted.seed, wanted.name, wanted.price, wanted.request)
        except BaseException as error:  # whatever it is, the thread that waits must hear of it
            self._events.put((wanted.seed, error))
        else:
            self._events.put((wanted.seed, made))

    def _collect(self, purchases: Purchases) -> Generator[tuple[int, Job | Failure], None, None]:
        errors: list[BaseException] = []
        late: list[str] = []
        count = len(self._wanted)
        while count:
            try:
                seed, event = self._events.get(timeout=_PAUSE)
            except queue.Empty:
                self._report()
                continue
            if isinstance(event, Progress):
                self._progress[seed] = event
                if event.text.endswith("; trying again"):
                    self._run.say(event.text)
                self._report()
                continue
            count -= 1
            self._progress.pop(seed, None)
            self._left.remove(seed)
            if isinstance(event, TooEarly):
                late.append(str(event))
            elif isinstance(event, BaseException):
                errors.append(event)
            else:
                yield seed, event
        if errors:
            raise next((error for error in errors if not isinstance(error, Interrupted)), errors[0])
        if late:
            reason = next((text for text in late if text), "")
            told = f" ({reason})" if reason else ""
            jobs = "1 job is" if len(late) == 1 else f"{len(late)} jobs are"
            text = f"{jobs} not done at {purchases.info.title}{told}"
            raise StillRunning(text, purchases.patience.collect_after, reason)

    def _report(self) -> None:
        """Report the first item that is left; what is done of the others counts beside it. Raises Cancelled."""
        if not self._progress:
            self._run.check()
            return
        first = self._left[0]
        now = self._progress.get(first)
        beside = sum(each.share or 0.0 for seed, each in self._progress.items() if seed != first)
        shown = now or next(iter(self._progress.values()))
        self._run.step(round(100 * ((now.share if now else 0.0) or 0.0)), 100, f"{shown.text}…", beside)


def _join(threads: Sequence[threading.Thread], run: Run, sending: set[int]) -> None:
    """Wait for threads to end. What is sent must be answered, or nobody knows whether it was sold."""
    for thread in threads:
        thread.join(2.0)
        if thread.is_alive() and sending:
            run.say(
                "waiting for the answer to what was just sent; Ctrl-C once more gives it up, though it may be charged"
            )
        thread.join()
