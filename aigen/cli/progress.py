"""What a person at the terminal sees of an order while it is made: a live display, or one plain line an item.

Everything here goes to stderr; results go to stdout and are printed by `cli`.
"""

import threading
from collections import Counter
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aigen.types.reports import Expected, Finished, Placed, Report, Said, Started, Step, Waiting
from aigen.types.request import KINDS, Kind
from aigen.types.rows import Generation, Item
from aigen.wording import duration, shortened, spoken_duration, visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# How much longer a video takes than an image, until both have been measured.
USUAL_RATIO = {"image": 1.0, "video": 4.0}
# Seconds after which a step that stands still is called stalled: a step of a large model can take half a minute.
STALLED = 60.0


class Estimate:
    """How long what is left of an order will take, from what its items took so far, or `usual` seconds an item."""

    def __init__(self, items: dict[Kind, int], usual: dict[Kind, float] | None = None) -> None:
        self._left = dict(items)
        self._usual = dict(usual or {})
        self._made: dict[Kind, float] = dict.fromkeys(items, 0.0)
        self._took: dict[Kind, float] = dict.fromkeys(items, 0.0)
        self._share: dict[Kind, float] = dict.fromkeys(items, 0.0)

    def advance(self, kind: Kind, share: float, seconds: float) -> None:
        """The item in hand is done to `share` (0 to 1); `seconds` have gone by since the last word."""
        self._share[kind] = share
        self._took[kind] += seconds

    def expect(self, kind: Kind, seconds: float) -> int:
        """An item of this kind will take so long; how many of them are left."""
        self._usual[kind] = seconds
        return self._left[kind]

    def finish(self, kind: Kind) -> None:
        self._made[kind] += 1
        self._left[kind] -= 1
        self._share[kind] = 0.0

    def seconds_left(self) -> float | None:
        """None until something has been measured, now or in an order before."""
        pace = {
            kind: self._took[kind] / units
            for kind in self._left
            if (units := self._made[kind] + self._share[kind]) > 0.02 and self._took[kind] > 0
        }
        known = self._usual | pace
        if not known:
            return None
        measured, seconds = next(iter((pace or known).items()))
        unit = seconds / USUAL_RATIO[measured]
        return sum(
            max(0.0, left - self._share[kind]) * known.get(kind, unit * USUAL_RATIO[kind])
            for kind, left in self._left.items()
        )


class Display:
    """Shows the reports of an order that is made; called from several threads. Use as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._broken = False
        self._preparing = False
        self._said: set[str] = set()
        self._finished, self._made, self._total = 0.0, 0, 0
        self._counts: Counter[Kind] = Counter()
        self._estimate = Estimate(dict.fromkeys(KINDS, 0))
        self._heard_at = self._started_at = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __call__(self, report: Report) -> None:
        """Show a report. Where nobody reads us any more, the work goes on without being shown."""
        try:
            self._show(report)
        except (OSError, SystemExit):  # rich ends the program when its pipe breaks
            self._broken = True

    def _show(self, report: Report) -> None:
        with self._lock:
            if self._broken:
                return
            match report:
                case Placed(generation):
                    self._introduce(generation)
                case Waiting(text) | Said(text):
                    self._say(text)
                case Started():
                    self._start(report)
                case Expected(kind, seconds):
                    self._expect(kind, seconds)
                case Step():
                    self._step(report)
                case Finished(item):
                    self._finish(item)

    def _print(self, text: str) -> None:
        console = self._progress.console if self._progress else self._console
        console.print(visible(text), markup=False)

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._print(text)

    def _introduce(self, generation: Generation) -> None:
        self._say(f"order {generation.generation_id}: {shortened(generation.prompt)}")

    def _start(self, started: Started) -> None:
        self.stop()
        self._introduce(started.generation)
        for label in started.labels:
            self._print(label)
        self._counts = Counter(item.kind for item in started.items)
        planned = Counter(item.kind for item in started.items if item.state == "planned")
        done = len(started.items) - planned.total()
        if done:
            self._print(f"{done} of {len(started.items)} are made already")
        usual = {**started.usual, **started.paces}
        self._estimate = Estimate({kind: planned[kind] for kind in KINDS}, usual)
        known = set(started.paces) >= {kind for kind in KINDS if planned[kind]}
        if known and (left := self._estimate.seconds_left()):
            self._print(f"it takes about {spoken_duration(left)}, as it lately did")
        self._heard_at = self._started_at = monotonic()
        if self._console.is_terminal:
            self._open_bar(started, done)

    def _expect(self, kind: Kind, seconds: float) -> None:
        count = self._estimate.expect(kind, seconds)
        self._say(
            f"{count} {kind}{'s' * (count != 1)}: about {spoken_duration(count * seconds)}, as just measured here"
        )

    def _open_bar(self, started: Started, done: int) -> None:
        from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
        from rich.text import Text

        told = self._times

        class Times(ProgressColumn):
            """Goes on while a step takes its time."""

            def render(self, task: Task) -> Text:
                return Text(told())

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[made]}"),
            Times(),
            console=self._console,
            transient=True,
        )
        total = sum(USUAL_RATIO[item.kind] for item in started.items)
        self._finished = sum(USUAL_RATIO[item.kind] for item in started.items if item.state != "planned")
        self._made, self._total = done, len(started.items)
        self._bar = self._progress.add_task("starting", total=total, made=f"{done} of {self._total}")
        self._progress.update(self._bar, completed=self._finished)
        self._progress.start()

    def _step(self, step: Step) -> None:
        kind, share = step.item.kind, step.share
        seconds = self._since_last()
        self._estimate.advance(kind, share, 0.0 if self._preparing else seconds)
        self._preparing = step.total == 0
        if self._preparing and not self._progress:
            self._say(step.text)
        if self._progress and self._bar is not None:
            self._progress.update(
                self._bar,
                description=f"{self._name(step.item)}: {step}",
                completed=self._finished + USUAL_RATIO[kind] * share,
            )

    def _finish(self, item: Item) -> None:
        self._estimate.finish(item.kind)
        if self._progress and self._bar is not None:
            self._finished += USUAL_RATIO[item.kind]
            self._made += 1
            self._progress.update(self._bar, completed=self._finished, made=f"{self._made} of {self._total}")
            if item.error:
                self._print(f"{self._name(item)} failed: {item.error}")
        else:
            self._print(f"{self._name(item)}: {item.error or item.path} ({self._times()})")

    def _since_last(self) -> float:
        now = monotonic()
        seconds, self._heard_at = now - self._heard_at, now
        return seconds

    def _times(self) -> str:
        gone = monotonic() - self._started_at
        left = self._estimate.seconds_left()
        quiet = monotonic() - self._heard_at
        stalled = f" (stalled? no step for {duration(quiet)})" if quiet > STALLED else ""
        return f"{duration(gone)} gone, {duration(left) if left is not None else '?'} left{stalled}"

    def _name(self, item: Item) -> str:
        count = self._counts[item.kind]
        return f"{item.name} of {count}" if item.number <= count else item.name  # one made again keeps its number

    def stop(self) -> None:
        """Take the live display away, for what is printed after it."""
        with self._lock:
            progress, self._progress = self._progress, None
            if progress and not self._broken:
                progress.stop()
