"""Pipelines of other packages: their errors become one line that names the package."""

import math
import pkgutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from aigen.errors import AigenError, UsageError
from aigen.settings import Settings
from aigen.types.pipeline import Abilities, Failure, Output, Pipeline, Run, Task


class Plugin:
    """A pipeline of another package. Raises UsageError where that package is broken."""

    def __init__(self, name: str, package: str, place: str, settings: Settings) -> None:
        self._name, self._package = name, package
        with self._explained("cannot be loaded"):
            self._pipeline: Pipeline = pkgutil.resolve_name(place)(settings)
            self.abilities = self._pipeline.abilities
            if not isinstance(self.abilities, Abilities):
                raise TypeError("its abilities are no Abilities")
            for method in ("check", "price", "generate"):
                if not callable(getattr(self._pipeline, method)):
                    raise TypeError(f"its {method} is no method")

    def check(self, task: Task) -> None:
        with self._explained("cannot check an order"):
            self._pipeline.check(task)

    def price(self, task: Task) -> float | None:
        with self._explained("cannot say its price"):
            price = self._pipeline.price(task)
            price = None if price is None else float(price)
            if price is not None and not 0 <= price < math.inf:
                raise ValueError(f"its price is {price}")
            if price != 0 and not self.abilities.paid:
                raise ValueError("it has a price, but its abilities are not paid")
            return price

    def generate(self, task: Task, run: Run) -> Generator[Output | Failure, None, None]:
        yield from self._pipeline.generate(task, run)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except AigenError:
            raise
        except Exception as error:  # another package can raise anything
            told = (str(error).strip().splitlines() or [""])[0][:200]
            raise UsageError(
                f"model {self._name!r} of the package {self._package!r} {what} ({type(error).__name__}: {told}): "
                f"upgrade it with pip install -U {self._package}, or remove it with pip uninstall {self._package}"
            ) from error
