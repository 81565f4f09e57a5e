"""Times: the clock's reading as the store keeps it, and WHEN (`--notify-at`) resolved to UTC.

WHEN is resolved when the order is placed, never when it ends: asked at 23:50 for 23:55 and done at 00:10, the notice is
due at once and not a day later.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from aigen.errors import UsageError

Clock = Callable[[], datetime]

_TIME_OF_DAY = re.compile(
    r"(?:(today|tomorrow)\s+)?(?:at\s+)?"
    r"(?:(noon|midnight)|([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?\s*([ap]\.?m\.?)?)",
    re.IGNORECASE,
)
_DATE_AND_TIME = re.compile(r"[0-9].*[T ][0-9].*")


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def start_of_month(moment: datetime) -> str:
    """Return when the calendar month of a time began, in UTC, as the store keeps times."""
    return to_text(moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def to_text(moment: datetime) -> str:
    """An instant as the store keeps it: ISO 8601, UTC, seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def resolve(when: str | None, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The instant that WHEN means to somebody who says it at `now` in `zone` (None: this machine's).

    WHEN is a time of day (`18:30`, `9pm`, `noon`, `24:00`) on the local day of the request, one `tomorrow`, or ISO
    8601; nothing means at once. A time that a clock change skips is moved forward by the gap; of one that happens twice
    the first is taken.
    """
    text = (when or "").strip()
    if not text:
        return now
    try:
        if (match := _TIME_OF_DAY.fullmatch(text)) and (seconds := _seconds_of_day(match)) is not None:
            local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            day = 1 if (match[1] or "").lower() == "tomorrow" else 0
            return _sane(_instant(local + timedelta(days=day, seconds=seconds), zone))
        if _DATE_AND_TIME.fullmatch(text):
            late = re.sub(r"([T ])24:00(:00)?(?=$|[Z+-])", r"\g<1>00:00", text)  # the end of that day
            moment = datetime.fromisoformat(late) + timedelta(days=late != text)
            return _sane(moment.astimezone(UTC) if moment.tzinfo else _instant(moment, zone))
    except (ValueError, OverflowError, OSError):
        pass
    raise UsageError(
        f"time {text[:80]!r} is not known: give HH:MM, 9pm, 'tomorrow HH:MM' or ISO 8601 (2026-12-24T18:30)"
    )


def _seconds_of_day(match: re.Match[str]) -> int | None:
    """Return the seconds from midnight of a time of day; None for a number alone. Raises ValueError."""
    if match[2]:
        return 12 * 3600 if match[2].lower() == "noon" else 24 * 3600
    hour, minute, second = (int(part or 0) for part in match.group(3, 4, 5))
    half = (match[6] or "").lower()[:1]
    if not half and match[4] is None:
        return None
    if half and not 1 <= hour <= 12:
        raise ValueError(hour)
    hour = hour % 12 + 12 * (half == "p") if half else hour
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
        raise ValueError(hour)
    return 3600 * hour + 60 * minute + second


def _instant(wall: datetime, zone: tzinfo | None) -> datetime:
    """Return when the clock on the wall first shows this; if it skips it, as much later as the gap."""
    found = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [moment for moment in found if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(fold=0)]
    return min(shown) if shown else max(found)


def _sane(moment: datetime) -> datetime:
    """The instant itself. Raises ValueError for years in which no clock of ours can be read everywhere."""
    if not 1971 <= moment.year <= 2500:
        raise ValueError(moment)
    return moment


def spoken(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """An instant as somebody in `zone` says it at `now`: `18:30 today`, `07:00 tomorrow`, `2026-12-24 18:30`."""
    local = moment.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    day = {0: "today", 1: "tomorrow"}.get(days)
    return f"{local:%H:%M} {day}" if day else f"{local:%Y-%m-%d %H:%M}"


def spoken_at(text: str, now: datetime) -> str:
    """An instant as the store keeps it, as somebody here says it at `now`."""
    return spoken(from_text(text), now)
