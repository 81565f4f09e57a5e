import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import schedule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigen.content import ContentFolder
from aigen.errors import GenerationError, NotDelivered
from aigen.notify import channels, delivery
from aigen.notify.delivery import Courier, Rounds, deliver_due, deliver_everywhere
from aigen.notify.messages import Message
from aigen.orders import lifecycle, placing
from aigen.orders.context import Context
from aigen.settings import Settings
from aigen.store import Store
from aigen.store.hashing import hash_token
from aigen.times import from_text, resolve, to_text
from aigen.types.request import Draft
from tests.conftest import Scribbler, StillClock, wait_for
from tests.notices import Recorder, order_ready

ANA, BOB = "mailto:ana@example.org", "mailto:bob@example.org"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def courier(content: ContentFolder, clock: StillClock, recorder: Recorder) -> Courier:
    return Courier(content, lambda: Settings({}), clock, recorder)


def states(store: Store) -> dict[str, tuple[str, int]]:
    return {
        notice.channel: (notice.state, notice.attempts) for notice in store.notices() if notice.event == "completed"
    }


# Each once, at its time


def test_each_channel_is_sent_once_and_recorded(context: Context, courier: Courier, recorder: Recorder) -> None:
    order = order_ready(context, "desktop", ANA, "terminal", "ntfy://topic")
    assert deliver_everywhere(courier, context.store) == []
    assert deliver_everywhere(courier, context.store) == []
    assert recorder.channels == ["desktop", ANA, "ntfy://topic"]
    assert states(context.store)["terminal"] == ("ready", 0)  # that is for a terminal to show
    for notice in context.store.notices(order.generation_id):
        if notice.channel != "terminal":
            assert (notice.state, notice.attempts, notice.sent_at) == ("sent", 1, "2026-11-21T12:00:00+00:00")


def test_all_attempts_at_a_notice_have_one_link(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    def refuse(*_: object) -> None:
        raise NotDelivered("the server is down")

    def links() -> list[dict[str, object]]:
        return context.store._read("SELECT * FROM links")

    order_ready(context, ANA)
    down = replace(courier, send=refuse)
    for _ in range(3):
        assert len(deliver_everywhere(down, context.store)) == 1
        clock.advance(3600)
    (kept,) = links()
    assert deliver_everywhere(courier, context.store) == []
    assert links() == [kept]
    ((_, message),) = recorder.sent
    assert hash_token(message.link.rpartition("/")[2]) == kept["token_hash"]
    assert (message.expires_at, courier.links) == (from_text(str(kept["expires_at"])), {})


def test_nothing_is_sent_before_its_time_or_before_the_order_has_ended(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    order_ready(context, "desktop", at="2026-11-21T12:00:10Z")
    placing.place(context, Draft(prompt="x", notify=(ANA,)), "ana")
    clock.advance(9)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == []
    clock.advance(1)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == ["desktop"]


def test_only_the_notices_of_one_order_are_sent_if_so_asked(
    context: Context, courier: Courier, recorder: Recorder
) -> None:
    order_ready(context, ANA)
    second = order_ready(context, BOB)
    deliver_everywhere(courier, context.store, second.generation_id)
    assert recorder.channels == [BOB]


def test_asked_before_midnight_and_ready_after_it(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock, scribbler: Scribbler
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    clock.now = datetime(2026, 11, 21, 22, 50, tzinfo=UTC)  # 23:50 there
    asked = to_text(resolve("23:55", clock.now, zone))
    scribbler.before = lambda task, run, number: clock.advance(20 * 60)
    order_ready(context, "desktop", at=asked)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == ["desktop"]


@pytest.mark.parametrize("late", [timedelta(minutes=5), timedelta(days=3)])
def test_what_became_due_while_nothing_ran_or_the_laptop_slept_is_sent_once(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock, late: timedelta
) -> None:
    order_ready(context, "desktop", at="2026-11-21T18:30:00Z")
    clock.now = datetime(2026, 11, 21, 18, 30, tzinfo=UTC) + late
    deliver_everywhere(courier, context.store)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == ["desktop"]


def test_at_once_is_at_once_also_when_the_clock_was_set_back(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    order_ready(context, "desktop")
    clock.advance(-86_400)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == ["desktop"]


ZONES = sorted(available_timezones())
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2045, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@given(
    zone=st.sampled_from(ZONES), now=MOMENTS, hour=st.integers(0, 23), minute=st.integers(0, 59), ahead=st.booleans()
)
def test_the_time_asked_for_is_the_one_on_the_wall(
    zone: str, now: datetime, hour: int, minute: int, ahead: bool
) -> None:
    """In every zone; one that the clock skips is a little later, of two that happen the first is meant."""
    here = ZoneInfo(zone)
    due = resolve(f"{'tomorrow ' if ahead else ''}{hour:02}:{minute:02}", now, here)
    local, today = due.astimezone(here), now.astimezone(here).date()
    wanted = datetime(today.year, today.month, today.day, hour, minute) + timedelta(days=ahead)
    shift = local.replace(tzinfo=None) - wanted
    assert local.fold == 0 or shift
    if shift:  # the clock skips it: what the clock said before the step would have come to it
        assert timedelta(0) < shift <= timedelta(days=1)
        before = (due - shift).astimezone(here)
        assert before.utcoffset() != local.utcoffset() or shift == timedelta(days=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_clock_does_each_notice_is_sent_exactly_once_and_never_late(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock, scribbler: Scribbler, data: Any
) -> None:
    """Looks at any times, jumps in both directions, failures and deaths in between."""
    store = context.store
    clock.now = data.draw(MOMENTS).replace(microsecond=0)
    due = clock.now + timedelta(seconds=data.draw(st.integers(-90_000, 90_000)))
    took = data.draw(st.integers(0, 90_000))
    scribbler.before = lambda task, run, number: clock.advance(took)
    order = order_ready(context, "desktop", at=to_text(due))
    recorder.sent.clear()
    has_come = due <= datetime.fromisoformat(order.requested_at)
    for _ in range(data.draw(st.integers(0, 8))):
        clock.advance(data.draw(st.one_of(st.integers(-100_000, 100_000), st.integers(0, 7200))))
        has_come = has_come or clock.now >= due
        event = data.draw(st.sampled_from(["look", "fail", "die"]))
        if event == "die":
            store.claim_notice("somebody", "desktop", clock(), order.generation_id)
            continue
        recorder.raises = {"desktop": NotDelivered("down")} if event == "fail" else {}
        so_far = len(recorder.sent)
        deliver_due(courier, store, "desktop", order.generation_id)
        if len(recorder.sent) > so_far:
            assert has_come
    recorder.raises = {}
    (notice,) = store.notices(order.generation_id)
    # From here on nothing is in the way: two hours after it is due, which is as long as a pause can seem to last after
    # the clock was put back, it has been sent.
    while not recorder.sent and notice.attempts < 10:
        before = clock.now
        for clock.now in (max(before, due), max(before, due) + timedelta(hours=2)):
            deliver_due(courier, store, "desktop", order.generation_id)
        assert recorder.sent, (before, notice)
    deliver_due(courier, store, "desktop", order.generation_id)
    clock.advance(100_000)
    deliver_due(courier, store, "desktop", order.generation_id)
    assert len(recorder.sent) == 1


# What cannot be sent


def test_it_is_tried_again_with_growing_pauses_and_then_given_up(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    order_ready(context, ANA, "desktop")
    recorder.raises[ANA] = NotDelivered("the server is down")
    pauses, log = [], []
    courier = replace(courier, log=log.append)
    for _ in range(10):
        failures = deliver_everywhere(courier, context.store)
        assert [str(failure) for failure in failures] == [f"the notice by {ANA} could not be sent: the server is down"]
        assert deliver_everywhere(courier, context.store) == []  # not before the pause is over
        next_at = context.store.notices()[0].next_at
        if next_at:
            pause = datetime.fromisoformat(next_at) - clock()
            pauses.append(pause.total_seconds() / 60)
            clock.advance(pause.total_seconds())
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    notice = context.store.notices()[0]
    assert (notice.state, notice.attempts, notice.error) == ("failed", 10, "the server is down")
    clock.advance(10_000)
    assert deliver_everywhere(courier, context.store) == []
    assert recorder.channels == ["desktop"]  # one channel's failure does not repeat another's success
    assert log[-1].endswith("the server is down; attempt 10 of 10, given up")


def test_down_and_then_up_again(context: Context, courier: Courier, recorder: Recorder, clock: StillClock) -> None:
    order_ready(context, ANA)
    recorder.raises[ANA] = NotDelivered("down")
    deliver_everywhere(courier, context.store)
    recorder.raises.clear()
    clock.advance(60)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == [ANA]
    assert context.store.notices()[0].error is None


def test_what_would_fail_alike_is_not_tried_again(context: Context, courier: Courier, recorder: Recorder) -> None:
    order_ready(context, ANA)
    recorder.raises[ANA] = NotDelivered("no such user", lasting=True)
    deliver_everywhere(courier, context.store)
    assert states(context.store) == {ANA: ("failed", 1)}


def test_a_setting_that_cannot_be_read_is_the_reason_and_can_be_mended(
    context: Context, courier: Courier, clock: StillClock, recorder: Recorder
) -> None:
    order_ready(context, ANA)
    values = {"AIGEN_BASE_URL": "nonsense"}
    courier = replace(courier, settings=lambda: Settings(values))
    (failure,) = deliver_everywhere(courier, context.store)
    assert "AIGEN_BASE_URL" in str(failure)
    assert states(context.store) == {ANA: ("ready", 0)}  # which is no attempt
    values.clear()
    clock.advance(60)
    assert deliver_everywhere(courier, context.store) == []
    assert recorder.channels == [ANA]


def test_a_failed_order_is_told_at_once_and_with_its_reason(
    context: Context, courier: Courier, recorder: Recorder, scribbler: Scribbler, clock: StillClock
) -> None:
    scribbler.fail.add(1)
    with pytest.raises(GenerationError):
        order_ready(context, ANA, at="2026-11-21T18:30:00Z", images=2)
    deliver_everywhere(courier, context.store)
    ((_, message),) = recorder.sent
    assert message.title == "Failed: a kite"
    assert "image 1: the pen broke" in message.facts[0]
    assert message.facts[1].startswith("1 of 2 are made and stay. Try again: aigen resume ")
    assert len(message.pictures) == 1

    # Made after all, it is told at its time; and a second failure would be another message.
    order = context.store.generations()[0]
    with pytest.raises(GenerationError):
        lifecycle.resume(context, order.generation_id)
    deliver_everywhere(courier, context.store)
    assert len({message.key for _, message in recorder.sent}) == 2
    scribbler.fail.clear()
    lifecycle.resume(context, order.generation_id)
    clock.now = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
    deliver_everywhere(courier, context.store)
    assert recorder.sent[-1][1].title == "Ready: a kite"
    assert len(recorder.sent) == 3


# Side by side, and dying


def test_what_another_has_claimed_is_left_until_its_lease_is_over(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    order_ready(context, ANA)
    taken = context.store.claim_notice("another", "mailto:*", clock())
    assert taken is not None
    clock.advance(299)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == []
    clock.advance(1)
    deliver_everywhere(courier, context.store)
    assert recorder.channels == [ANA]
    assert not context.store.finish_notice(taken, clock())  # the other has lost it
    assert states(context.store) == {ANA: ("sent", 2)}


def test_a_notice_whose_senders_keep_dying_is_given_up(
    context: Context, courier: Courier, recorder: Recorder, clock: StillClock
) -> None:
    order_ready(context, ANA)
    for _ in range(10):
        assert context.store.claim_notice("victim", "mailto:*", clock())
        clock.advance(300)
    deliver_everywhere(courier, context.store)
    (notice,) = context.store.notices()
    assert (notice.state, notice.error, recorder.sent) == ("failed", "who was sending it died", [])


def test_a_notice_sent_again_has_the_same_key(context: Context, courier: Courier, recorder: Recorder) -> None:
    order_ready(context, ANA)

    class Death(BaseException):
        pass

    def die(channel: str, message: Message, told: Settings) -> None:
        recorder(channel, message, told)
        raise Death

    with pytest.raises(Death):
        deliver_everywhere(replace(courier, send=die, links={}), context.store)
    assert isinstance(courier.clock, StillClock)
    courier.clock.advance(300)
    deliver_everywhere(courier, context.store)
    first, second = (message for _, message in recorder.sent)
    assert first.key == second.key
    assert first.link != second.link


class Hanging:
    """A channel of which mails hang until they are released."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.asked, self.release = recorder, threading.Event(), threading.Event()

    def __call__(self, channel: str, message: Message, told: Settings) -> None:
        if channel.startswith("mailto:"):
            self.asked.set()
            self.release.wait(20)
        self.recorder(channel, message, told)


@pytest.fixture
def hanging(recorder: Recorder) -> Iterator[Hanging]:
    hanging = Hanging(recorder)
    yield hanging
    hanging.release.set()


def test_one_channel_that_hangs_delays_no_other(
    context: Context, courier: Courier, recorder: Recorder, hanging: Hanging
) -> None:
    order_ready(context, ANA, "desktop", "ntfy://topic")
    with Rounds(replace(courier, send=hanging), period=0.05):
        wait_for(lambda: len(recorder.sent) == 2 and hanging.asked.is_set())
        assert sorted(recorder.channels) == ["desktop", "ntfy://topic"]
        order_ready(context, "desktop")
        wait_for(lambda: recorder.channels.count("desktop") == 2)


def test_ending_gives_back_what_hangs(context: Context, courier: Courier, recorder: Recorder, hanging: Hanging) -> None:
    order_ready(context, ANA)
    with Rounds(replace(courier, send=hanging), period=0.05):
        wait_for(hanging.asked.is_set)
    assert states(context.store) == {ANA: ("ready", 0)}
    deliver_everywhere(courier, context.store)
    assert recorder.channels == [ANA]


def test_ending_lets_what_is_nearly_done_finish(
    context: Context, courier: Courier, recorder: Recorder, hanging: Hanging
) -> None:
    order_ready(context, ANA)
    with Rounds(replace(courier, send=hanging), period=0.05):
        wait_for(hanging.asked.is_set)
        threading.Timer(0.2, hanging.release.set).start()
    assert states(context.store) == {ANA: ("sent", 1)}


def test_ending_in_peace_waits_and_sends_nothing_twice(
    context: Context, courier: Courier, recorder: Recorder, hanging: Hanging
) -> None:
    order_ready(context, ANA)
    with Rounds(replace(courier, send=hanging), period=0.05, patience=20):
        wait_for(hanging.asked.is_set)
        threading.Timer(1.0, hanging.release.set).start()
    deliver_everywhere(courier, context.store)
    assert recorder.channels == [ANA]
    assert states(context.store) == {ANA: ("sent", 1)}


def test_what_was_sent_after_it_was_given_back_is_sent(context: Context, clock: StillClock) -> None:
    order_ready(context, ANA)
    notice = context.store.claim_notice("one", "mailto:*", clock())
    assert notice is not None
    context.store.release_notices("one")
    assert context.store.finish_notice(notice, clock())
    assert context.store.claim_notice("two", "mailto:*", clock()) is None


def test_a_failure_that_was_mended_or_cancelled_meanwhile_is_not_told(
    context: Context, courier: Courier, recorder: Recorder, scribbler: Scribbler, clock: StillClock
) -> None:
    scribbler.fail.add(1)
    with pytest.raises(GenerationError):
        order_ready(context, ANA)
    (order,) = context.store.generations()
    assert context.store.claim_notice("one", "mailto:*", clock())
    context.store.cancel(order.generation_id)
    clock.advance(300)
    assert deliver_everywhere(courier, context.store) == []
    assert recorder.sent == []
    assert [notice.event for notice in context.store.notices()] == []


def test_ctrl_c_while_sending_gives_the_notice_back(context: Context, courier: Courier) -> None:
    def press(channel: str, message: Message, told: Settings) -> None:
        raise KeyboardInterrupt

    order_ready(context, ANA)
    pressed = replace(courier, send=press)
    with pytest.raises(KeyboardInterrupt), delivery.giving_back(pressed, context.store):
        deliver_everywhere(pressed, context.store)
    assert states(context.store) == {ANA: ("ready", 0)}


def test_a_secret_at_the_edge_of_a_long_reason_is_not_cut_but_hidden(
    context: Context, courier: Courier, recorder: Recorder
) -> None:
    token = "123456789:abcdefghijklmnop"
    recorder.raises[f"tgram://{token}/chat"] = NotDelivered("x" * 290 + token)
    order_ready(context, f"tgram://{token}/chat")
    (failure,) = deliver_everywhere(courier, context.store)
    (notice,) = context.store.notices()
    for told in (str(failure), str(notice.error)):
        assert "1234" not in told
        assert "abcd" not in told


def test_a_store_that_cannot_be_used_is_told_and_tried_again(
    courier: Courier,
    content: ContentFolder,
    monkeypatch: pytest.MonkeyPatch,
    recorder: Recorder,
    clock: StillClock,
    scribbler: Scribbler,
) -> None:
    monkeypatch.setattr(delivery, "RECOVERY", 0.1)
    content.root.mkdir()
    content.database.write_text("this is no database, but a text that is long enough to be taken for one" * 20)
    told: list[str] = []
    with Rounds(replace(courier, log=told.append), period=0.05) as rounds:
        wait_for(lambda: told)
        assert "no notices can be sent: " in told[0]
        assert "is not a store of aigen" in told[0]
        content.database.unlink()
        with Store.open(content, create=True) as store:
            order_ready(Context(content, store, load=lambda name, settings: scribbler, clock=clock), "desktop")
        wait_for(lambda: recorder.channels == ["desktop"])
        rounds.check()


def test_the_ticker_goes_on_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of summer time, for the library reckons in local time."""

    class Clock(datetime):
        back = timedelta(0)

        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - cls.back

    class Module:
        datetime, timedelta = Clock, timedelta

    monkeypatch.setattr(schedule, "datetime", Module)
    stop, beats = threading.Event(), []
    ticking = threading.Thread(target=delivery.tick, args=[lambda: beats.append(1), 0.02, stop])
    ticking.start()
    wait_for(lambda: len(beats) >= 3)
    Clock.back = timedelta(hours=1)
    so_far = len(beats)
    wait_for(lambda: len(beats) >= so_far + 3, seconds=10)
    stop.set()
    ticking.join()


# Channels


@pytest.mark.parametrize(
    ("channel", "shown"),
    [
        ("terminal", "terminal"),
        (ANA, ANA),
        ("slack://TokenA/TokenB/TokenC/#general", "slack://…"),
        ("ntfy://user:secret@host/topic", "ntfy://…"),
    ],
)
def test_a_messengers_url_is_never_shown(channel: str, shown: str) -> None:
    assert channels.display_name(channel) == shown


def test_no_secret_of_a_url_stays_in_a_reason() -> None:
    reason = channels.without_secrets(
        "cannot post to https://hooks.example.org/TokenA/s%40cret as s@cret (slack)", "slack://TokenA/s%40cret/x"
    )
    assert reason == "cannot post to https://hooks.example.org/…/… as … (slack)"
    assert channels.without_secrets("535 ana@example.org", ANA) == "535 ana@example.org"


def test_whatever_breaks_behind_a_channel_is_a_reason(context: Context, courier: Courier) -> None:
    order_ready(context, "odd://x")
    courier = replace(courier, send=channels.send)
    (failure,) = deliver_everywhere(courier, context.store)
    assert "Apprise" in str(failure)
