"""What one user may take: work ordered within a day, and bytes on the disk."""

from datetime import timedelta

from aigen.errors import UsageError
from aigen.store.database import Connection
from aigen.times import from_text, to_text
from aigen.types.rows import Generation, Quota, Workload
from aigen.wording import spoken_duration, spoken_size

DAY = timedelta(days=1)


class Quotas(Connection):
    def _check_quota(self, order: Generation, quota: Quota) -> None:
        """Raise UsageError if an order takes more than its user has left.

        What was ordered counts also if it was cancelled or erased: it may have been made all the same.
        """
        since = to_text(from_text(order.requested_at) - DAY)
        (taken,) = self._read(
            """
            SELECT coalesce(sum(seconds) FILTER (WHERE ordered_at > :since), 0) AS seconds,
                coalesce(sum(bytes) FILTER (WHERE generation_id IN
                    (SELECT generation_id FROM generations WHERE status = 'Processing')), 0) AS bytes
            FROM workload WHERE user_id = :user_id
            """,
            {"since": since, "user_id": order.user_id},
        )
        expected, used = quota.expected, quota.used_bytes + taken["bytes"]
        if quota.seconds is not None and expected.seconds + taken["seconds"] > quota.seconds:
            ordered = f", of which you have ordered {spoken_duration(taken['seconds'])}" if taken["seconds"] else ""
            raise UsageError(
                f"this order takes about {spoken_duration(expected.seconds)} of work: the limit is "
                f"{spoken_duration(quota.seconds)} within a day{ordered}"
            )
        if quota.bytes is not None and expected.bytes + used > quota.bytes:
            taking = f", of which yours take {spoken_size(used)}" if used else ""
            raise UsageError(
                f"the files of this order take about {spoken_size(expected.bytes)}: the limit is "
                f"{spoken_size(quota.bytes)}{taking}; delete what you no longer need"
            )

    def _add_workload(self, order: Generation, expected: Workload) -> None:
        """Record what an order takes. What was ordered more than a day ago and is done goes."""
        since = to_text(from_text(order.requested_at) - DAY)
        self._update(
            "DELETE FROM workload WHERE ordered_at <= ? AND generation_id NOT IN "
            "(SELECT generation_id FROM generations WHERE status = 'Processing')",
            [since],
        )
        self._table("workload").insert(
            {
                "generation_id": order.generation_id,
                "user_id": order.user_id,
                "ordered_at": order.requested_at,
                "seconds": expected.seconds,
                "bytes": expected.bytes,
            }
        )
