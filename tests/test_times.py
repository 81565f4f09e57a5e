import contextlib
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.errors import UsageError
from aigen.times import from_text, resolve, to_text

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)  # 12:00 in Berlin


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (None, "2026-11-21T11:00:00+00:00"),
        ("  ", "2026-11-21T11:00:00+00:00"),
        ("18:30", "2026-11-21T17:30:00+00:00"),
        ("6:30", "2026-11-21T05:30:00+00:00"),  # has passed: due as soon as it is ready
        ("tomorrow 06:30", "2026-11-22T05:30:00+00:00"),
        ("2026-12-24T18:30", "2026-12-24T17:30:00+00:00"),
        ("2026-12-24T18:30Z", "2026-12-24T18:30:00+00:00"),
        ("2026-07-01 08:00", "2026-07-01T06:00:00+00:00"),
    ],
)
def test_when_is_resolved_to_utc(when: str | None, expected: str) -> None:
    assert to_text(resolve(when, NOON, BERLIN)) == expected


def test_a_time_that_a_clock_change_skips_moves_forward() -> None:
    night = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
    assert to_text(resolve("tomorrow 02:30", night, BERLIN)) == "2026-03-29T01:30:00+00:00"  # 03:30 there


def test_of_a_time_that_happens_twice_the_first_is_taken() -> None:
    night = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    assert to_text(resolve("tomorrow 02:30", night, BERLIN)) == "2026-10-25T00:30:00+00:00"


def test_the_day_is_the_local_one() -> None:
    late = datetime(2026, 11, 21, 23, 50, tzinfo=UTC)  # 00:50 on the 22nd in Berlin
    assert to_text(resolve("00:55", late, BERLIN)) == "2026-11-21T23:55:00+00:00"


@pytest.mark.parametrize(
    "when", ["25:00", "18.30", "18:60", "soon", "tomorrow", "2026-13-01T10:00", "2026-12-24", "1830", "٣:٠٠x"]
)
def test_bad_times_are_refused_by_name(when: str) -> None:
    with pytest.raises(UsageError, match="HH:MM"):
        resolve(when, NOON, BERLIN)


@given(st.text(max_size=40))
def test_any_text_resolves_or_is_refused(when: str) -> None:
    with contextlib.suppress(UsageError):
        assert resolve(when, NOON, BERLIN).tzinfo is UTC


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)))
def test_what_is_stored_is_read_back(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=0)
    assert from_text(to_text(moment)) == moment


ON_THE_WALL = (
    ("2027-03-28T02:30", "2027-03-28T01:30:00+00:00"),  # skipped: it is 03:30 then
    ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),  # twice: the first
    ("2026-11-21T24:00", "2026-11-21T23:00:00+00:00"),
    ("24:00", "2026-11-21T23:00:00+00:00"),
    ("midnight", "2026-11-21T23:00:00+00:00"),
    ("tomorrow noon", "2026-11-22T11:00:00+00:00"),
    ("noon", "2026-11-21T11:00:00+00:00"),
    ("9pm", "2026-11-21T20:00:00+00:00"),
    ("9:30 p.m.", "2026-11-21T20:30:00+00:00"),
    ("12am", "2026-11-20T23:00:00+00:00"),
    ("tomorrow at 12 PM", "2026-11-22T11:00:00+00:00"),
    ("18:30:45", "2026-11-21T17:30:45+00:00"),
    ("today 07:00", "2026-11-21T06:00:00+00:00"),
    ("2026-12-24T18:30:15", "2026-12-24T17:30:15+00:00"),
)


@pytest.mark.parametrize(("when", "expected"), ON_THE_WALL)
def test_a_time_is_that_of_the_clock_on_the_wall(when: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command resolves it: by the zone of the machine, with none handed in."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        assert resolve(when, now).isoformat() == expected
        assert resolve(when, now, ZoneInfo("Europe/Berlin")).isoformat() == expected
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


@pytest.mark.parametrize("when", ["9", "13pm", "0am", "24:01", "24:00:01", "18:60", "18:30:60", "tomorrow", "noon pm"])
def test_a_time_that_no_clock_shows_is_refused(when: str) -> None:
    with pytest.raises(UsageError, match="is not known"):
        resolve(when, datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
