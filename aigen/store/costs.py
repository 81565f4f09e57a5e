"""What orders cost: the ledger, and what was spent within a time."""

from typing import Any

from aigen.store.database import Connection
from aigen.types.rows import Budget

# What an order has cost so far: the sum of its jobs, also of items that failed or were cancelled.
_PAID = """
    (SELECT coalesce(sum(json_extract(job.value, '$.cost')), 0) FROM items, json_each(items.job) AS job
        WHERE items.generation_id = generations.generation_id)
"""


class Costs(Connection):
    def spent(self, since: str, user_id: str | None = None) -> float:
        """Return what orders placed since then cost in USD, of one user or of all.

        An unfinished order counts with its price, which is thereby reserved for it.
        """
        rows = self._read(
            f"""
            SELECT coalesce(sum(CASE status WHEN 'Processing' THEN max(coalesce(price, 0), paid) ELSE paid END), 0)
                AS spent FROM (SELECT status, price, {_PAID} AS paid FROM generations
                WHERE requested_at >= :since AND (:user_id IS NULL OR user_id = :user_id))
            """,
            {"since": since, "user_id": user_id},
        )
        found: float = rows[0]["spent"]
        return found

    def costs(self, user_id: str | None = None) -> list[dict[str, Any]]:
        """Return the orders that were not free, oldest first: what each was estimated at, and has cost so far."""
        return self._read(
            f"""
            SELECT generation_id, user_id, prompt, status, requested_at, price, round(paid, 5) AS cost
            FROM (SELECT generations.*, rowid AS place, {_PAID} AS paid FROM generations
                WHERE :user_id IS NULL OR user_id = :user_id)
            WHERE paid > 0 OR price IS NULL OR price > 0 ORDER BY requested_at, place
            """,
            {"user_id": user_id},
        )

    def over_budget(self, budget: Budget, price: float | None) -> float | None:
        """Return what was spent of a budget if an order of this price exceeds it; None if it does not."""
        spent = self.spent(budget.since, budget.user_id)
        return spent if spent + (price or 0) > budget.amount else None
