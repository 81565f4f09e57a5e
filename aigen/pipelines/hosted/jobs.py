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

from aigen.errors import ContentError, CostError, GenerationError, Interrupted, ProviderError, StoreError
from aigen.pipelines.hosted.downloads import Downloads, save
from aigen.pipelines.hosted.families import ProviderInfo
from aigen.pipelines.hosted.lanes import Lane
from aigen.pipelines.hosted.provider import BEING_MADE, Accepted, ItemRequest, Pending, Provider, Ready, Rejected
from aigen.times import from_text
from aigen.types.pipeline import Failure, Job, Run

# Faults of a submission after which it is sent again; all but `rate` only so many times in a row.
_RETRIED, _RETRY_LIMIT = ("rate", "busy", "unreached"), 6
# After so many intervals between polls, pauses grow no longer.
_LONGEST_PAUSE = 12
# So many times in a row a job must be missing before it is called lost, and a key refused before an order waits: some
# providers list a new job late.
_PERSISTENT = 5
_FETCH_ATTEMPTS, _RECORD_ATTEMPTS = 5, 3


@dataclass(frozen=True)
class Patience:
    """Seconds between two polls, and until an order stops waiting for a job; how many jobs are in flight.

    A deadline of 0 only collects what is ready.
    """

    poll: float
    deadline: float
    parallel: int

    @property
    def collects(self) -> bool:
        return self.deadline == 0

    @property
    def collect_after(self) -> float:
        """The seconds after which a worker looks again at jobs that were not done."""
        return 12 * self.poll

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait before the next attempt, longer each time, with jitter."""
        return self.poll * min(2.0**attempt, _LONGEST_PAUSE) * random.uniform(1.0, 1.2)


class TooEarly(Exception):
    """The result cannot be had now, and the job goes on."""


@dataclass(frozen=True)
class Purchases:
    """Makes single items by one model of a provider, each in the thread that asks for it.

    Once `stop` is set, threads end; once `halt` is, nothing more is bought. `tell` hears how far an item is: its seed,
    a text, and its progress from 0 to 1. `sending` holds the seeds of requests that are not answered.
    """

    info: ProviderInfo
    model: str
    provider: Provider
    lane: Lane
    patience: Patience
    run: Run
    work: Path
    downloads: Downloads
    tell: Callable[[int, str, float | None], None]
    stop: threading.Event = field(default_factory=threading.Event)
    halt: threading.Event = field(default_factory=threading.Event)
    sending: set[int] = field(default_factory=set)
    instead: dict[str, str] = field(default_factory=dict)  # models that there are not, and those asked for instead

    def make(self, seed: int, name: str, price: float | None, request: Callable[[], ItemRequest]) -> Job | Failure:
        """Return the fetched job of an item, whose file `name` is to go by; `request` is built only to buy it.

        Raises TooEarly, ProviderError if the order cannot go on, and Interrupted. Whatever else is wrong, nothing more
        is bought.
        """
        try:
            return self._make(seed, name, price, request)
        except (TooEarly, Interrupted):
            raise
        except BaseException:
            self.halt.set()
            raise

    def _make(self, seed: int, name: str, price: float | None, request: Callable[[], ItemRequest]) -> Job | Failure:
        job = self.run.job(seed)
        if job and job.state == "fetched":
            if job.result and (self.work / job.result).exists():
                return job
            if job.id == job.key:  # it came with the answer itself, and cannot be asked for again
                job = self.run.save_job(seed, replace(job, state="lost", id=None))
            else:
                job = replace(job, state="submitted")
        if job and job.is_unknown and job.id is None:
            return Failure(seed, self._unknown(job))
        buys = job is None or job.state == "failed"
        with self.lane.flight(self.model, self.stop, self.patience.parallel, buys):
            if job is None or buys:
                bought = self._buy(seed, price, name, request())
                if isinstance(bought, Failure):
                    return bought
                job = bought
            return self._finish(seed, job, name)

    def _unknown(self, job: Job) -> str:
        at = f" at {from_text(job.intended_at).astimezone():%H:%M on %Y-%m-%d}" if job.intended_at else ""
        return (
            f"it was ordered from {self.info.title}{at} and its result is lost, so it may have been paid for: "
            f"look at {self.info.page}, and add --buy-again to buy it again"
        )

    def _buy(self, seed: int, price: float | None, name: str, request: ItemRequest) -> Job | Failure:
        """Submit a job and return it. What was certainly not sold is sent again, within limits."""
        attempt, refused, until = 0, 0, monotonic() + self.patience.deadline
        used: str | None = None
        while True:
            self._check_stop()
            if other := self.instead.get(request.model):
                used, request = other, replace(request, model=other, instead=None)
            if self.halt.is_set():
                raise Interrupted("the order ended")
            intended = Job(key=token_hex(16), server=self.info.name, price=price, model=used)
            try:
                intended = self.run.save_job(seed, intended)
            except CostError as error:
                return Failure(seed, str(error))
            try:
                answer = self._submit(seed, request)
            except ProviderError as error:
                if not error.is_certain:
                    return self._lose(seed, intended, error)
                self.run.drop_job(seed, intended)
                if error.fault == "moderation":
                    return Failure(seed, str(error))
                if error.fault == "model" and request.instead:
                    self.instead[request.model] = request.instead
                    self.tell(seed, f"no {request.model} for this key: {request.instead} is used", None)
                    continue
                refused = 0 if error.fault == "rate" else refused + 1
                pause = max(error.retry_after or 0.0, self.patience.pause(attempt))
                if error.fault not in _RETRIED or refused >= _RETRY_LIMIT or monotonic() + pause > until:
                    if self.patience.collects and error.fault in (*_RETRIED, "key"):
                        raise TooEarly(str(error)) from error
                    self.lane.fail(error)
                    raise
                self.tell(seed, f"{error}; trying again", None)
                attempt += 1
                self._sleep(pause)
                continue
            sold = self._keep(seed, intended, name, answer)
            self.lane.accept(self.model)
            return sold

    def _submit(self, seed: int, request: ItemRequest) -> Accepted | Ready:
        self.tell(seed, f"sent to {self.info.title}", None)
        self.sending.add(seed)
        try:
            return self.provider.submit(request)
        finally:
            self.sending.discard(seed)

    def _lose(self, seed: int, intended: Job, error: ProviderError) -> Failure:
        """Return the failure of an item with an unknown outcome. While nothing was accepted yet, raise it instead: a
        provider that answers like this may do so each time, and be paid for it.
        """
        if self.lane.is_accepted(self.model):
            return Failure(seed, self._unknown(intended))
        told = ProviderError(f"{error}; {self._unknown(intended)}", error.fault)
        self.lane.fail(told)
        raise told from None

    def _keep(self, seed: int, job: Job, name: str, answer: Accepted | Ready) -> Job | Failure:
        """Record what was just sold, with its result if that came too."""
        if isinstance(answer, Accepted):
            return self._record(seed, replace(job, id=answer.id, state="submitted", price=answer.price))
        return self._keep_data(seed, job, name, answer, job.key)

    def _keep_data(self, seed: int, job: Job, name: str, answer: Ready, job_id: str | None) -> Job | Failure:
        """Write a result that came with an answer, and record it."""
        cost = _cost(job, answer)
        lost = replace(job, state="lost", cost=cost)
        try:
            path = save(self.info, answer.data or b"", self.work / name, self.downloads.kind)
        except ProviderError as error:
            self._record(seed, lost)
            return Failure(seed, f"{error}; it is paid for: add --buy-again to buy another")
        except OSError:
            self._record(seed, lost)
            raise
        return self._record(seed, replace(job, id=job_id, state="fetched", result=path.name, cost=cost))

    def _record(self, seed: int, job: Job) -> Job:
        """Save a job that was just sold, whatever it takes."""
        for _ in range(_RECORD_ATTEMPTS):
            try:
                return self.run.save_job(seed, job)
            except (StoreError, ContentError) as failed:
                error = failed
                self.stop.wait(0.5)
        raise GenerationError(f"{self.info.title} has accepted job {job.id}, which cannot be recorded: {error}")

    def _finish(self, seed: int, job: Job | Failure, name: str) -> Job | Failure:
        """Wait for a job and fetch its result."""
        if isinstance(job, Job) and job.state in ("submitted", "lost"):
            job = self._wait(seed, job, name, monotonic() + self.patience.deadline)
        if isinstance(job, Job) and job.state == "ready":
            job = self._fetch(seed, job, name)
        return job

    def _wait(self, seed: int, job: Job, name: str, until: float) -> Job | Failure:
        """Poll a job until it is ready, or fetched if the answer brings the result. Raises TooEarly at the deadline."""
        missing, refused, told = 0, 0, ""
        while True:
            self._check_stop()
            try:
                answer = self.provider.poll(job.id or "")
            except ProviderError as error:
                missing = missing + 1 if error.fault == "missing" else 0
                refused = refused + 1 if error.fault == "key" else 0
                if missing >= _PERSISTENT:
                    return self._miss(seed, job, error)
                if refused >= _PERSISTENT:
                    raise TooEarly(str(error)) from error
                told = str(error)
                self.tell(seed, f"{told}; asking again", None)
            else:
                missing, refused, told = 0, 0, ""
                if isinstance(answer, Ready) and answer.data:
                    return self._keep_data(seed, job, name, answer, job.id)
                if isinstance(answer, Ready):
                    cost = _cost(job, answer)
                    return self.run.save_job(
                        seed, replace(job, state="ready", result=answer.url or "", cost=cost, progress="ready")
                    )
                if isinstance(answer, Rejected):
                    self.run.save_job(seed, replace(job, state="failed", cost=answer.cost))
                    return Failure(seed, answer.reason)
                job = self._tell_pending(seed, job, answer)
            pause = self.patience.pause(0)
            # Whether a job is missing for good takes several looks, also for one who only collects.
            if monotonic() + pause > until and not (self.patience.collects and (missing or refused)):
                raise TooEarly(told)
            self._sleep(pause)

    def _miss(self, seed: int, job: Job, error: ProviderError) -> Failure:
        """Record that the provider does not know a job any more."""
        self.run.save_job(seed, replace(job, state="lost"))
        return Failure(
            seed,
            f"{error}, or {self.info.keys[0]} is of another account: job {job.id} may have been paid for; "
            f"look at {self.info.page}, and add --buy-again to buy it again",
        )

    def _tell_pending(self, seed: int, job: Job, answer: Pending) -> Job:
        """Report and save how far a job is."""
        percent = [f"{round(100 * answer.progress)} %"] if answer.progress is not None else []
        told = ", ".join([*([answer.text] if answer.text != BEING_MADE else []), *percent])
        self.tell(seed, ", ".join([f"at {self.info.title}: {answer.text}", *percent]), answer.progress)
        if (told or None) == job.progress:
            return job
        return self.run.save_job(seed, replace(job, progress=told or None))

    def _fetch(self, seed: int, job: Job, name: str) -> Job | Failure:
        """Download a result; ask for a fresh address where the old one does not work."""
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
                job = self.run.save_job(seed, replace(job, result=answer.url))
        if error.fault in ("unreached", "unanswered"):
            raise TooEarly(str(error)) from error
        # It may be bought again, if the user says so; without that, it is asked for again.
        self.run.save_job(seed, replace(job, state="lost"))
        return Failure(
            seed, f"{error}; it is paid for: resume tries to download it again, and --buy-again buys another"
        )

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise Interrupted("the order ended")

    def _sleep(self, seconds: float) -> None:
        self.stop.wait(seconds)
        self._check_stop()


def _cost(job: Job, answer: Ready) -> float | None:
    """Return what a job cost; where the provider does not say, what it was estimated at."""
    return job.price if answer.cost is None else answer.cost
