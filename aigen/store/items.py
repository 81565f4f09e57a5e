"""Items of orders, with their checkpoints."""

import json
from dataclasses import asdict, replace
from typing import Any

from aigen.store.database import dump
from aigen.store.jobs import THIS_ITEM, Jobs, dump_jobs, item_key, load_jobs
from aigen.types.pipeline import ITEM, Job
from aigen.types.request import GenerationRequest
from aigen.types.rows import Item, sum_costs


class Items(Jobs):
    def items(self, generation_id: str) -> list[Item]:
        """The items of an order as they are made: images first, then videos, each by number."""
        rows = self._read(
            "SELECT * FROM items WHERE generation_id = ? ORDER BY kind, number",
            [generation_id],
        )
        return [_item(row) for row in rows]

    def delete_item(self, item: Item) -> bool:
        """Erase the row of a finished item of an order that has ended."""
        return self._change(
            """
            DELETE FROM items WHERE generation_id = ? AND kind = ? AND number = ? AND state = 'done'
                AND (SELECT status FROM generations WHERE generation_id = items.generation_id) <> 'Processing'
            """,
            [item.generation_id, item.kind, item.number],
        )

    def pace(
        self, kind: str, model: str, request: GenerationRequest, picture_by: str | None = None, count: int = 20
    ) -> float | None:
        """Seconds that a model took of late for an item of a kind,
        in orders of like size and options; None: there are none.

        Where another model made what they start from, only orders with the same one count.
        """
        rows = self._read(
            """
            SELECT avg(seconds) AS pace FROM (
                SELECT seconds FROM items JOIN generations USING (generation_id)
                WHERE kind = :kind AND model = :model AND seconds IS NOT NULL
                    AND json_extract(request, '$.size') IS :size AND json_extract(request, '$.steps') IS :steps
                    AND json_extract(request, '$.guide') IS :guide
                    AND coalesce(json_extract(request, '$.fast'), 0) = :fast
                    AND json_extract(request, '$.duration') IS :duration AND json_extract(request, '$.fps') IS :fps
                    AND json_extract(request, '$.frames') IS :frames
                    AND (:picture_by IS NULL OR json_extract(request, '$.image_model') = :picture_by)
                    AND coalesce(json_extract(request, '$.from_picture'), 0) = :from_picture
                ORDER BY items.rowid DESC LIMIT :count)
            """,
            {
                "kind": kind,
                "model": model,
                "size": request.size,
                "steps": request.steps,
                "guide": request.guide,
                "fast": request.fast,
                "duration": request.duration,
                "fps": request.fps,
                "frames": request.frames,
                "picture_by": picture_by,
                "from_picture": request.from_picture,
                "count": count,
            },
        )
        return rows[0]["pace"] if rows else None

    def film_pace(self, image_model: str) -> float | None:
        """Seconds that each second of a film over pictures of this model took of late; None: there are none."""
        rows = self._read(
            """
            SELECT avg(seconds / duration) AS pace FROM (
                SELECT seconds, json_extract(parameters, '$.duration') AS duration
                FROM items JOIN generations USING (generation_id)
                WHERE seconds IS NOT NULL AND json_extract(parameters, '$.narration') IS NOT NULL
                    AND json_extract(request, '$.image_model') = ?
                ORDER BY items.rowid DESC LIMIT 20)
            WHERE duration > 0
            """,
            [image_model],
        )
        return rows[0]["pace"] if rows else None

    def record(self, item: Item) -> bool:
        """Record a planned item as done or failed, with its cost.

        A done item loses its checkpoint. A failed one keeps it for the next attempt.
        """
        with self._write():
            jobs = self._jobs(item)
            if item.cost is not None:
                jobs[ITEM] = replace(jobs.get(ITEM, Job(key="", state="fetched")), cost=item.cost)
            # Also of an order that was cancelled meanwhile: it was paid for.
            self._update(
                f"UPDATE items SET cost = :cost, job = :job WHERE {THIS_ITEM}",
                {**item_key(item), "cost": sum_costs(job.cost for job in jobs.values()), "job": dump_jobs(jobs)},
            )
            return self._update(
                f"""
                UPDATE items SET state = :state, path = :path, parameters = :parameters, error = :error,
                    seconds = :seconds, model = :model,
                    checkpoint = CASE :state WHEN 'done' THEN '{{}}' ELSE checkpoint END
                WHERE {THIS_ITEM} AND state = 'planned'
                    AND (SELECT status FROM generations WHERE generation_id = :generation_id) = 'Processing'
                """,
                {
                    **item_key(item),
                    "model": item.model,
                    "state": item.state,
                    "path": item.path,
                    "parameters": dump(item.parameters) if item.parameters is not None else None,
                    "error": item.error,
                    "seconds": item.seconds,
                },
            )

    def remember(self, item: Item, key: str, value: Any, cost: float | None = None) -> None:
        """Store one value of an item's checkpoint, and the cost in USD of the part it describes."""
        with self._write():
            jobs = self._jobs(item)
            if cost is not None:
                before = jobs.get(key, Job(key="", state="fetched"))
                # Without a job of its own it was paid for once more.
                jobs[key] = replace(before, cost=cost if before.key else cost + (before.cost or 0))
            self._database.execute(
                f"UPDATE items SET checkpoint = :checkpoint, job = :job WHERE {THIS_ITEM}",
                {
                    **item_key(item),
                    "checkpoint": dump({**self._checkpoint(item), key: value}),
                    "job": dump_jobs(jobs),
                },
            )

    def recall(self, item: Item, key: str) -> Any:
        return self._checkpoint(item).get(key)

    def _checkpoint(self, item: Item) -> dict[str, Any]:
        rows = self._read(f"SELECT checkpoint FROM items WHERE {THIS_ITEM}", item_key(item))
        checkpoint: dict[str, Any] = json.loads(rows[0]["checkpoint"]) if rows else {}
        return checkpoint


def item_row(item: Item) -> dict[str, Any]:
    """Return a planned item as a row."""
    return {**asdict(item), "parameters": None, "checkpoint": dump(item.checkpoint), "job": dump_jobs(item.job)}


def _item(row: dict[str, Any]) -> Item:
    parameters = json.loads(row["parameters"]) if row["parameters"] is not None else None
    checkpoint = json.loads(row["checkpoint"])
    return Item(**{**row, "parameters": parameters, "checkpoint": checkpoint, "job": load_jobs(row["job"])})
