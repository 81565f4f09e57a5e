"""How many jobs of a provider are in flight at once: one until it has accepted one, then several.

So a wrong key or an empty account costs one request, and what a model really costs is known before much is bought.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aigen.errors import Interrupted, ProviderError

# Seconds between two looks at whether the order ended meanwhile.
_PAUSE = 0.2


class Lane:
    """The jobs of one order at one provider. What it learns of the provider holds for this order only."""

    def __init__(self, key: tuple[str, str]) -> None:
        self._key = key
        self._condition = threading.Condition()
        self._users = 0
        self._flying, self._buying = 0, Counter[str]()  # the latter by model
        self._accepted: set[str] = set()  # the models of which a job was accepted
        self._failure: ProviderError | None = None

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Use the lane. When its last user leaves, what it has learnt is forgotten."""
        with self._condition:
            self._users += 1
        try:
            yield
        finally:
            with self._condition:
                self._users -= 1
                if not self._users:
                    _lanes.pop(self._key, None)

    @contextmanager
    def flight(self, model: str, stop: threading.Event, parallel: int, buys: bool) -> Iterator[None]:
        """Have one job in flight; wait for a place first. A job that is there already needs no place of its own.

        Raises ProviderError if the provider has refused everything meanwhile, and Interrupted if `stop` is set.
        """
        with self._condition:
            while buys and not self._has_place(model, parallel):
                self._check(stop)
                self._condition.wait(_PAUSE)
            self._check(stop if buys else None)
            self._flying += 1
            self._buying[model] += buys
        try:
            yield
        finally:
            with self._condition:
                self._flying -= 1
                self._buying[model] -= buys
                self._condition.notify_all()

    def _has_place(self, model: str, parallel: int) -> bool:
        """Return whether one more job may fly: the first of all alone, the first of each model alone of its kind."""
        if not self._accepted:
            return not self._buying.total()
        return self._flying < parallel and (model in self._accepted or not self._buying[model])

    def _check(self, stop: threading.Event | None) -> None:
        if stop is None:
            return
        if self._failure:
            raise self._failure
        if stop.is_set():
            raise Interrupted("the order ended")

    def is_accepted(self, model: str) -> bool:
        return model in self._accepted

    def accept(self, model: str) -> None:
        """The provider has accepted a job of a model: the next ones go side by side."""
        with self._condition:
            self._accepted.add(model)
            self._condition.notify_all()

    def fail(self, error: ProviderError) -> None:
        """The provider refuses everything: nothing more is sent."""
        with self._condition:
            self._failure = error
            self._condition.notify_all()


_lanes: dict[tuple[str, str], Lane] = {}
_lock = threading.Lock()


def lane(provider: str, order_id: str) -> Lane:
    """Return the lane of an order at a provider."""
    with _lock:
        return _lanes.setdefault((provider, order_id), Lane((provider, order_id)))
