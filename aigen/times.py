"""Times: the clock's reading as the store keeps it, and WHEN (`--notify-at`) resolved to UTC.

WHEN is resolved when the order is placed, never when it ends: asked at 23:50 for 23:55 and done at 00:10, the notice is
due at once and not a day later.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from aigen.errors import UsageError

Clock = Callable[[], datetime]

_HOUR_MINUTE = re.compile(r"(?:(tomorrow)\s+)?([0-9]{1,2}):([0-9]{2})", re.IGNORECASE)
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

    WHEN is `HH:MM` (the local day of the request), `tomorrow HH:MM` or ISO 8601; nothing means at once. A time that a
    clock change skips is moved forward by the gap; of one that happens twice the first is taken.
    """
    text = (when or "").strip()
    if not text:
        return now
    try:
        if match := _HOUR_MINUTE.fullmatch(text):
            day = now.astimezone(zone).date() + timedelta(days=1 if match[1] else 0)
            local = datetime(day.year, day.month, day.day, int(match[2]), int(match[3]), tzinfo=zone)
            return _sane(local.astimezone(UTC))
        if _DATE_AND_TIME.fullmatch(text):
            moment = datetime.fromisoformat(text)
            return _sane((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError, OSError):
        pass
    raise UsageError(f"time {text[:80]!r} is not known: give HH:MM, 'tomorrow HH:MM' or ISO 8601 (2026-12-24T18:30)")


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
