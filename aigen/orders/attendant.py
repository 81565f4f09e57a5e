"""Sees that a worker runs while orders wait for one: beside the web gallery, and beside the notify-daemon."""

import threading
from collections.abc import Callable
from typing import Self

from aigen.content import ContentFolder
from aigen.errors import AigenError, AlreadyRunning
from aigen.orders import worker
from aigen.orders.context import Context
from aigen.store import Store

# Seconds between two looks for orders.
PAUSE = 0.2
# Seconds before a worker is started again that has failed, longer each time.
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


class Attendant:
    """Starts a worker when orders wait for one, and again when it dies. Use as a context manager.

    When this process ends, the worker goes on: what was ordered is made, and it ends by itself when nothing waits.
    """

    def __init__(self, content: ContentFolder, report: Callable[[str], object]) -> None:
        self._content = content
        self._report = report
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attendant", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _attend(self) -> None:
        failures = 0
        while not self._stop.wait(PAUSE):
            try:
                with Store.open(self._content, create=True) as store:
                    code = self._attend_once(Context(self._content, store))
                problem = f"the worker ended with {code}: aigen worker shows why" if code else ""
            except (AigenError, OSError) as error:
                problem = f"no worker can be started: {error}"
            failures = failures + 1 if problem else 0
            if problem:
                pause = PAUSES[min(failures, len(PAUSES)) - 1]
                self._report(f"{problem}; tried again in {pause:.0f} s")
                self._stop.wait(pause)

    def _attend_once(self, context: Context) -> int:
        """Wait until there is something to do for a worker, start one and wait until it ends; return how it ended."""
        while not self._stop.wait(PAUSE):
            if not worker.is_running(self._content) and worker.due(context):
                process = worker.start(self._content)
                while process.poll() is None:
                    if self._stop.wait(PAUSE):
                        return 0
                return 0 if process.returncode == AlreadyRunning.exit_code else process.returncode
        return 0
