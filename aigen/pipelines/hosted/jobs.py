"""The life of a job: intended, submitted, ready, fetched. Each state is committed before the next step.

Nothing is bought twice: what was intended before a crash has an unknown outcome, and is bought again only if the user
says so. Nothing is lost: errors while polling and downloading never fail a job.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from time import monotonic

from aigen.errors import CostError, Interrupted, ProviderError
from aigen.pipelines.hosted.downloads import Downloads, save
from aigen.pipelines.hosted.families import ProviderInfo
from aigen.pipelines.hosted.lanes import Lane
from aigen.pipelines.hosted.provider import Accepted, ItemRequest, Pending, Provider, Ready, Rejected
from aigen.times import from_text
from aigen.types.pipeline import Failure, Job, Run

# Faults of a submission after which it is sent again, and of those how many in a row end the order.
_RETRIED, _UNREACHED_LIMIT = ("rate", "busy", "unreached"), 6
# After so many intervals between polls, pauses grow no longer.
_LONGEST_PAUSE = 12
# So many times in a row a job must be missing before it is called lost, and a key refused before an order waits: some
# providers list a new job late.
_PERSISTENT = 5
_FETCH_ATTEMPTS = 5


@dataclass(frozen=True)
class Patience:
    """Seconds between two polls, and until an order stops waiting for a job; how many jobs are in flight."""

    poll: float
    deadline: float
    parallel: int

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait before the next attempt, longer each time, with jitter."""
        return self.poll * min(2.0**attempt, _LONGEST_PAUSE) * random.uniform(1.0, 1.2)


class TooEarly(Exception):
    """The result cannot be had now, and the job goes on."""


@dataclass(frozen=True)
class Purchases:
    """Makes single items by a provider, each in the thread that asks for it.

    `tell` hears how far an item is: its seed, a text, and its progress from 0 to 1.
    """

    info: ProviderInfo
    provider: Provider
    lane: Lane
    patience: Patience
    run: Run
    work: Path
    stop: threading.Event
    downloads: Downloads
    tell: Callable[[int, str, float | None], None]
    asked: dict[str, float] = field(default_factory=dict)  # the price that the provider asks for, once it is known

    def make(self, seed: int, name: str, price: float | None, request: Callable[[], ItemRequest]) -> Job | Failure:
        """Return the fetched job of an item, whose file `name` is to go by; `request` is built only to buy it.

        Raises TooEarly, ProviderError if the order cannot go on, and Interrupted.
        """
        job = self.run.job(seed)
        if job and job.state == "fetched":
            if job.result and (self.work / job.result).exists():
                return job
            if job.id == job.key:  # it came with the answer itself, and cannot be asked for again
                job = self.run.save_job(seed, replace(job, id=None, state="lost"))
            else:
                job = replace(job, state="submitted")
        if job and job.is_unknown and job.id is None:
            return Failure(seed, self._unknown(job))
        buys = job is None or job.state == "failed"
        with self.lane.flight(self.stop, self.patience.parallel, buys):
            if job is None or buys:
                bought = self._buy(seed, price, name, request())
                if isinstance(bought, Failure):
                    return bought
                job = bought
            return self._finish(seed, job, name)

    def _unknown(self, job: Job) -> str:
        at = f" at {from_text(job.intended_at).astimezone():%H:%M on %Y-%m-%d}" if job.intended_at else ""
        return (
            f"it was ordered from {self.info.title}{at}, whose answer was lost, so it may have been paid for: "
            f"look at {self.info.page}, and add --buy-again to buy it again"
        )

    def _buy(self, seed: int, price: float | None, name: str, request: ItemRequest) -> Job | Failure:
        """Submit a job and return it."""
        attempt, unreached, until = 0, 0, monotonic() + self.patience.deadline
        while True:
            self._check_stop()
            intended = Job(key=token_hex(16), server=self.info.name, price=self._usual_price(price))
            try:
                intended = self.run.save_job(seed, intended)
            except CostError as error:
                return Failure(seed, str(error))
            self.tell(seed, f"sent to {self.info.title}", None)
            try:
                answer = self.provider.submit(request)
            except ProviderError as error:
                if not error.is_certain:
                    if not self.lane.is_accepted:
                        # Whoever answers like this may do so each time, and be paid for it.
                        error = ProviderError(f"{error}; {self._unknown(intended)}", error.fault)
                        self.lane.fail(error)
                        raise error from None
                    return Failure(seed, self._unknown(intended))
                self.run.drop_job(seed, intended)
                if error.fault == "moderation":
                    self.lane.accept()  # the key is right, and others may pass
                    return Failure(seed, str(error))
                unreached = unreached + 1 if error.fault == "unreached" else 0
                pause = max(error.retry_after or 0.0, self.patience.pause(attempt))
                if error.fault not in _RETRIED or unreached >= _UNREACHED_LIMIT or monotonic() + pause > until:
                    self.lane.fail(error)
                    raise
                self.tell(seed, f"{error}; trying again", None)
                attempt += 1
                self._sleep(pause)
                continue
            if isinstance(answer, Accepted):
                if answer.price is not None:
                    self.asked[self.info.name] = answer.price
                job = self.run.save_job(seed, replace(intended, id=answer.id, state="submitted", price=answer.price))
            else:
                self.lane.accept()
                return self._save(seed, intended, name, answer)
            self.lane.accept()
            return job

    def _usual_price(self, price: float | None) -> float | None:
        """Return what the next job may cost: as much as the provider asked for the last one, if that was more."""
        asked = self.asked.get(self.info.name)
        return price if asked is None or (price is not None and price >= asked) else asked

    def _finish(self, seed: int, job: Job, name: str) -> Job | Failure:
        """Wait for a job and fetch its result."""
        until = monotonic() + self.patience.deadline
        if job.state in ("submitted", "lost"):
            ended = self._wait(seed, job, until)
            if isinstance(ended, Failure):
                return ended
            job = ended
        if job.state == "ready":
            return self._fetch(seed, job, name)
        return job

    def _wait(self, seed: int, job: Job, until: float) -> Job | Failure:
        """Poll a job until it is ready. Raises TooEarly at the deadline."""
        missing, refused = 0, 0
        while True:
            self._check_stop()
            try:
                answer = self.provider.poll(job.id or "")
            except ProviderError as error:
                missing = missing + 1 if error.fault == "missing" else 0
                refused = refused + 1 if error.fault == "key" else 0
                if refused >= _PERSISTENT:
                    raise TooEarly(str(error)) from error
                if missing >= _PERSISTENT:
                    self.run.save_job(seed, replace(job, state="lost"))
                    return Failure(
                        seed,
                        f"{error}: job {job.id} may have been paid for; look at {self.info.page}, "
                        "and add --buy-again to buy it again",
                    )
                self.tell(seed, f"{error}; asking again", None)
            else:
                missing, refused = 0, 0
                if isinstance(answer, Ready):
                    return self.run.save_job(seed, replace(job, state="ready", result=answer.url, cost=answer.cost))
                if isinstance(answer, Rejected):
                    self.run.save_job(seed, replace(job, state="failed", cost=answer.cost))
                    return Failure(seed, answer.reason)
                self._tell_pending(seed, answer)
            pause = self.patience.pause(0)
            if monotonic() + pause > until:
                raise TooEarly
            self._sleep(pause)

    def _tell_pending(self, seed: int, answer: Pending) -> None:
        percent = f", {round(100 * answer.progress)} %" if answer.progress is not None else ""
        self.tell(seed, f"at {self.info.title}: {answer.text}{percent}", answer.progress)

    def _fetch(self, seed: int, job: Job, name: str) -> Job | Failure:
        """Download a result; ask for a fresh address where the old one does not work."""
        error: ProviderError | None = None
        for attempt in range(_FETCH_ATTEMPTS):
            self._check_stop()
            self.tell(seed, f"downloading from {self.info.title}", 1.0)
            try:
                path = self.downloads.fetch(job.result or "", self.work / name, self._check_stop)
                return self.run.save_job(seed, replace(job, state="fetched", result=path.name))
            except ProviderError as failed:
                error = failed
            self._sleep(self.patience.pause(attempt))
            try:
                answer = self.provider.poll(job.id or "")
            except ProviderError:
                continue  # the old address may work the next time
            if isinstance(answer, Ready) and answer.url:
                job = self.run.save_job(seed, replace(job, result=answer.url, cost=answer.cost))
        if error and error.fault in ("unreached", "unanswered"):
            raise TooEarly(str(error)) from error
        return Failure(seed, f"{error}; it is paid for, and can be downloaded again")

    def _save(self, seed: int, job: Job, name: str, answer: Ready) -> Job | Failure:
        """Keep a result that came with the answer itself."""
        try:
            path = save(self.info, answer.data or b"", self.work / name)
        except ProviderError as error:
            self.run.save_job(seed, replace(job, state="failed", cost=answer.cost))
            return Failure(seed, f"{error}; it is paid for")
        return self.run.save_job(seed, replace(job, id=job.key, state="fetched", result=path.name, cost=answer.cost))

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise Interrupted("the order ended")

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)
        self._check_stop()
