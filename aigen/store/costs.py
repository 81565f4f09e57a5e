"""What orders cost: the ledger, and what was spent within a time."""

from typing import Any

from aigen.errors import CostError
from aigen.store.database import Connection
from aigen.types.rows import Budget
from aigen.wording import spoken_price

# What an order has cost so far: the sum of its jobs, also of items that failed or were cancelled.
_PAID = """
    (SELECT coalesce(sum(json_extract(job.value, '$.cost')), 0) FROM items, json_each(items.job) AS job
        WHERE items.generation_id = generations.generation_id)
"""
# The same with the price of jobs whose cost is not known: what limits are checked against.
_COMMITTED = """
    (SELECT coalesce(sum(coalesce(json_extract(job.value, '$.cost'), json_extract(job.value, '$.price'))), 0)
        FROM items, json_each(items.job) AS job WHERE items.generation_id = generations.generation_id)
"""

# The same of jobs that were bought since a time.
_BOUGHT_SINCE = """
    (SELECT coalesce(sum(coalesce(json_extract(job.value, '$.cost'), json_extract(job.value, '$.price'))), 0)
        FROM items, json_each(items.job) AS job WHERE items.generation_id = generations.generation_id
            AND coalesce(json_extract(job.value, '$.intended_at'), reserved_at, requested_at) >= :since)
"""
# Of how many of its jobs nobody knows what they cost.
_UNKNOWN = """
    (SELECT count(*) FROM items, json_each(items.job) AS job WHERE items.generation_id = generations.generation_id
        AND json_extract(job.value, '$.cost') IS NULL AND json_extract(job.value, '$.price') IS NULL)
"""
# Whether it has a job that may cost something yet.
_UNSETTLED = """
    EXISTS (SELECT 1 FROM items, json_each(items.job) AS job
        WHERE items.generation_id = generations.generation_id AND json_extract(job.value, '$.cost') IS NULL)
"""


class Costs(Connection):
    def spent(self, since: str, user_id: str | None = None) -> float:
        """Return what was bought since then in USD, by one user or by all, including erased orders.

        What an order that is unfinished, or has a job whose cost is not known yet, may still cost is reserved: that
        counts from when the order was placed, or tried again.
        """
        rows = self._read(
            f"""
            SELECT (SELECT coalesce(sum(bought + rest), 0) FROM (
                    SELECT {_BOUGHT_SINCE} AS bought,
                        CASE WHEN (status = 'Processing' OR {_UNSETTLED})
                            AND coalesce(reserved_at, requested_at) >= :since
                        THEN max(coalesce(price, 0) - {_COMMITTED}, 0) ELSE 0 END AS rest
                    FROM generations WHERE :user_id IS NULL OR user_id = :user_id))
                + (SELECT coalesce(sum(amount), 0) FROM spending
                    WHERE at >= :since AND (:user_id IS NULL OR user_id = :user_id)) AS spent
            """,
            {"since": since, "user_id": user_id},
        )
        return round(float(rows[0]["spent"]), 5)

    def unreserved(self, generation_id: str) -> float:
        """Return what an order that ended would reserve anew: its price, less what it has cost already."""
        rows = self._read(
            f"SELECT coalesce(price, 0) AS price, {_COMMITTED} AS committed, {_UNSETTLED} AS unsettled "
            "FROM generations WHERE generation_id = ?",
            [generation_id],
        )
        return max((row["price"] - row["committed"] for row in rows if not row["unsettled"]), default=0.0)

    def _reserve(self, generation_id: str, price: float) -> tuple[float, float]:
        """Return what an order being made may cost with one more job of this price, and how much more that is than is
        reserved for it.
        """
        rows = self._read(
            f"SELECT coalesce(price, 0) AS price, {_COMMITTED} AS committed FROM generations WHERE generation_id = ?",
            [generation_id],
        )
        row = rows[0]
        total = round(row["committed"] + price, 5)
        return total, max(0.0, total - max(row["price"], row["committed"]))

    def costs(self, user_id: str | None = None) -> list[dict[str, Any]]:
        """Return the orders that were not free, oldest first: what each was estimated at, and has cost so far.

        `uncertain` is what jobs may cost in addition that are not done, or whose outcome is unknown; `unknown` is the
        number of jobs of which neither the price nor the cost is known.
        """
        return self._read(
            f"""
            SELECT generation_id, user_id, prompt, status, requested_at, price, round(paid, 5) AS cost,
                round(committed - paid, 5) AS uncertain, unknown
            FROM (SELECT generations.*, rowid AS place, {_PAID} AS paid, {_COMMITTED} AS committed,
                {_UNKNOWN} AS unknown FROM generations
                WHERE :user_id IS NULL OR user_id = :user_id)
            WHERE committed > 0 OR price IS NULL OR price > 0 ORDER BY requested_at, place
            """,
            {"user_id": user_id},
        )

    def check_budget(self, budget: Budget, price: float | None, what: str = "this costs") -> None:
        """Raise CostError if an order of this price exceeds what is left of a budget; `what` is said to cost that."""
        spent = self.spent(budget.since, budget.user_id)
        if round(spent + (price or 0), 5) <= budget.amount:
            return
        if budget.user_id is not None:
            raise CostError(
                f"{what} about {spoken_price(price)}, but only ${max(0.0, budget.amount - spent):.2f} of your "
                f"${budget.amount:.2f} for this month is left"
            )
        raise CostError(
            f"{spoken_price(spent)} of {budget.name} {budget.amount:g} is spent or reserved this month: "
            "raise it, or wait for the next month"
        )
