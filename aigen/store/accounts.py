"""Users, their sessions, and the log of what they do."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from aigen.store.database import Connection
from aigen.times import to_text
from aigen.types.rows import Session

# How long the log of what users do is kept.
LOG_KEPT = timedelta(days=365)


class Accounts(Connection):
    # Users

    def users(self) -> list[dict[str, Any]]:
        return self._read(
            """
            SELECT user_id, created_at, made, password_hash IS NOT NULL AS has_password,
                (SELECT count(*) FROM generations WHERE generations.user_id = users.user_id) AS orders
            FROM users ORDER BY created_at, user_id
            """
        )

    def has_user(self, user_id: str) -> bool:
        return bool(self._read("SELECT 1 FROM users WHERE user_id = ?", [user_id]))

    def user(self, user_id: str) -> dict[str, Any] | None:
        """A user's row: `user_id`, `created_at`, `made` (by the program:
        the id is itself the secret), `password_hash`.
        """
        rows = self._read("SELECT * FROM users WHERE user_id = ?", [user_id])
        return rows[0] if rows else None

    def add_user(
        self, user_id: str, made: bool, password_hash: str | None, now: datetime, invitation: str | None = None
    ) -> bool:
        """Write a new user, unless there is one of that id in upper or lower case. Uses up the invitation, if any."""
        with self._write():
            added = self._update(
                """
                INSERT INTO users (user_id, created_at, made, password_hash)
                SELECT :user_id, :now, :made, :password_hash
                WHERE NOT EXISTS (SELECT 1 FROM users WHERE user_id = :user_id COLLATE NOCASE)
                    AND (:invitation IS NULL OR EXISTS (SELECT 1 FROM invitations WHERE token_hash = :invitation))
                """,
                {
                    "user_id": user_id,
                    "now": to_text(now),
                    "made": made,
                    "password_hash": password_hash,
                    "invitation": invitation,
                },
            )
            if added:
                self._database.execute("DELETE FROM invitations WHERE token_hash = ?", [invitation])
            return added

    def invite(self, token_hash: str, now: datetime, expires_at: datetime) -> None:
        """Write an invitation to register; those that have expired go."""
        with self._write(create=True):
            self._database.execute("DELETE FROM invitations WHERE expires_at <= ?", [to_text(now)])
            self._table("invitations").insert({"token_hash": token_hash, "expires_at": to_text(expires_at)})

    def is_invited(self, token_hash: str, now: datetime) -> bool:
        """Return whether an invitation can be used."""
        return bool(
            self._read("SELECT 1 FROM invitations WHERE token_hash = ? AND expires_at > ?", [token_hash, to_text(now)])
        )

    def set_password(self, user_id: str, password_hash: str) -> bool:
        """Set a user's password, and end their sessions and links, so that nobody keeps access."""
        with self._write():
            self._end_access(user_id)
            return self._update("UPDATE users SET password_hash = ? WHERE user_id = ?", [password_hash, user_id])

    def delete_user(self, user_id: str, stopped: Sequence[str]) -> bool:
        """Erase every row of a user; orders, items and notices go with the user's row.

        Nothing is erased while there is an order that is not among the `stopped` ones.
        """
        with self._write():
            orders = self._read("SELECT generation_id FROM generations WHERE user_id = ?", [user_id])
            if not {row["generation_id"] for row in orders} <= set(stopped):
                return False
            self._database.execute("DELETE FROM user_activity WHERE user_id = ? COLLATE NOCASE", [user_id])
            return self._database.execute("DELETE FROM users WHERE user_id = ?", [user_id]).rowcount > 0

    # Sessions and what users do

    def add_session(self, session: Session, now: datetime) -> None:
        """Write a session; those that have expired go, and so does what was logged more than a year ago."""
        with self._write():
            self._database.execute("DELETE FROM sessions WHERE expires_at <= ?", [to_text(now)])
            self._database.execute("DELETE FROM user_activity WHERE at < ?", [to_text(now - LOG_KEPT)])
            self._table("sessions").insert({**asdict(session), "made_at": to_text(now)})

    def session(self, session_hash: str, now: datetime) -> Session | None:
        """Return a session, if there is one of this hash that has not expired."""
        rows = self._read(
            "SELECT session_hash, user_id, expires_at, address, user_agent, generation_id FROM sessions "
            "WHERE session_hash = ? AND expires_at > ?",
            [session_hash, to_text(now)],
        )
        return Session(**rows[0]) if rows else None

    def delete_session(self, session_hash: str) -> bool:
        return self._change("DELETE FROM sessions WHERE session_hash = ?", [session_hash])

    def delete_sessions(self, user_id: str) -> None:
        """End every session of a user, and every link that was sent to them."""
        with self._write():
            self._end_access(user_id)

    def _end_access(self, user_id: str) -> None:
        self._database.execute("DELETE FROM sessions WHERE user_id = ?", [user_id])
        self._database.execute("DELETE FROM links WHERE user_id = ? AND used_at IS NULL", [user_id])

    def log_activity(
        self, now: datetime, user_id: str, action: str, target: str | None, address: str, user_agent: str
    ) -> None:
        with self._write():
            self._table("user_activity").insert(
                {
                    "at": to_text(now),
                    "user_id": user_id,
                    "action": action,
                    "target": target,
                    "address": address,
                    "user_agent": user_agent,
                }
            )

    def activity(self, user_id: str, limit: int) -> list[dict[str, Any]]:
        """What a user did and what was tried with their id, newest first."""
        return self._read(
            "SELECT * FROM user_activity WHERE user_id = ? COLLATE NOCASE ORDER BY id DESC LIMIT ?", [user_id, limit]
        )

    def count_activity(
        self, action: str, since: datetime, user_id: str | None = None, address: str | None = None
    ) -> int:
        """How often something was done since then, by a user id or from an address."""
        rows = self._read(
            """
            SELECT count(*) AS times FROM user_activity WHERE action = :action AND at >= :since
                AND (:user_id IS NULL OR user_id = :user_id COLLATE NOCASE) AND (:address IS NULL OR address = :address)
            """,
            {"action": action, "since": to_text(since), "user_id": user_id, "address": address},
        )
        times: int = rows[0]["times"]
        return times
