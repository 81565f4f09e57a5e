"""The lock on this machine's device (GPU or processor): one order at a time uses it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from aigen import pipelines
from aigen.errors import Interrupted
from aigen.orders.context import HEARTBEAT, Context, heartbeat
from aigen.types.reports import Waiting


class Device:
    """The device lock of one order. Leaving the context releases it."""

    def __init__(self, context: Context, generation_id: str) -> None:
        self._context, self._generation_id = context, generation_id
        self._lock = context.content.lock("device")
        self._told = False

    def use(self, local: bool) -> None:
        """Acquire the device for local work; release it, with the weights in its memory, for remote work.

        Acquiring waits for the order that holds it, and reports that. Raises Cancelled.
        """
        if local and not self._lock.is_locked:
            self._take()
        elif not local:
            with suppress(TimeoutError):  # another order of this process may be using them
                self._lock.acquire(timeout=0)
                pipelines.release()
                self._lock.release(force=True)

    @contextmanager
    def used(self, local: bool) -> Iterator[None]:
        """Acquire or release the device as `use` does; restore its state when the context ends."""
        before = self._lock.is_locked
        self.use(local)
        try:
            yield
        except BaseException:
            if not before:
                self.use(False)
            raise
        self.use(before)

    def _take(self) -> None:
        while True:
            try:
                self._lock.acquire(timeout=HEARTBEAT, poll_interval=0.1)
                return
            except TimeoutError:
                if self._context.interrupted():  # of a thread that hears no Ctrl-C
                    raise Interrupted("it was interrupted") from None
                heartbeat(self._context, self._generation_id, "waiting for another order to finish")
                if not self._told:
                    text = "another order is being made; this one starts when it has finished"
                    self._context.report(Waiting(text))
                    self._told = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
