"""Orders and their items."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aigen.errors import UsageError
from aigen.store.addresses import Addresses
from aigen.store.costs import Costs
from aigen.store.database import dump
from aigen.store.items import item_row
from aigen.store.quotas import Quotas
from aigen.times import to_text
from aigen.types.request import GenerationRequest
from aigen.types.rows import Budget, Generation, Item, Notice, Terms

NO_TERMS = Terms()


class Orders(Costs, Addresses, Quotas):
    def place(
        self,
        generation: Generation,
        made: bool,
        items: Iterable[Item],
        notices: Iterable[Notice],
        terms: Terms = NO_TERMS,
    ) -> None:
        """Write a new order with its planned items and waiting notices, and its user if there is none yet.

        Raises UsageError when another user's id differs from this one only in upper and lower case, and when the order
        exceeds what the terms allow.
        """
        with self._write(create=True):
            self._check_limit(generation.user_id, terms.orders)
            for budget in terms.budgets:
                self.check_budget(budget, generation.price)
            if terms.quota:
                self._check_quota(generation, terms.quota)
            known = self._read("SELECT user_id FROM users WHERE user_id = ? COLLATE NOCASE", [generation.user_id])
            if not known:
                row = {"user_id": generation.user_id, "created_at": generation.requested_at, "made": made}
                self._table("users").insert(row)
            elif known[0]["user_id"] != generation.user_id:
                raise UsageError(
                    f"user id {generation.user_id!r} differs from {known[0]['user_id']!r} only "
                    "in upper and lower case: "
                    "choose another"
                )
            self._table("generations").insert(
                {
                    **asdict(generation),
                    "request": dump(generation.request.as_json()),
                    "budgets": dump(generation.budgets),
                }
            )
            self._table("items").insert_all(map(item_row, items))
            self._table("notices").insert_all(asdict(notice) for notice in notices)
            if terms.quota:
                self._add_workload(generation, terms.quota.expected)
            if terms.confirms_mail:
                self._hold_unconfirmed(generation)

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
        """So many orders of a user, newest first: those older than the order `before`,
        those whose prompt has `words`.
        """
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

    def start(self, generation_id: str, detached: bool, counts: bool = True) -> bool:
        """Begin an attempt at an unfinished order, and count it. The foreground takes any; a worker only what is
        `detached`.
        """
        return self._change(
            "UPDATE generations SET attempts = attempts + :counts, detached = :detached, error = NULL, "
            "collect_at = CASE WHEN :detached THEN collect_at END "
            "WHERE generation_id = :generation_id AND status = 'Processing' AND (detached OR NOT :detached)",
            {"generation_id": generation_id, "detached": detached, "counts": counts},
        )

    def give_back(self, generation_id: str) -> bool:
        """Take back an attempt that was ended politely, so that it does not count against the order."""
        return self._change(
            "UPDATE generations SET attempts = attempts - 1 "
            "WHERE generation_id = ? AND status = 'Processing' AND attempts > 0",
            [generation_id],
        )

    def postpone(self, generation_id: str, collect_at: str, step: str) -> bool:
        """Leave an order that only waits for jobs at a provider to a worker. The attempt does not count."""
        return self._change(
            "UPDATE generations SET detached = 1, attempts = 0, collect_at = ?, step = ? "
            "WHERE generation_id = ? AND status = 'Processing'",
            [collect_at, step, generation_id],
        )

    def collect_later(self, generation_id: str, collect_at: str) -> bool:
        """Have a worker look later whether providers have made what an interrupted order bought."""
        return self._change(
            "UPDATE generations SET collect_at = ? WHERE generation_id = ? AND status = 'Processing'",
            [collect_at, generation_id],
        )

    def reopen(self, generation_id: str, now: datetime, budgets: Iterable[Budget] = ()) -> bool:
        """Make a failed order an unfinished one again; its failed items are planned anew, its failure is not told.

        Raises CostError if what it still may cost exceeds what is left of a budget.
        """
        with self._write():
            return self._reopen(generation_id, now, budgets)

    def _reopen(self, generation_id: str, now: datetime, budgets: Iterable[Budget]) -> bool:
        if not self._read("SELECT 1 FROM generations WHERE generation_id = ? AND status = 'Failed'", [generation_id]):
            return False
        for budget in budgets:
            self.check_budget(budget, self.unreserved(generation_id))
        reopened = self._update(
            "UPDATE generations SET status = 'Processing', error = NULL, reserved_at = ?, collect_at = NULL "
            "WHERE generation_id = ? AND status = 'Failed'",
            [to_text(now), generation_id],
        )
        if reopened:
            self._database.execute(
                "DELETE FROM notices WHERE generation_id = ? AND event = 'failed' "
                "AND state IN ('ready', 'unconfirmed')",
                [generation_id],
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

    def requeue(
        self, generation_id: str, now: datetime, limit: int | None = None, budgets: Iterable[Budget] = ()
    ) -> bool:
        """Give a failed order to a worker; its failed items are planned anew, its failure is not told any more.

        Raises UsageError when `limit` orders of its user are unfinished already.
        """
        with self._write():
            for row in self._read("SELECT user_id FROM generations WHERE generation_id = ?", [generation_id]):
                self._check_limit(row["user_id"], limit)
            if not self._reopen(generation_id, now, budgets):
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

    def lose(self, generation_id: str, items: Iterable[Item], error: str) -> bool:
        """Record that the files of finished items are gone: they are failed, and a completed order is too."""
        with self._write():
            for item in items:
                self._update(
                    "UPDATE items SET state = 'failed', path = NULL, error = ? "
                    "WHERE generation_id = ? AND kind = ? AND number = ? AND state = 'done'",
                    [error, item.generation_id, item.kind, item.number],
                )
            return self._update(
                "UPDATE generations SET status = 'Failed', error = ?, generated_at = NULL "
                "WHERE generation_id = ? AND status = 'Completed'",
                [error, generation_id],
            )

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
                    SELECT generation_id, channel, 'failed', requested_at,
                        CASE state WHEN 'unconfirmed' THEN state ELSE 'ready' END
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
                    "DELETE FROM notices WHERE generation_id = ? AND state IN ('unconfirmed', 'waiting', 'ready') "
                    "AND event <> 'confirm'",
                    [generation_id],
                )
            return cancelled


def _searched(words: str) -> str:
    """What somebody types as FTS5 reads it: every word, or what begins like it, and nothing of its own language."""
    return " ".join(f'"{word}"*' for word in re.findall(r"\w+", words)[:20])


def _generation(row: dict[str, Any]) -> Generation:
    request = GenerationRequest.from_json(json.loads(row["request"]))
    budgets = tuple(json.loads(row["budgets"]))
    return Generation(**{**row, "request": request, "detached": bool(row["detached"]), "budgets": budgets})
