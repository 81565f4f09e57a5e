"""The store: sole reader and writer of the database.

One write is one method is one transaction, and a change of state is one UPDATE whose WHERE names the old state, so that
processes working side by side cannot undo each other. Methods that change a state return whether they did.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from aigen.errors import ContentError, StoreError, UsageError
from aigen.migrations import is_known, migrations
from aigen.settings import ContentFolder
from aigen.times import to_text
from aigen.types import Generation, GenerationRequest, Item, Notice

# How long a writer waits for another's transaction; each lasts milliseconds, but a laptop may be very busy.
BUSY_TIMEOUT = 30.0


# Attempts at a notice before it has failed for good, and the longest pause between two.
NOTICE_ATTEMPTS = 10
LONGEST_PAUSE = timedelta(hours=1)
# How long who claimed a notice may take to send it; longer than any attempt lasts.
NOTICE_LEASE = timedelta(minutes=5)

# How long the log of what users do is kept.
LOG_KEPT = timedelta(days=365)

# The notices that are due, the longest first. A notice "at once" is due at the time of its order, also where the clock
# was set back since. What the same clock has put too far into the future (a pause, a lease) is over for the same reason.
_DUE = """
    FROM notices JOIN generations USING (generation_id)
    WHERE channel GLOB :channels AND (:generation_id IS NULL OR generation_id = :generation_id) AND (
        (state = 'ready' AND (due_at <= :now OR due_at <= requested_at)
            AND (next_at IS NULL OR next_at <= :now OR next_at > :too_far_pause))
        OR (state = 'sending' AND (lease_until <= :now OR lease_until > :too_far_lease))
    ) ORDER BY due_at, id
"""

_USABLE = "WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now"


class Store:
    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path

    @classmethod
    def open(cls, content: ContentFolder, create: bool = False) -> Self:
        """Open the store of a content folder, bringing an older schema up to date.

        A folder without a store reads as an empty one and stays untouched, unless `create`. A file that is no store of
        ours, or one of a newer aigen, is refused and left as it is.
        """
        path = content.database
        with _translated(path):
            if path.exists():
                _check_ours(path)
            elif not create:
                return cls(_migrated(_connect(":memory:")), path)
            if create:
                content.check_writable()
            database = _connect(str(path))
            try:
                if migrations.pending(database):
                    with content.lock("store", timeout=BUSY_TIMEOUT):
                        _migrated(database)
            except BaseException:
                database.close()
                raise
            return cls(database, path)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        """A user's row: `user_id`, `created_at`, `made` (by the program: the id is itself the secret), `password_hash`."""
        rows = self._read("SELECT * FROM users WHERE user_id = ?", [user_id])
        return rows[0] if rows else None

    def add_user(self, user_id: str, made: bool, password_hash: str | None, now: datetime) -> bool:
        """Write a new user, unless there is one of that id in upper or lower case."""
        return self._change(
            """
            INSERT INTO users (user_id, created_at, made, password_hash) SELECT :user_id, :now, :made, :password_hash
            WHERE NOT EXISTS (SELECT 1 FROM users WHERE user_id = :user_id COLLATE NOCASE)
            """,
            {"user_id": user_id, "now": to_text(now), "made": made, "password_hash": password_hash},
        )

    def set_password(self, user_id: str, password_hash: str) -> bool:
        """Set a user's password, and end their sessions: whoever had got into one is out."""
        with self._write():
            self._database.execute("DELETE FROM sessions WHERE user_id = ?", [user_id])
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

    def add_session(
        self, session_hash: str, user_id: str, now: datetime, expires_at: datetime, address: str, user_agent: str
    ) -> None:
        """Write a session; those that have expired go, and so does what was logged more than a year ago."""
        with self._write():
            self._database.execute("DELETE FROM sessions WHERE expires_at <= ?", [to_text(now)])
            self._database.execute("DELETE FROM user_activity WHERE at < ?", [to_text(now - LOG_KEPT)])
            self._table("sessions").insert(
                {
                    "session_hash": session_hash,
                    "user_id": user_id,
                    "made_at": to_text(now),
                    "expires_at": to_text(expires_at),
                    "address": address,
                    "user_agent": user_agent,
                }
            )

    def session_user(self, session_hash: str, now: datetime) -> str | None:
        """Whose session this is, if there is one that has not expired."""
        rows = self._read(
            "SELECT user_id FROM sessions WHERE session_hash = ? AND expires_at > ?", [session_hash, to_text(now)]
        )
        return rows[0]["user_id"] if rows else None

    def delete_session(self, session_hash: str) -> bool:
        return self._change("DELETE FROM sessions WHERE session_hash = ?", [session_hash])

    def delete_sessions(self, user_id: str) -> bool:
        return self._change("DELETE FROM sessions WHERE user_id = ?", [user_id])

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

    # Orders

    def place(
        self,
        generation: Generation,
        made: bool,
        items: Iterable[Item],
        notices: Iterable[Notice],
        limit: int | None = None,
    ) -> None:
        """Write a new order with its planned items and waiting notices, and its user if there is none yet.

        Raises UsageError when another user's id differs from this one only in upper and lower case, and when `limit`
        orders of this user are unfinished already.
        """
        with self._write():
            self._check_limit(generation.user_id, limit)
            known = self._read("SELECT user_id FROM users WHERE user_id = ? COLLATE NOCASE", [generation.user_id])
            if not known:
                row = {"user_id": generation.user_id, "created_at": generation.requested_at, "made": made}
                self._table("users").insert(row)
            elif known[0]["user_id"] != generation.user_id:
                raise UsageError(
                    f"user id {generation.user_id!r} differs from {known[0]['user_id']!r} only in upper and lower case: "
                    "choose another"
                )
            self._table("generations").insert({**asdict(generation), "request": _dump(asdict(generation.request))})
            self._table("items").insert_all(
                {**asdict(item), "parameters": None, "checkpoint": _dump(item.checkpoint)} for item in items
            )
            self._table("notices").insert_all(asdict(notice) for notice in notices)

    def generation(self, generation_id: str) -> Generation | None:
        rows = self._read("SELECT * FROM generations WHERE generation_id = ?", [generation_id])
        return _generation(rows[0]) if rows else None

    def generations(self, user_id: str | None = None, status: str | None = None) -> list[Generation]:
        """Orders, oldest first: all, or those of one user, or those with one status."""
        rows = self._read(
            """
            SELECT * FROM generations
            WHERE (:user_id IS NULL OR user_id = :user_id) AND (:status IS NULL OR status = :status)
            ORDER BY requested_at, rowid
            """,
            {"user_id": user_id, "status": status},
        )
        return [_generation(row) for row in rows]

    def newest(self, user_id: str, count: int, before: str | None = None, words: str = "") -> list[Generation]:
        """So many orders of a user, newest first: those older than the order `before`, those whose prompt has `words`."""
        rows = self._read(
            """
            SELECT generations.* FROM generations WHERE user_id = :user_id
                AND (:before IS NULL OR (requested_at, rowid) <
                    (SELECT requested_at, rowid FROM generations WHERE generation_id = :before))
                AND (:words = '' OR generation_id IN (SELECT generation_id FROM prompts WHERE prompts MATCH :words))
            ORDER BY requested_at DESC, rowid DESC LIMIT :count
            """,
            {"user_id": user_id, "before": before, "words": _searched(words), "count": count},
        )
        return [_generation(row) for row in rows]

    def pace(self, count: int = 20) -> float | None:
        """Seconds that an image took in the last orders, a video counted as four; None when none was completed."""
        rows = self._read(
            """
            SELECT (julianday(generated_at) - julianday(requested_at)) * 86400.0 / (
                SELECT sum(CASE kind WHEN 'video' THEN 4.0 ELSE 1.0 END) FROM items
                WHERE items.generation_id = generations.generation_id) AS pace
            FROM generations WHERE status = 'Completed' ORDER BY requested_at DESC LIMIT ?
            """,
            [count],
        )
        paces = sorted(row["pace"] for row in rows if row["pace"])
        return paces[len(paces) // 2] if paces else None

    def delete_item(self, item: Item) -> bool:
        """Erase the row of a finished item of an order that has ended."""
        return self._change(
            """
            DELETE FROM items WHERE generation_id = ? AND kind = ? AND number = ? AND state = 'done'
                AND (SELECT status FROM generations WHERE generation_id = items.generation_id) <> 'Processing'
            """,
            [item.generation_id, item.kind, item.number],
        )

    def items(self, generation_id: str) -> list[Item]:
        """The items of an order as they are made: images first, then videos, each by number."""
        rows = self._read(
            "SELECT * FROM items WHERE generation_id = ? ORDER BY kind, number",
            [generation_id],
        )
        return [_item(row) for row in rows]

    def start(self, generation_id: str, detached: bool) -> bool:
        """Count an attempt at an unfinished order. The foreground takes any; a worker only what is `detached`."""
        return self._change(
            "UPDATE generations SET attempts = attempts + 1, detached = :detached, error = NULL "
            "WHERE generation_id = :generation_id AND status = 'Processing' AND (detached OR NOT :detached)",
            {"generation_id": generation_id, "detached": detached},
        )

    def give_back(self, generation_id: str) -> bool:
        """Take back an attempt that was ended politely, so that it does not count against the order."""
        return self._change(
            "UPDATE generations SET attempts = attempts - 1 "
            "WHERE generation_id = ? AND status = 'Processing' AND attempts > 0",
            [generation_id],
        )

    def reopen(self, generation_id: str) -> bool:
        """Make a failed order an unfinished one again; its failed items are planned anew, its failure is not told."""
        with self._write():
            return self._reopen(generation_id)

    def _reopen(self, generation_id: str) -> bool:
        reopened = self._update(
            "UPDATE generations SET status = 'Processing', error = NULL WHERE generation_id = ? AND status = 'Failed'",
            [generation_id],
        )
        if reopened:
            self._database.execute(
                "DELETE FROM notices WHERE generation_id = ? AND event = 'failed' AND state = 'ready'", [generation_id]
            )
            self._database.execute(
                "UPDATE items SET state = 'planned', error = NULL WHERE generation_id = ? AND state = 'failed'",
                [generation_id],
            )
        return reopened

    def _check_limit(self, user_id: str, limit: int | None) -> None:
        unfinished = "SELECT count(*) AS orders FROM generations WHERE user_id = ? AND status = 'Processing'"
        if limit is not None and (orders := self._read(unfinished, [user_id])[0]["orders"]) >= limit:
            raise UsageError(
                f"{orders} of your orders are waiting or being made, which is the limit: order again when one is done"
            )

    def requeue(self, generation_id: str, limit: int | None = None) -> bool:
        """Give a failed order to a worker; its failed items are planned anew, its failure is not told any more.

        Raises UsageError when `limit` orders of its user are unfinished already.
        """
        with self._write():
            for row in self._read("SELECT user_id FROM generations WHERE generation_id = ?", [generation_id]):
                self._check_limit(row["user_id"], limit)
            if not self._reopen(generation_id):
                return False
            return self._update(
                "UPDATE generations SET detached = 1, attempts = 0 WHERE generation_id = ?", [generation_id]
            )

    def delete_order(self, generation_id: str) -> bool:
        """Erase every row of an order; items, notices and links go with it."""
        return self._change("DELETE FROM generations WHERE generation_id = ?", [generation_id])

    def heartbeat(self, generation_id: str, step: str, now: datetime) -> bool:
        """Say how far a running order is. It informs people and decides nothing: laptops sleep."""
        return self._change(
            "UPDATE generations SET heartbeat_at = ?, step = ? WHERE generation_id = ? AND status = 'Processing'",
            [to_text(now), step, generation_id],
        )

    def record(self, item: Item) -> bool:
        """Record a planned item as done or failed, whichever it now is, and drop its checkpoint."""
        return self._change(
            """
            UPDATE items SET state = :state, path = :path, parameters = :parameters, error = :error, checkpoint = '{}'
            WHERE generation_id = :generation_id AND kind = :kind AND number = :number AND state = 'planned'
                AND (SELECT status FROM generations WHERE generation_id = :generation_id) = 'Processing'
            """,
            {
                "state": item.state,
                "path": item.path,
                "parameters": _dump(item.parameters) if item.parameters is not None else None,
                "error": item.error,
                "generation_id": item.generation_id,
                "kind": item.kind,
                "number": item.number,
            },
        )

    def remember(self, item: Item, key: str, value: Any) -> None:
        """Keep one value of an item's checkpoint."""
        with self._write():
            checkpoint = {**self._checkpoint(item), key: value}
            self._database.execute(
                "UPDATE items SET checkpoint = ? WHERE generation_id = ? AND kind = ? AND number = ?",
                [_dump(checkpoint), item.generation_id, item.kind, item.number],
            )

    def recall(self, item: Item, key: str) -> Any:
        return self._checkpoint(item).get(key)

    def _checkpoint(self, item: Item) -> dict[str, Any]:
        rows = self._read(
            "SELECT checkpoint FROM items WHERE generation_id = ? AND kind = ? AND number = ?",
            [item.generation_id, item.kind, item.number],
        )
        checkpoint: dict[str, Any] = json.loads(rows[0]["checkpoint"]) if rows else {}
        return checkpoint

    def complete(self, generation_id: str, now: datetime) -> bool:
        """End an order whose items are all done, and make its notices ready."""
        with self._write():
            completed = self._update(
                """
                UPDATE generations SET status = 'Completed', generated_at = ?, error = NULL, step = NULL
                WHERE generation_id = ? AND status = 'Processing'
                    AND NOT EXISTS (SELECT 1 FROM items WHERE items.generation_id = generations.generation_id
                        AND state <> 'done')
                """,
                [to_text(now), generation_id],
            )
            if completed:
                self._database.execute(
                    "UPDATE notices SET state = 'ready' "
                    "WHERE generation_id = ? AND event = 'completed' AND state = 'waiting'",
                    [generation_id],
                )
            return completed

    def fail(self, generation_id: str, error: str, now: datetime) -> bool:
        """End an order that could not be made, and make ready a notice of that for each of its channels.

        Such a notice is due at once: its time is that of the order.
        """
        with self._write():
            failed = self._update(
                "UPDATE generations SET status = 'Failed', error = ?, step = NULL "
                "WHERE generation_id = ? AND status = 'Processing'",
                [error, generation_id],
            )
            if failed:
                self._database.execute(
                    "DELETE FROM notices WHERE generation_id = ? AND event = 'failed'", [generation_id]
                )
                self._database.execute(
                    """
                    INSERT INTO notices (generation_id, channel, event, due_at, state)
                    SELECT generation_id, channel, 'failed', requested_at, 'ready'
                    FROM notices JOIN generations USING (generation_id)
                    WHERE generation_id = ? AND event = 'completed' ORDER BY id
                    """,
                    [generation_id],
                )
            return failed

    def cancel(self, generation_id: str) -> bool:
        """Give up an order that has not been completed; finished items stay, its notices go."""
        with self._write():
            cancelled = self._update(
                "UPDATE generations SET status = 'Cancelled', step = NULL "
                "WHERE generation_id = ? AND status IN ('Processing', 'Failed')",
                [generation_id],
            )
            if cancelled:
                self._database.execute(
                    "DELETE FROM notices WHERE generation_id = ? AND state IN ('waiting', 'ready')",
                    [generation_id],
                )
            return cancelled

    # Notices

    def notices(self, generation_id: str | None = None, user_id: str | None = None) -> list[Notice]:
        """Notices, oldest order first: all, or those of one order or one user."""
        rows = self._read(
            """
            SELECT notices.* FROM notices JOIN generations USING (generation_id)
            WHERE (:generation_id IS NULL OR generation_id = :generation_id) AND (:user_id IS NULL OR user_id = :user_id)
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

    # The seams to SQLite

    def _read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        with _translated(self._path):
            return list(self._database.query(sql, parameters))

    @contextmanager
    def _write(self) -> Iterator[None]:
        """One transaction that holds the write lock from its first statement, so that it cannot fail half-way."""
        with _translated(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise

    def _update(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> bool:
        return self._database.execute(sql, parameters).rowcount > 0

    def _change(self, sql: str, parameters: Sequence[Any] | dict[str, Any]) -> bool:
        with self._write():
            return self._update(sql, parameters)

    def _table(self, name: str) -> Any:
        return self._database[name]


def _connect(path: str, uri: bool = False) -> Database:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, uri=uri)
    connection.execute("PRAGMA foreign_keys = ON")
    return Database(connection, execute_plugins=False)


def _check_ours(path: Path) -> None:
    """Refuse what is no store of this program, without writing: even closing a connection that may write would."""
    with closing(_connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        names = {name for name in database.table_names() if not name.startswith("sqlite_")}
        if names and "generations" not in names and names != {migrations.migrations_table}:
            raise StoreError(f"{str(path)!r} is a database of another program: choose another folder with --content")
        newer = [migration.name for migration in migrations.applied(database) if not is_known(migration.name)]
        if newer:
            raise StoreError(
                f"{str(path)!r} was written by a newer aigen ({newer[-1]}): upgrade with pip install -U aigen"
            )


def _migrated(database: Database) -> Database:
    migrations.apply(database)
    return database


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise StoreError(f"{str(path)!r} is being brought up to date by another process: try again") from error
    except sqlite3.Error as error:
        reason = str(error)
        if "disk is full" in reason or "disk I/O" in reason:
            raise ContentError(
                f"the disk of {str(path)!r} is full or failing ({reason}): free some space, then aigen resume"
            ) from error
        if "not a database" in reason or "malformed" in reason:
            raise StoreError(
                f"{str(path)!r} is not a store of aigen or is damaged ({reason}): "
                "restore it from a backup or choose another folder with --content"
            ) from error
        if "readonly" in reason or "unable to open" in reason:
            raise ContentError(f"{str(path)!r} cannot be written ({reason}): check who owns it") from error
        raise StoreError(f"{str(path)!r}: {reason}") from error


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _due(channels: str, now: datetime, generation_id: str | None) -> dict[str, Any]:
    """The parameters of `_DUE`."""
    return {
        "channels": channels,
        "generation_id": generation_id,
        "now": to_text(now),
        "too_far_pause": to_text(now + 2 * LONGEST_PAUSE),
        "too_far_lease": to_text(now + 2 * NOTICE_LEASE),
    }


def _searched(words: str) -> str:
    """What somebody types as FTS5 reads it: every word, or what begins like it, and nothing of its own language."""
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", words)[:20])


def _usable(token_hash: str, now: datetime) -> dict[str, Any]:
    """The parameters of `_USABLE`."""
    return {"token_hash": token_hash, "now": to_text(now)}


def _notice(row: dict[str, Any]) -> Notice:
    return Notice(**{name: value for name, value in row.items() if name != "lease_until"})


def _generation(row: dict[str, Any]) -> Generation:
    request = json.loads(row["request"])
    request["notify"] = tuple(request["notify"])
    return Generation(**{**row, "request": GenerationRequest(**request), "detached": bool(row["detached"])})


def _item(row: dict[str, Any]) -> Item:
    parameters = json.loads(row["parameters"]) if row["parameters"] is not None else None
    return Item(**{**row, "parameters": parameters, "checkpoint": json.loads(row["checkpoint"])})
