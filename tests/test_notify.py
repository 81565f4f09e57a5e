from conftest import StillClock

from aigen import generation, notify
from aigen.generation import Workshop
from aigen.types import GenerationRequest


def test_waiting_lasts_until_the_time_has_come(workshop: Workshop, clock: StillClock) -> None:
    request = GenerationRequest(prompt="x", notify_at="2026-11-21T12:00:12Z")
    order = generation.place(workshop, request, "ana")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    notify.wait_until_due(order, clock, sleep)
    assert slept == [5.0, 5.0, 2.0]
    notify.wait_until_due(order, clock, sleep)
    assert len(slept) == 3


def test_the_terminal_is_told_and_it_is_recorded(workshop: Workshop, clock: StillClock) -> None:
    request = GenerationRequest(prompt="x", images=1, videos=0, notify=("terminal", "desktop"))
    order = generation.generate(workshop, request, "ana")
    told: list[bool] = []
    notify.tell_terminal(order, workshop.store, clock, lambda: told.append(True))
    states = {row["channel"]: (row["state"], row["sent_at"]) for row in workshop.store.notices(order.generation_id)}
    assert told == [True]
    assert states == {"terminal": ("sent", "2026-11-21T12:00:00+00:00"), "desktop": ("ready", None)}
    assert notify.undelivered(order) == ["desktop"]
