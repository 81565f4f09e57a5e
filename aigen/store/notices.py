"""Notices, whoever sends them, and the links in them."""

from datetime import datetime, timedelta
from typing import Any

from aigen.store.database import Connection
from aigen.times import to_text
from aigen.types.rows import Generation, Notice

# Attempts at a notice before it has failed for good, and the longest pause between two.
NOTICE_ATTEMPTS = 10
LONGEST_PAUSE = timedelta(hours=1)
# How long who claimed a notice may take to send it; longer than any attempt lasts.
NOTICE_LEASE = timedelta(minutes=5)
# The notices that are due, the longest first. A notice "at once" is due at the time of its order, also where the clock
# was set back since. What the same clock has put too far into the future (a pause, a lease) is over for the same
# reason.
_DUE = """
    FROM notices JOIN generations USING (generation_id)
    WHERE channel GLOB :channels AND (:generation_id IS NULL OR generation_id = :generation_id) AND (
        (state = 'ready' AND (due_at <= :now OR due_at <= requested_at)
            AND (next_at IS NULL OR next_at <= :now OR next_at > :too_far_pause))
        OR (state = 'sending' AND (lease_until <= :now OR lease_until > :too_far_lease))
    ) ORDER BY due_at, id
"""

_USABLE = "WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now"


class Notices(Connection):
    def notices(self, generation_id: str | None = None, user_id: str | None = None) -> list[Notice]:
        """Notices, oldest order first: all, or those of one order or one user."""
        rows = self._read(
            """
            SELECT notices.* FROM notices JOIN generations USING (generation_id)
            WHERE (:generation_id IS NULL OR generation_id = :generation_id)
                AND (:user_id IS NULL OR user_id = :user_id)
            ORDER BY requested_at, generations.rowid, id
            """,
            {"generation_id": generation_id, "user_id": user_id},
        )
        return [_notice(row) for row in rows]

    def count_notices(self, user_id: str, channels: str, since: datetime) -> int:
        """How many notices by such channels the orders of a user since then asked for."""
        rows = self._read(
            """
            SELECT count(*) AS notices FROM notices JOIN generations USING (generation_id)
            WHERE user_id = ? AND channel GLOB ? AND requested_at >= ? AND event = 'completed'
            """,
            [user_id, channels, to_text(since)],
        )
        found: int = rows[0]["notices"]
        return found

    def due_notices(self, channels: str, now: datetime, generation_id: str | None = None) -> list[Notice]:
        """The notices that could be claimed now, the longest due first; see `claim_notice`."""
        return [_notice(row) for row in self._read(f"SELECT notices.* {_DUE}", _due(channels, now, generation_id))]

    def claim_notice(self, claim: str, channels: str, now: datetime, generation_id: str | None = None) -> Notice | None:
        """Take the notice that has been due longest, so that nobody else sends it for as long as the lease lasts.

        `channels` is a pattern such as `mailto:*`. Due is what is ready and whose time has come, and what somebody
        else was sending and has not said for a lease how it went; after `NOTICE_ATTEMPTS` of those it has failed.
        """
        due = _due(channels, now, generation_id)
        if not self._read(f"SELECT 1 {_DUE}", due):
            return None  # most looks find nothing, and need not take turns with who writes
        with self._write():
            self._database.execute(
                f"""
                UPDATE notices SET state = 'failed', error = coalesce(error, 'who was sending it died')
                WHERE state = 'sending' AND attempts >= {NOTICE_ATTEMPTS} AND id IN (SELECT id {_DUE})
                """,
                due,
            )
            cursor = self._database.execute(
                f"""
                UPDATE notices SET state = 'sending', claimed_by = :claim, lease_until = :lease_until,
                    attempts = attempts + 1, next_at = NULL
                WHERE id = (SELECT id {_DUE} LIMIT 1) RETURNING *
                """,
                {**due, "claim": claim, "lease_until": to_text(now + NOTICE_LEASE)},
            )
            rows = cursor.fetchall()
            return (
                _notice(dict(zip((column[0] for column in cursor.description), rows[0], strict=True))) if rows else None
            )

    def finish_notice(self, notice: Notice, now: datetime) -> bool:
        """Record a claimed notice as sent, also one that was given back since and that nobody else has claimed."""
        return self._change(
            "UPDATE notices SET state = 'sent', sent_at = :now, error = NULL, claimed_by = NULL, lease_until = NULL "
            "WHERE id = :id AND (claimed_by = :claim AND state = 'sending' OR claimed_by IS NULL AND state = 'ready')",
            {"now": to_text(now), "id": notice.id, "claim": notice.claimed_by},
        )

    def postpone_notice(self, notice: Notice, error: str, next_at: datetime | None, tried: bool = True) -> bool:
        """Record that a claimed notice could not be sent; it is tried again at `next_at`, or has failed for good.

        Not `tried`: it does not count as an attempt.
        """
        return self._change(
            """
            UPDATE notices SET state = :state, error = :error, next_at = :next_at, attempts = attempts - :untried,
                claimed_by = NULL, lease_until = NULL
            WHERE id = :id AND claimed_by = :claim AND state = 'sending'
            """,
            {
                "state": "ready" if next_at else "failed",
                "error": error,
                "untried": not tried,
                "next_at": to_text(next_at) if next_at else None,
                "id": notice.id,
                "claim": notice.claimed_by,
            },
        )

    def drop_notice(self, notice: Notice) -> bool:
        """Delete a claimed notice that is not true any more."""
        return self._change(
            "DELETE FROM notices WHERE id = ? AND claimed_by = ? AND state = 'sending'", [notice.id, notice.claimed_by]
        )

    def retry_notices(self, user_id: str | None = None) -> int:
        """Make ready again what was given up, of one user or of all; how many there were."""
        with self._write():
            return self._database.execute(
                """
                UPDATE notices SET state = 'ready', attempts = 0, next_at = NULL WHERE state = 'failed'
                    AND (:user_id IS NULL
                        OR generation_id IN (SELECT generation_id FROM generations WHERE user_id = :user_id))
                """,
                {"user_id": user_id},
            ).rowcount

    def release_notices(self, claim: str) -> bool:
        """Give back what was claimed and not sent, as if it had not been tried."""
        return self._change(
            "UPDATE notices SET state = 'ready', attempts = attempts - 1, claimed_by = NULL, lease_until = NULL "
            "WHERE claimed_by = ? AND state = 'sending'",
            [claim],
        )

    def add_link(self, token_hash: str, order: Generation, now: datetime, expires_at: datetime) -> None:
        """Write a link that opens an order once; those that have expired go."""
        with self._write():
            self._database.execute("DELETE FROM links WHERE expires_at < ?", [to_text(now)])
            self._table("links").insert(
                {
                    "token_hash": token_hash,
                    "user_id": order.user_id,
                    "generation_id": order.generation_id,
                    "made_at": to_text(now),
                    "expires_at": to_text(expires_at),
                }
            )

    def link(self, token_hash: str, now: datetime) -> dict[str, Any] | None:
        """Whose order a link opens: `user_id` and `generation_id`; None when it is used up, has expired or is none."""
        rows = self._read(f"SELECT user_id, generation_id FROM links {_USABLE}", _usable(token_hash, now))
        return rows[0] if rows else None

    def use_link(self, token_hash: str, now: datetime) -> dict[str, Any] | None:
        """Use a link up; whose order it opens, or None as with `link`."""
        with self._write():
            usable = _usable(token_hash, now)
            found = self._read(f"SELECT user_id, generation_id FROM links {_USABLE}", usable)
            used = self._update(f"UPDATE links SET used_at = :now {_USABLE}", usable)
            return found[0] if used else None


def _due(channels: str, now: datetime, generation_id: str | None) -> dict[str, Any]:
    """The parameters of `_DUE`."""
    return {
        "channels": channels,
        "generation_id": generation_id,
        "now": to_text(now),
        "too_far_pause": to_text(now + 2 * LONGEST_PAUSE),
        "too_far_lease": to_text(now + 2 * NOTICE_LEASE),
    }


def _usable(token_hash: str, now: datetime) -> dict[str, Any]:
    """The parameters of `_USABLE`."""
    return {"token_hash": token_hash, "now": to_text(now)}


def _notice(row: dict[str, Any]) -> Notice:
    return Notice(**{name: value for name, value in row.items() if name != "lease_until"})
