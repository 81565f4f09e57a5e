import contextlib
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
