"""Sending what is due: each notice is claimed before it is sent, and one that cannot be sent is tried again later.

Nothing is sent twice, however many look, but for one case: whoever dies or is ended between a server's taking over a
notice and recording that leaves it to be sent again, at the latest when the claim's lease has run out. A mail then has
the same Message-ID.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Self

from aigen.content import ContentFolder
from aigen.errors import AigenError, NotDelivered
from aigen.notify import channels, links, messages
from aigen.notify.links import Link
from aigen.notify.messages import Message
from aigen.settings import Settings
from aigen.store import LONGEST_PAUSE, NOTICE_ATTEMPTS, Store
from aigen.times import Clock, utc_now
from aigen.types.rows import Event, Generation, Notice, Status
from aigen.wording import shortened

STATUS_OF: dict[Event, Status] = {"completed": "Completed", "failed": "Failed"}
FIRST_PAUSE = timedelta(minutes=1)
# Seconds between two looks for what is due, and those that an ending process leaves to what is just being sent.
PERIOD = 1.0
PATIENCE = 0.4
# Seconds after which it is looked again when the store could not be used.
RECOVERY = 10.0


@dataclass(frozen=True)
class Courier:
    """Who delivers, and the world it does that in.

    `settings` are read for each notice: what was wrong can be mended. `links` holds the links of
    notices that could not be sent yet, by what these are about: the store has only their hashes, and each attempt sends
    the same.
    """

    content: ContentFolder
    settings: Callable[[], Settings]
    clock: Clock = utc_now
    send: Callable[[str, Message, Settings], None] = channels.send
    log: Callable[[str], object] = lambda text: None
    links: dict[tuple[str, str, Event], Link] = field(default_factory=dict)
    claim: str = field(default_factory=lambda: f"{os.getpid()}-{secrets.token_hex(4)}")


def deliver_due(
    courier: Courier,
    store: Store,
    pattern: str,
    generation_id: str | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[NotDelivered]:
    """Send the notices by channels of this `pattern` that are due now,
    of one order or of all; what could not be sent.
    """
    failures = []
    while not stopped() and (notice := store.claim_notice(courier.claim, pattern, courier.clock(), generation_id)):
        if failure := _deliver(courier, store, notice):
            failures.append(failure)
    return failures


@contextmanager
def giving_back(courier: Courier, store: Store) -> Iterator[None]:
    """Give back what is just being sent when Ctrl-C comes between."""
    try:
        yield
    except KeyboardInterrupt:
        store.release_notices(courier.claim)
        raise


def deliver_everywhere(courier: Courier, store: Store, generation_id: str | None = None) -> list[NotDelivered]:
    """Send what is due by every channel but the terminal; what could not be sent."""
    return [failure for pattern in channels.LANES for failure in deliver_due(courier, store, pattern, generation_id)]


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: a minute, then twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * int(2 ** (attempts - 1)), LONGEST_PAUSE)


def _deliver(courier: Courier, store: Store, notice: Notice) -> NotDelivered | None:
    order = store.generation(notice.generation_id)
    if order is None or order.status != STATUS_OF.get(notice.event, order.status):
        store.drop_notice(notice)  # erased, cancelled or begun anew this moment
        return None
    name = f"{channels.display_name(notice.channel)} about order {notice.generation_id}"
    try:
        settings = courier.settings()
        url = links.base_url(settings, courier.content)
        link = _link(courier, store, notice, order)
        if link is None:
            store.drop_notice(notice)
            return None
        message = messages.compose(store, courier.content, notice, order, link, url, courier.clock)
        courier.send(notice.channel, message, settings)
    except AigenError as error:
        reason = shortened(channels.without_secrets(str(error), notice.channel), 300)
        tried = isinstance(error, NotDelivered)  # else it is a setting, which is no attempt
        final = isinstance(error, NotDelivered) and (error.lasting or notice.attempts >= NOTICE_ATTEMPTS)
        next_at = None if final else courier.clock() + (pause_after(notice.attempts) if tried else FIRST_PAUSE)
        store.postpone_notice(notice, reason, next_at, tried)
        if final:
            courier.links.pop(_about(notice), None)
        then = f"next try at {next_at.astimezone():%H:%M:%S}" if next_at else "given up"
        courier.log(f"not sent: {name}: {reason}; attempt {notice.attempts} of {NOTICE_ATTEMPTS}, {then}")
        return NotDelivered(f"the notice by {channels.display_name(notice.channel)} could not be sent: {reason}", final)
    courier.links.pop(_about(notice), None)
    again = "" if store.finish_notice(notice, courier.clock()) else ", but too late: it will be sent again"
    courier.log(f"sent: {name}{again}")
    return None


def _about(notice: Notice) -> tuple[str, str, Event]:
    """What no other notice is about; the id of one that was erased may be given to another."""
    return notice.generation_id, notice.channel, notice.event


def _link(courier: Courier, store: Store, notice: Notice, order: Generation) -> Link | None:
    """Return the link of a notice: the same for every attempt of this process, until half its time is over.

    None if the address that it would confirm is confirmed.
    """
    kept = courier.links.get(_about(notice))
    if kept is None or kept.expires_at - courier.clock() < links.LIFETIME / 2:
        if notice.event == "confirm":
            kept = links.make_confirmation(store, order, notice.channel, courier.clock)
        else:
            kept = links.make(store, order, courier.clock)
        if kept:
            courier.links[_about(notice)] = kept
    return kept


class Rounds:
    """Delivers in the background for as long as the context lasts, each kind of channel in a thread of its own.

    At its end what is just being sent has `patience` seconds, or few when it ends by an error or Ctrl-C; what is not
    sent by then is given back.
    """

    def __init__(self, courier: Courier, period: float = PERIOD, patience: float = PATIENCE) -> None:
        self._courier = courier
        self._period = period
        self._patience = patience
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._lanes = [
            threading.Thread(target=self._serve, args=[pattern], name=f"notices {pattern}", daemon=True)
            for pattern in channels.LANES
        ]

    def __enter__(self) -> Self:
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        end = monotonic() + (self._patience if kind is None else PATIENCE)
        for lane in self._lanes:
            lane.join(max(0.0, end - monotonic()))
        if any(lane.is_alive() for lane in self._lanes):
            with Store.open(self._courier.content) as store:
                store.release_notices(self._courier.claim)

    def check(self) -> None:
        """Raise what has ended a thread, which only an error in this program can."""
        if self._errors:
            raise self._errors[0]

    def _serve(self, pattern: str) -> None:
        while not self._stop.is_set():
            try:
                with Store.open(self._courier.content, create=True) as store:
                    tick(
                        partial(deliver_due, self._courier, store, pattern, stopped=self._stop.is_set),
                        self._period,
                        self._stop,
                    )
            except AigenError as error:  # a store that is busy, a disk that is full: that may end
                self._courier.log(f"no notices can be sent: {error}; tried again in {RECOVERY:.0f} s")
                self._stop.wait(RECOVERY)
            except BaseException as error:
                self._errors.append(error)
                return


def tick(job: Callable[[], object], period: float, stop: threading.Event) -> None:
    """Do a job at once and then every `period` seconds, until `stop` is set."""
    from schedule import Scheduler

    ticker = Scheduler()
    ticker.every(period).seconds.do(job)  # type: ignore[arg-type]
    ticker.run_all()
    while not stop.wait(min(period, max(0.0, ticker.idle_seconds or 0.0))):
        # It reckons in local time, so that after a step back, such as the end
        # of summer time, it would pause for an hour.
        if (ticker.idle_seconds or 0.0) > period:
            ticker.run_all()
        ticker.run_pending()
